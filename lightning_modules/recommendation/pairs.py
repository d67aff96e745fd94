"""What each user bought of each item, as a table that is bounded for each user."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.lists import spans, starts
from lightning_modules.recommendation.tables import (
    ITEM_BITS,
    Floats,
    Ints,
    fade,
    item_of,
    pair_keys,
)
from lightning_modules.tables import Table, empty

PAIR_TAUS = np.array([7, 21, 60, 180], np.float32)
LASTING = 3  # the column of PAIR_TAUS that tells lasting tastes
MARKS = 32  # visits that a pair's marks reach back


@dataclass
class Pairs(Table):
    """Per (user, item) bought, sorted by `key`: faded purchases, count, days.

    `visit` is the number of the user's visit at the last purchase, and `recent` has bit k set if
    the item was bought k visits before that one. `gap` (days) lies between the last two
    purchases, and `spread` is the sum of all squared gaps.
    """

    key: Ints = field(default_factory=empty(np.int64))
    faded: Floats = field(default_factory=empty(np.float32, 4))
    count: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    first: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    visit: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    recent: NDArray[np.uint32] = field(default_factory=empty(np.uint32))
    gap: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    spread: Floats = field(default_factory=empty(np.float32))

    @property
    def user(self) -> Ints:
        """The user row of each pair."""
        return self.key >> ITEM_BITS

    @property
    def item(self) -> Ints:
        """The item row of each pair."""
        return item_of(self.key)

    def insert(self, keys: Ints) -> None:
        """Make room for new, sorted keys; their counters are zero."""
        if len(keys) == 0:
            return
        new = np.searchsorted(self.key, keys) + np.arange(len(keys))
        kept = np.ones(len(self.key) + len(keys), bool)
        kept[new] = False
        source = np.cumsum(kept) - 1  # one gather is quicker than np.insert on every column
        if len(self.key) == 0:
            self.grow(1)
        for column in fields(self):
            moved = getattr(self, column.name)[source]
            moved[new] = keys if column.name == "key" else 0
            setattr(self, column.name, moved)

    def keep_most(self, users: Ints, day: int, count: int) -> None:
        """Of these distinct user rows, keep the `count` items that each bought most, faded.

        One that was let go starts anew when it is bought again. Of equals the newest row stays.
        """
        begin = np.searchsorted(self.key, pair_keys(users, np.zeros_like(users)))
        size = np.searchsorted(self.key, pair_keys(users + 1, np.zeros_like(users))) - begin
        many = size > count
        begin, size = begin[many], size[many]
        if len(begin) == 0:
            return
        rows = spans(begin, size)
        bought = fade(self.faded[rows, LASTING], self.last[rows], day, PAIR_TAUS[LASTING])
        owner = np.repeat(np.arange(len(size)), size)
        order = np.lexsort((rows, bought, owner))  # of each user, the least bought first
        kept = np.ones(len(self.key), bool)
        kept[rows[order[spans(starts(size)[:-1], size - count)]]] = False
        self.take(kept)


def shifted(marks: NDArray[np.uint32], visits: NDArray[Any]) -> NDArray[np.uint32]:
    """The marks of past visits (n,), some visits later; those beyond MARKS are lost."""
    by = np.minimum(visits, MARKS).astype(np.uint64)
    moved: NDArray[np.uint32] = ((marks.astype(np.uint64) << by) & 0xFFFFFFFF).astype(np.uint32)
    return moved

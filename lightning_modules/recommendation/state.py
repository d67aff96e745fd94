"""What is known of users, items and who buys what: counters that fade by days, not by steps.

A faded counter is a sum of exp(-age / tau) over past purchases, age and tau in days. It is kept
as it was on the row's last day and brought to another day when read, so a day costs only the
rows it touches and a closed day costs nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAIR_TAUS = np.array([7, 21, 60, 180], np.float32)
ITEM_TAUS = np.array([3, 7, 28, 90], np.float32)
BASKET_TAU = np.float32(60)
ITEM_BITS = 32

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _empty(dtype: Any, *columns: int) -> Callable[[], NDArray[Any]]:
    return lambda: np.zeros((0, *columns), dtype)


@dataclass
class Table:
    """Arrays of one length; row i of each is about the same thing."""

    def grow(self, rows: int) -> None:
        """Append rows of zeros until there are this many."""
        for column in fields(self):
            old = getattr(self, column.name)
            if len(old) < rows:
                fresh = np.zeros((rows - len(old), *old.shape[1:]), old.dtype)
                setattr(self, column.name, np.concatenate([old, fresh]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass
class Users(Table):
    """Per user: faded visits (taus of the pairs), faded basket and first-time items, days."""

    visits: Floats = field(default_factory=_empty(np.float32, 4))
    basket: Floats = field(default_factory=_empty(np.float32))
    firsts: Floats = field(default_factory=_empty(np.float32))
    count: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))


@dataclass
class Items(Table):
    """Per item: faded buyers a day, distinct buyers, repeat purchases, first and last day."""

    sold: Floats = field(default_factory=_empty(np.float32, 4))
    buyers: NDArray[np.uint32] = field(default_factory=_empty(np.uint32))
    repeats: NDArray[np.uint32] = field(default_factory=_empty(np.uint32))
    first: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    group: NDArray[np.int32] = field(default_factory=_empty(np.int32))


@dataclass
class Pairs(Table):
    """Per (user, item) ever bought, sorted by `key`: faded purchases, count, days."""

    key: Ints = field(default_factory=_empty(np.int64))
    faded: Floats = field(default_factory=_empty(np.float32, 4))
    count: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    first: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))
    visit: NDArray[np.uint16] = field(default_factory=_empty(np.uint16))

    @property
    def item(self) -> Ints:
        """The item row of each pair."""
        return self.key & ((1 << ITEM_BITS) - 1)

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


def pair_keys(users: Ints, items: Ints) -> Ints:
    """One sortable number for each (user row, item row)."""
    return (users.astype(np.int64) << ITEM_BITS) | items.astype(np.int64)


def fade(values: Floats, last: NDArray[Any], day: int, taus: Any) -> Floats:
    """Counters (n,) or (n, T) kept as of `last`, as they are on `day`."""
    age = (day - last.astype(np.int32)).astype(np.float32)
    if values.ndim == 2:
        age = age[:, None]
    faded: Floats = values * np.exp(-age / taus)
    return faded


@dataclass
class ShopState:
    """The three tables and the last day taken in (days since 1970-01-01; 0 is never)."""

    users: Users = field(default_factory=Users)
    items: Items = field(default_factory=Items)
    pairs: Pairs = field(default_factory=Pairs)
    day: int = 0

    def absorb(self, users: Ints, items: Ints, day: int) -> None:
        """Take in the day's distinct (user, item) rows, in any order.

        Raises:
            ValueError: if the day is not after the last one: each day counts once.
        """
        if day <= self.day:
            raise ValueError(f"day {day} was taken in already (last: {self.day}): skip it")
        self.day = day
        if len(users) == 0:
            return
        keys = np.sort(pair_keys(users, items))
        self.users.grow(int(users.max()) + 1)
        self.items.grow(int(items.max()) + 1)
        fresh = self._absorb_pairs(keys, day)
        self._absorb_users(keys >> ITEM_BITS, fresh, day)
        self.pairs.visit[np.searchsorted(self.pairs.key, keys)] = self.users.count[
            keys >> ITEM_BITS
        ]
        self._absorb_items(keys & ((1 << ITEM_BITS) - 1), fresh, day)

    def _absorb_pairs(self, keys: Ints, day: int) -> NDArray[np.bool_]:
        """Count the pairs; says which of them are bought for the first time."""
        table = self.pairs
        at = np.searchsorted(table.key, keys)
        inside = at < len(table.key)
        fresh = ~inside
        fresh[inside] = table.key[at[inside]] != keys[inside]
        table.insert(keys[fresh])
        at = np.searchsorted(table.key, keys)
        table.faded[at] = fade(table.faded[at], table.last[at], day, PAIR_TAUS) + 1
        table.count[at] += 1
        table.last[at] = day
        table.first[at[fresh]] = day
        return fresh

    def _absorb_users(self, users: Ints, fresh: NDArray[np.bool_], day: int) -> None:
        table = self.users
        rows, inverse = np.unique(users, return_inverse=True)
        last = table.last[rows]
        table.visits[rows] = fade(table.visits[rows], last, day, PAIR_TAUS) + 1
        bought = np.bincount(inverse).astype(np.float32)
        new = np.bincount(inverse, weights=fresh).astype(np.float32)
        table.basket[rows] = fade(table.basket[rows], last, day, BASKET_TAU) + bought
        table.firsts[rows] = fade(table.firsts[rows], last, day, BASKET_TAU) + new
        table.count[rows] += 1
        table.last[rows] = day

    def _absorb_items(self, items: Ints, fresh: NDArray[np.bool_], day: int) -> None:
        table = self.items
        rows, inverse = np.unique(items, return_inverse=True)
        sold = np.bincount(inverse).astype(np.float32)
        new = np.bincount(inverse, weights=fresh).astype(np.uint32)
        table.sold[rows] = fade(table.sold[rows], table.last[rows], day, ITEM_TAUS) + sold[:, None]
        table.buyers[rows] += new
        table.repeats[rows] += sold.astype(np.uint32) - new
        unseen = table.first[rows] == 0
        table.first[rows[unseen]] = day
        table.last[rows] = day

"""What is known of users and of what they buy: counters that fade by days, not by steps.

All are kept as of the state's day and brought to another when read, see `fading`, so a closed day
costs nothing.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.behavior.fading import (
    BASKET_TAU,
    INTEREST_TAU,
    PRICE_TAUS,
    SOLD_TAUS,
    SOLD_WEEKDAY_TAU,
    TAUS,
    WEEKDAY_TAU,
    WINDOW,
    Floats,
    fade,
    shifted,
)
from lightning_modules.behavior.happened import Happened
from lightning_modules.files import read_arrays
from lightning_modules.tables import empty

Ints = NDArray[np.int64]


@dataclass
class Users:
    """Per user: faded visits, weekdays, basket and spending, first, last, number of visits."""

    visits: Floats = field(default_factory=empty(np.float32, 3))
    weekday: Floats = field(default_factory=empty(np.float32, 7))
    basket: Floats = field(default_factory=empty(np.float32))
    spent: Floats = field(default_factory=empty(np.float32))
    count: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    first: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    recent: NDArray[np.uint32] = field(default_factory=empty(np.uint32))

    def fade(self, days: int) -> None:
        """Bring the counters to `days` later."""
        self.visits = fade(self.visits, days, TAUS)
        self.weekday = fade(self.weekday, days, WEEKDAY_TAU)
        self.basket = fade(self.basket, days, BASKET_TAU)
        self.spent = fade(self.spent, days, BASKET_TAU)
        self.recent = shifted(self.recent, days)


@dataclass
class Pairs:
    """Per (user, category): faded purchases and other events, number, days, visits by then."""

    faded: Floats = field(default_factory=empty(np.float32, 0, 3))
    interest: Floats = field(default_factory=empty(np.float32, 0))
    count: NDArray[np.uint16] = field(default_factory=empty(np.uint16, 0))
    first: NDArray[np.uint16] = field(default_factory=empty(np.uint16, 0))
    last: NDArray[np.uint16] = field(default_factory=empty(np.uint16, 0))
    visit: NDArray[np.uint16] = field(default_factory=empty(np.uint16, 0))
    recent: NDArray[np.uint32] = field(default_factory=empty(np.uint32, 0))

    def fade(self, days: int) -> None:
        """Bring the counters to `days` later."""
        self.faded = fade(self.faded, days, TAUS)
        self.interest = fade(self.interest, days, INTEREST_TAU)
        self.recent = shifted(self.recent, days)


@dataclass
class Categories:
    """Per category: its row in the vocabulary, faded buyers, money saved and asked, repeats."""

    row: NDArray[np.int32] = field(default_factory=empty(np.int32))
    sold: Floats = field(default_factory=empty(np.float32, 3))
    weekday: Floats = field(default_factory=empty(np.float32, 7))
    saved: Floats = field(default_factory=empty(np.float32, 2))
    asked: Floats = field(default_factory=empty(np.float32, 2))
    again: NDArray[np.uint32] = field(default_factory=empty(np.uint32))
    bought: NDArray[np.uint32] = field(default_factory=empty(np.uint32))

    def fade(self, days: int) -> None:
        """Bring the counters to `days` later."""
        self.sold = fade(self.sold, days, SOLD_TAUS)
        self.weekday = fade(self.weekday, days, SOLD_WEEKDAY_TAU)
        self.saved = fade(self.saved, days, PRICE_TAUS)
        self.asked = fade(self.asked, days, PRICE_TAUS)


@dataclass
class BehaviorState:
    """The tables and the last day taken in (days since 1970-01-01; 0 is never).

    Bit k of `days` says that the day k before the last was taken in too. `chosen` is 1 once the
    judged categories are fixed: before, every category has a column. `free` rows of users are
    nobody's.
    """

    users: Users = field(default_factory=Users)
    pairs: Pairs = field(default_factory=Pairs)
    categories: Categories = field(default_factory=Categories)
    day: int = 0
    days: int = 0
    chosen: bool = False
    free: int = 0

    @property
    def people(self) -> int:
        """How many users there are, one at least."""
        return max(len(self.users.count) - self.free, 1)

    def grow(self, users: int, rows: NDArray[np.int32]) -> None:
        """Make room for users, and for categories (vocabulary rows) unless they are fixed."""
        if not self.chosen:
            new = np.setdiff1d(rows, self.categories.row)
            count = len(self.categories.row) + len(new)
            old = self.categories.row
            _lengthen(self.categories, 0, count)
            self.categories.row = np.concatenate([old, new.astype(np.int32)])
            _lengthen(self.pairs, 1, count)
        _lengthen(self.users, 0, users)
        _lengthen(self.pairs, 0, users)

    def choose(self, count: int) -> None:
        """Fix the `count` categories bought on most user-days; later ones are not judged.

        Raises:
            ValueError: if none was bought yet.
        """
        if self.chosen:
            return
        bought = self.pairs.count.sum(axis=0, dtype=np.int64)
        if not bought.any():
            raise ValueError(
                "no category was bought yet: start the examples later (bootstrap.days), or let "
                "the source's items name their categories"
            )
        count = min(count, int(np.count_nonzero(bought)))
        kept = np.sort(np.argsort(-bought, kind="stable")[:count])
        _keep(self.categories, 0, kept)
        _keep(self.pairs, 1, kept)
        self.chosen = True

    def columns(self, rows: NDArray[np.int32]) -> Ints:
        """The column of each category row; -1 where it has none."""
        longest = max(int(rows.max(initial=0)), int(self.categories.row.max(initial=0)))
        column = np.full(longest + 1, -1)
        column[self.categories.row] = np.arange(len(self.categories.row))
        found: Ints = column[rows]
        return found

    def absorb(self, today: Happened, users: Ints, rows: NDArray[np.int32]) -> None:
        """Take a day in: the user row (U,) of its users, the category row (E,) of its events.

        Raises:
            ValueError: if the day is not after the last one: each day counts once.
        """
        gap = today.day - self.day
        if gap <= 0:
            raise ValueError(f"day {today.day} was taken in already (last: {self.day}): skip it")
        for table in (self.users, self.pairs, self.categories):
            table.fade(gap if self.day else 0)
        self.days = ((self.days << gap) & ((1 << WINDOW) - 1)) | 1 if gap < WINDOW else 1
        self.day = today.day
        user, column = users[today.user], self.columns(rows)
        self._visit(today, user)
        other = ~today.bought & (column >= 0)
        np.add.at(self.pairs.interest, (user[other], column[other]), np.float32(1))
        here = today.bought & (column >= 0)
        self._buy(user[here], column[here])
        np.add.at(self.categories.saved, column[here], today.saved[here, None])
        np.add.at(self.categories.asked, column[here], (today.spent + today.saved)[here, None])

    def _visit(self, today: Happened, user: Ints) -> None:
        table, bought = self.users, today.bought
        np.add.at(table.basket, user[bought], np.float32(1))
        np.add.at(table.spent, user[bought], today.spent[bought])
        here = np.unique(user[bought])
        table.visits[here] += 1
        table.weekday[here, today.day % 7] += 1
        new = here[table.count[here] == 0]
        table.first[new] = today.day
        table.last[here] = today.day
        table.count[here] += 1
        table.recent[here] |= np.uint32(1)

    def _buy(self, user: Ints, column: Ints) -> None:
        table, kinds = self.pairs, len(self.categories.row)
        cells = np.unique(user * max(kinds, 1) + column)
        at = (cells // max(kinds, 1), cells % max(kinds, 1))
        fresh = table.count[at] == 0
        table.faded[at] += 1
        table.first[at[0][fresh], at[1][fresh]] = self.day
        table.last[at] = self.day
        table.count[at] += 1
        table.visit[at] = self.users.count[at[0]]
        table.recent[at] |= np.uint32(1)
        buyers = np.bincount(at[1], minlength=kinds)
        self.categories.sold += buyers[:, None].astype(np.float32)
        self.categories.weekday[:, self.day % 7] += buyers.astype(np.float32)
        self.categories.bought += buyers.astype(np.uint32)
        self.categories.again += np.bincount(at[1][~fresh], minlength=kinds).astype(np.uint32)

    def save(self, path: Path) -> None:
        """Write the tables."""
        arrays = {
            f"{name}/{column.name}": np.ascontiguousarray(getattr(table, column.name))
            for name, table in self._tables()
            for column in fields(table)
        }
        arrays["now"] = np.array([self.day, self.days, self.chosen], np.int64)
        save_file(arrays, path)

    @classmethod
    def load(cls, path: Path) -> "BehaviorState":
        """Read what `save` wrote."""
        arrays = read_arrays(path)
        day, days, chosen = (int(value) for value in arrays.pop("now"))
        state = cls(day=day, days=days, chosen=bool(chosen))
        for name, table in state._tables():
            for column in fields(table):
                setattr(table, column.name, arrays[f"{name}/{column.name}"])
        return state

    def _tables(self) -> tuple[tuple[str, Any], ...]:
        return (("users", self.users), ("pairs", self.pairs), ("categories", self.categories))


def _lengthen(table: Any, axis: int, size: int) -> None:
    """Append zeros along an axis until it is this long."""
    for column in fields(table):
        old = getattr(table, column.name)
        if old.shape[axis] < size:
            shape = list(old.shape)
            shape[axis] = size - old.shape[axis]
            fresh = np.zeros(shape, old.dtype)
            setattr(table, column.name, np.concatenate([old, fresh], axis=axis))


def _keep(table: Any, axis: int, kept: Ints) -> None:
    for column in fields(table):
        setattr(table, column.name, np.take(getattr(table, column.name), kept, axis=axis))

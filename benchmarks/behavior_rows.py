"""The rows on which behavior is judged: a sample of users times categories each day."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.waiting import HORIZON
from lightning_modules.hashing import mixed

ROWS_A_DAY = 12_000
SALT = np.uint64(0x726F7773)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Rows of a day: the place of each among the examples' rows, its user row and its column."""

    place: NDArray[np.int64]
    user: NDArray[np.int64]
    column: NDArray[np.int64]

    def same(self, other: "Sample") -> bool:
        """Whether both are of the same users and categories."""
        return np.array_equal(self.user, other.user) and np.array_equal(self.column, other.column)


def by_hash(_day: dt.date, units: UserDays) -> Sample:
    """ROWS_A_DAY of the day's rows, see `sampled`."""
    return sampled(units)


def sampled(units: UserDays, rows: int = ROWS_A_DAY) -> Sample:
    """Up to `rows` of the day's rows, uniform over users times categories, by hash of day and row.

    Whoever makes the day's examples gets the same ones.
    """
    views = units.views
    new = np.flatnonzero(views.buy_1 >= 0)
    column = views.column[new].astype(np.int64)
    luck = mixed(units.keys[units.unit[new]] ^ mixed(column.astype(np.uint64) ^ SALT))
    chosen = np.sort(np.argsort(luck, kind="stable")[:rows])
    place = new[chosen]
    return Sample(place, views.user[views.view[place]].astype(np.int64), column[chosen])


Draw = Callable[[dt.date, UserDays], Sample]  # the rows of a day that are judged


@dataclass
class Outcomes:
    """What every user bought of the judged categories, day by day; a closed day has nothing."""

    bought: dict[dt.date, Mask] = field(default_factory=dict)

    def record(self, day: dt.date, units: UserDays) -> None:
        """Take the day's labels, (users, categories)."""
        labels = units.views.buy_1
        bought = labels[labels >= 0] == 1
        self.bought[day] = bought.reshape(len(units), -1) if len(units) else np.zeros((0, 0), bool)

    def within(self, day: dt.date, days: int, rows: Sample) -> Mask | None:
        """Whether each row was bought in the `days` from `day` on; None if not known yet."""
        window = [day + dt.timedelta(number) for number in range(days)]
        if any(one not in self.bought for one in window):
            return None
        found = np.zeros(len(rows.user), bool)
        for one in window:
            bought: Any = self.bought[one]
            if bought.size:
                found |= bought[rows.user, rows.column]
        return found

    def forget(self, day: dt.date) -> None:
        """Days that no window from `day` on holds."""
        for old in [one for one in self.bought if one < day - dt.timedelta(HORIZON)]:
            del self.bought[old]

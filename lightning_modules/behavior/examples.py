"""A day's units: one user each, with what is learned of them today."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.views import UNKNOWN, Views, joined, spans
from lightning_modules.hashing import fraction, mixed

CATEGORY_SALT = np.uint64(0x63617465676F7279)


@dataclass(frozen=True)
class UserDays:
    """L units, sorted by user row; unit i has `views[i]` of the views, one after the other.

    A unit's first view is the day's own, with `buy_1` known by its end; then come the views of
    earlier days whose seven days end today, with `buy_7`. `served` (L, C) is the probability of a
    purchase within seven days as it was served when those days began, NaN where none was, and
    `bought` (L, C) what came of it; both have no columns in the training part.
    """

    unit_ids: NDArray[np.object_]
    keys: NDArray[np.uint64]
    users: NDArray[np.int32]
    per_unit: NDArray[np.int32]
    views: Views
    served: NDArray[np.float16]
    bought: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def unit_of_view(self) -> NDArray[np.int64]:
        """The unit of each view (G,)."""
        return np.repeat(np.arange(len(self)), self.per_unit)

    @property
    def unit(self) -> NDArray[np.int64]:
        """The unit of each row (N,)."""
        return np.repeat(self.unit_of_view, self.views.rows)

    def take(self, units: NDArray[Any]) -> Self:
        """Some of the units, by a mask (L,) or by positions in any order."""
        chosen = np.flatnonzero(units) if units.dtype == np.bool_ else units
        starts = np.cumsum(self.per_unit, dtype=np.int64) - self.per_unit
        return type(self)(
            unit_ids=self.unit_ids[chosen],
            keys=self.keys[chosen],
            users=self.users[chosen],
            per_unit=self.per_unit[chosen],
            views=self.views.take(spans(starts[chosen], self.per_unit[chosen])),
            served=self.served[chosen],
            bought=self.bought[chosen],
        )

    def training_part(self) -> Self:
        """A fixed sample of the rows: those whose hash of user-day and category is below `share`.

        The earlier days' rows were sampled when their day was new.
        """
        drawn = row_draw(self.keys[self.unit], self.views.column)
        kept = (drawn < self.views.share) | (self.views.buy_1 == UNKNOWN)
        return type(self)(
            unit_ids=self.unit_ids,
            keys=self.keys,
            users=self.users,
            per_unit=self.per_unit,
            views=self.views.take_rows(kept),
            served=self.served[:, :0],
            bought=self.bought[:, :0],
        )

    def todays(self) -> NDArray[np.bool_]:
        """Which views are of the day itself (G,)."""
        first = np.zeros(len(self.views), bool)
        first[(np.cumsum(self.per_unit) - self.per_unit)[self.per_unit > 0]] = True
        return first

    def todays_part(self) -> Self:
        """The same units with the day's own views only."""
        return self.with_views(self.todays())

    def with_views(self, kept: NDArray[np.bool_]) -> Self:
        """The same units with some of their views, by a mask (G,)."""
        count = np.bincount(self.unit_of_view[kept], minlength=len(self))
        return replace(self, per_unit=count.astype(np.int32), views=self.views.take(kept))


def row_draw(keys: NDArray[np.uint64], column: NDArray[Any]) -> NDArray[np.float64]:
    """The luck of each row, in [0, 1): a function of user-day and category column."""
    return fraction(mixed(keys ^ mixed(column.astype(np.uint64) ^ CATEGORY_SALT)))


def joined_units(parts: Sequence[UserDays]) -> UserDays:
    """The units of all parts, in order, in their training form."""
    return UserDays(
        unit_ids=np.concatenate([part.unit_ids for part in parts]),
        keys=np.concatenate([part.keys for part in parts]),
        users=np.concatenate([part.users for part in parts]),
        per_unit=np.concatenate([part.per_unit for part in parts]),
        views=joined([part.views for part in parts]),
        served=np.zeros((sum(len(part) for part in parts), 0), np.float16),
        bought=np.zeros((sum(len(part) for part in parts), 0), bool),
    )


def no_units(views: Views) -> UserDays:
    """No unit, with views of the form given."""
    return UserDays(
        unit_ids=np.zeros(0, object),
        keys=np.zeros(0, np.uint64),
        users=np.zeros(0, np.int32),
        per_unit=np.zeros(0, np.int32),
        views=views.take(np.zeros(0, np.int64)),
        served=np.zeros((0, 0), np.float16),
        bought=np.zeros((0, 0), bool),
    )

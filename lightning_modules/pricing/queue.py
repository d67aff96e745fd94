"""Rows that wait for their labels: a price one and seven days on, the units of a whole week."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.pricing.features import window_end
from lightning_modules.pricing.item_days import (
    DAY_AGO,
    MOVE_1,
    MOVE_7,
    REST_OF_WEEK,
    TODAY,
    UNITS,
    WEEK_AGO,
    ItemDays,
)
from lightning_modules.pricing.offers import FOREVER
from lightning_modules.pricing.state import Shelf

WAIT = 7
LONG = 5  # days that the rest of a price's week must have to be a label
# How old a row is in each slot of a unit, and the price label that it then gets.
AGES = {DAY_AGO: (1, MOVE_1), WEEK_AGO: (WAIT, MOVE_7)}


@dataclass(frozen=True)
class Queue:
    """Rows (n,) of the last WAIT days: their day, tracked row, features, and the day's price.

    `until` is the last day of that price, `end` that of its week (see `window_end`), `units`
    what was sold since the row's day through `end`, `forecasts` what was said that day.
    """

    day: NDArray[np.int32]
    item: NDArray[np.int32]
    features: NDArray[np.float16]
    price: NDArray[np.float32]
    until: NDArray[np.int32]
    end: NDArray[np.int32]
    units: NDArray[np.float32]
    forecasts: NDArray[np.float32]

    @classmethod
    def empty(cls, features: int, outputs: int) -> "Queue":
        """No rows."""
        whole, number = np.zeros(0, np.int32), np.zeros(0, np.float32)
        rows, said = np.zeros((0, features), np.float16), np.zeros((0, outputs), np.float32)
        return cls(whole, whole, rows, number, whole, whole, number, said)

    def take(self, rows: NDArray[Any]) -> "Queue":
        """Some of the rows."""
        return Queue(*(getattr(self, part.name)[rows] for part in fields(self)))

    def after(
        self,
        day: int,
        examples: ItemDays,
        shelf: Shelf,
        rows: NDArray[np.int64],
        lost: int | None = None,
    ) -> "Queue":
        """With the day's rows; `rows` are the watched rows of the units. The oldest leave.

        `lost` is the first open day since the last one taken in of which nothing is known: a sum
        that should hold it will never be known.
        """
        today = Queue(
            day=np.full(len(examples), day, np.int32),
            item=examples.item,
            features=examples.features[:, TODAY],
            price=shelf.price[rows],
            until=shelf.until[rows],
            end=window_end(shelf, rows, day),
            units=np.zeros(len(examples), np.float32),
            forecasts=examples.forecasts[:, TODAY],
        )
        kept = self.take(self.day > day - WAIT)
        if lost is not None:
            kept.units[kept.end >= lost] = np.nan
        arrays = {
            part.name: np.concatenate([getattr(kept, part.name), getattr(today, part.name)])
            for part in fields(self)
        }
        sold = np.zeros(int(arrays["item"].max(initial=-1)) + 1, np.float32)
        sold[examples.item] = examples.labels[:, TODAY, UNITS]
        running = arrays["end"] >= day
        arrays["units"] = arrays["units"] + np.where(running, sold[arrays["item"]], 0)
        return replace(self, **arrays)

    def fill(self, examples: ItemDays, day: int, price: NDArray[np.float32]) -> None:
        """Put the rows whose labels are known on `day` into the slots of the day's new units.

        `price` (L,) are the units' prices on `day`, NaN where not known. A price that the shop
        had posted for that day in advance is no forecast: it gives no label. One posted without
        a last day may end on any.
        """
        place = np.full(int(self.item.max(initial=-1)) + 1, -1)
        inside = examples.item < len(place)
        place[examples.item[inside]] = np.flatnonzero(inside)
        for slot, (age, move) in AGES.items():
            rows = self.take((self.day == day - age) & (place[self.item] >= 0))
            unit = place[rows.item]
            examples.features[unit, slot] = rows.features
            examples.forecasts[unit, slot] = rows.forecasts
            posted = (rows.until >= day) & (rows.until != FOREVER)
            open_price = ~posted & (rows.price > 0) & (price[unit] > 0)
            unit, was = unit[open_price], rows.price[open_price]
            examples.labels[unit, slot, move] = np.log(price[unit] / was)
            if slot == WEEK_AGO:
                long = rows.end - rows.day + 1 >= LONG
                examples.labels[place[rows.item[long]], slot, REST_OF_WEEK] = rows.units[long]

"""Prices and units of the tracked items lately: what a price strategy may rest on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class History:
    """The last H open days, latest last: `price` and `units` (T, H), NaN where there is none."""

    price: NDArray[np.float32]
    units: NDArray[np.float32]

    @classmethod
    def empty(cls, days: int) -> "History":
        """No items yet."""
        return cls(np.zeros((0, days), np.float32), np.zeros((0, days), np.float32))

    def after(
        self,
        tracked: int,
        item: NDArray[np.int32],
        price: NDArray[np.float32],
        units: NDArray[np.float32],
    ) -> "History":
        """With one more day, of `tracked` items in all; the oldest day leaves."""

        def moved(old: NDArray[np.float32], today: NDArray[np.float32]) -> NDArray[np.float32]:
            new = np.full((tracked, old.shape[1]), np.nan, np.float32)
            new[: len(old), :-1] = old[:, 1:]
            new[item, -1] = today
            return new

        return History(
            moved(self.price, np.where(price > 0, price, np.nan)), moved(self.units, units)
        )

    def frame(self, ids: NDArray[np.object_], item: NDArray[np.int32]) -> pd.DataFrame:
        """One row per day with a price of some tracked rows: `item_id`, `age`, `price`, `units`.

        `ids` (T,) names every tracked row; `age` counts open days back from the last one, which
        is 0. A row that is only about to be tracked has no past.
        """
        there = item[item < len(self.price)]
        price, units = self.price[there], self.units[there]
        row, day = np.nonzero(np.isfinite(price) & np.isfinite(units))
        return pd.DataFrame(
            {
                "item_id": ids[there[row]],
                "age": price.shape[1] - 1 - day,
                "price": price[row, day],
                "units": units[row, day],
            }
        )

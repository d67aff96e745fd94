"""What was sold on a day, by item."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sales:
    """Items sold (n,), ids sorted: units, distinct buyers, and the mean price paid of a unit.

    `paid` is NaN where no price is known.
    """

    item_ids: list[str]
    units: NDArray[np.float32]
    buyers: NDArray[np.float32]
    paid: NDArray[np.float32]


def sales(events: pd.DataFrame) -> Sales:
    """Purchases among canonical events: an item, and a quantity above zero."""
    wanted = (
        (events["event_type"] == "purchase").to_numpy(bool)
        & (events["quantity"] > 0).to_numpy(bool)
        & events["item_id"].notna().to_numpy(bool)
    )
    rows = events[wanted]
    item, item_ids = pd.factorize(rows["item_id"], sort=True)
    user, _ = pd.factorize(rows["user_id"])
    pairs = np.unique(item.astype(np.int64) * (int(user.max(initial=0)) + 1) + user)
    count = len(item_ids)
    quantity = rows["quantity"].to_numpy(np.float64)
    price = rows["price"].to_numpy(np.float64) if "price" in rows else np.full(len(rows), np.nan)
    priced = np.isfinite(price) & (price > 0)
    value = np.bincount(item[priced], (quantity * price)[priced], minlength=count)
    weight = np.bincount(item[priced], quantity[priced], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        paid = np.where(weight > 0, value / weight, np.nan)
    buyers = np.bincount(pairs // (int(user.max(initial=0)) + 1), minlength=count)
    return Sales(
        item_ids=np.asarray(item_ids, object).tolist(),
        units=np.bincount(item, quantity, minlength=count).astype(np.float32),
        buyers=buyers.astype(np.float32),
        paid=paid.astype(np.float32),
    )

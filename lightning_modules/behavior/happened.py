"""A day's events as arrays, in the order in which they happened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay

EPOCH = date(1970, 1, 1)
PURCHASE = "purchase"
NOTHING = ""
BY_EVENT = ("user", "kind", "category", "query", "minute", "bought", "spent", "saved")


@dataclass(frozen=True)
class Happened:
    """E events of a day, by time: `user` is a place in `user_ids` (sorted, distinct).

    `category` is "" where the item has none, `query` too; `spent` and `saved` are money, and
    `bought` says whether the event is a purchase of something, with a quantity above zero.
    """

    day: int
    user_ids: list[str]
    user: NDArray[np.int64]
    kind: NDArray[np.object_]
    category: NDArray[np.object_]
    query: NDArray[np.object_]
    minute: NDArray[np.int64]
    bought: NDArray[np.bool_]
    spent: NDArray[np.float32]
    saved: NDArray[np.float32]

    def take(self, events: NDArray[np.bool_]) -> "Happened":
        """Some of the events, by a mask (E,)."""
        kept = {name: getattr(self, name)[events] for name in BY_EVENT}
        return replace(self, **kept)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def item_categories(items: pd.DataFrame) -> dict[str, str]:
    """The category of each item that the catalogue tells of; "" if it tells none.

    A source may have no categories at all, and a day without a file of items has no such column.
    """
    if "category" not in items:
        return dict.fromkeys(items["item_id"], NOTHING)
    names = items["category"].astype(object)
    return dict(zip(items["item_id"], names.where(names.notna(), NOTHING), strict=True))


def happened(shop: ShopDay, known: Mapping[str, str]) -> Happened:
    """The day's events; `known` has the categories of the items of earlier days.

    Raises:
        ValueError: if an event names no user.
    """
    events = shop.events
    if events["user_id"].isna().any():
        raise ValueError(f"{shop.day}: an event has no user_id; leave such rows out of the source")
    events = events.sort_values("event_time", kind="stable")
    category = {**known, **item_categories(shop.items)}
    codes, item_ids = pd.factorize(events["item_id"])
    names = np.array([*(category.get(item, NOTHING) for item in item_ids), NOTHING], object)
    user_ids, user = np.unique(events["user_id"].to_numpy(object).astype(str), return_inverse=True)
    quantity = events["quantity"].to_numpy(np.float32, na_value=0)
    price = events["price"].to_numpy(np.float32, na_value=0)
    saved = events["discount"].to_numpy(np.float32, na_value=0)
    kind = events["event_type"].to_numpy(object)
    bought = (kind == PURCHASE) & (quantity > 0)
    query = events["query"].astype(object)
    stamps = events["event_time"].dt.tz_convert("UTC").dt.tz_localize(None)
    return Happened(
        day=day_number(shop.day),
        user_ids=user_ids.tolist(),
        user=user.astype(np.int64),
        kind=kind,
        category=names[codes],
        query=query.where(query.notna(), NOTHING).to_numpy(object),
        minute=stamps.to_numpy("datetime64[m]").astype(np.int64),
        bought=bought,
        spent=np.where(bought, price * quantity, 0).astype(np.float32),
        saved=np.where(bought, saved, 0).astype(np.float32),
    )

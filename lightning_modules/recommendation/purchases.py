"""What was bought on a day, where and how cheaply, and what is known of the day's new items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.recommendation.offers import WHOLE_SHOP
from lightning_modules.recommendation.tables import Floats, Ints
from lightning_modules.vocabulary import UNKNOWN_GROUP

GROUP_COLUMNS = ("department", "category", "subcategory")
PURCHASE = "purchase"


@dataclass(frozen=True)
class Purchases:
    """The distinct (user, item) purchases of a day, sorted: positions in two lists of ids.

    `channels` (users,) names where each user bought last. The money of users (users, 2) and
    items (items, 2) is what discounts saved and what was paid without them. `basket` and
    `basket_item` are the distinct (basket, item) rows, sorted; a user without a session has one
    basket a day.
    """

    user_ids: list[str]
    item_ids: list[str]
    user: Ints
    item: Ints
    channels: list[str]
    user_money: Floats
    item_money: Floats
    basket: Ints
    basket_item: Ints


def counted(events: pd.DataFrame, event_types: tuple[str, ...]) -> pd.DataFrame:
    """What counts as bought: an event of a wanted type with a user and an item.

    A purchase needs a quantity above zero; other types, such as a view, may have none.
    """
    kind = events["event_type"]
    some = (events["quantity"] > 0).to_numpy(bool) | (kind != PURCHASE).to_numpy(bool)
    wanted = kind.isin(event_types).to_numpy(bool) & some
    return events[wanted & events["item_id"].notna().to_numpy(bool)]


def purchases(events: pd.DataFrame, event_types: tuple[str, ...] = (PURCHASE,)) -> Purchases:
    """The day's events that are `counted`, put together."""
    rows = counted(events, event_types)
    user, user_ids = pd.factorize(rows["user_id"], sort=True)
    item, item_ids = pd.factorize(rows["item_id"], sort=True)
    stride = max(len(item_ids), 1)
    pairs = np.unique(user.astype(np.int64) * stride + item)
    basket_rows = np.unique(_baskets(rows, user) * stride + item)
    money = _money(rows)
    return Purchases(
        user_ids=np.asarray(user_ids, object).tolist(),
        item_ids=np.asarray(item_ids, object).tolist(),
        user=pairs // stride,
        item=pairs % stride,
        channels=_last_channels(rows, user, len(user_ids)),
        user_money=_sums(money, user, len(user_ids)),
        item_money=_sums(money, item, len(item_ids)),
        basket=basket_rows // stride,
        basket_item=basket_rows % stride,
    )


def item_groups(items: pd.DataFrame) -> dict[str, str]:
    """The group `department|category|subcategory` of each item, ids sorted."""
    if len(items) == 0:
        return {}
    parts = [
        items[column].astype("object").where(items[column].notna(), "").astype(str)
        for column in GROUP_COLUMNS
        if column in items
    ]
    if len(parts) < len(GROUP_COLUMNS):
        return dict.fromkeys(sorted(items["item_id"].astype(str)), UNKNOWN_GROUP)
    names = parts[0] + "|" + parts[1] + "|" + parts[2]
    return dict(sorted(zip(items["item_id"].astype(str), names, strict=True)))


def _baskets(rows: pd.DataFrame, user: NDArray[np.intp]) -> Ints:
    """The number of each row's basket."""
    name = pd.Series(user.astype(str), rows.index) + " "  # no session has a name like this
    if "session_id" in rows:
        name = rows["session_id"].astype(object).where(rows["session_id"].notna(), name)
    return pd.factorize(name, sort=True)[0].astype(np.int64)


def _last_channels(rows: pd.DataFrame, user: NDArray[np.intp], users: int) -> list[str]:
    last = [WHOLE_SHOP] * users
    if "channel" in rows:
        by_time = np.arange(len(rows))
        if "event_time" in rows:
            # Of events at one time the channel that sorts last: the order of rows does not matter.
            by_time = np.lexsort(
                (rows["channel"].fillna("").to_numpy(str), rows["event_time"].to_numpy())
            )
        names = rows["channel"].astype(object).where(rows["channel"].notna(), WHOLE_SHOP)
        for place, name in zip(user[by_time], names.to_numpy()[by_time], strict=True):
            last[place] = str(name)
    return last


def _money(rows: pd.DataFrame) -> NDArray[np.float64]:
    """What discounts saved and what was paid without them, (n, 2), zero where not known."""
    if not {"price", "quantity", "discount"} <= set(rows.columns):
        return np.zeros((len(rows), 2))
    saved = rows["discount"].fillna(0).to_numpy(float)
    paid = (rows["price"] * rows["quantity"]).fillna(0).to_numpy(float)
    return np.stack([saved, paid + saved], axis=1)


def _sums(money: NDArray[np.float64], place: NDArray[np.intp], size: int) -> Floats:
    order = np.lexsort((money[:, 1], money[:, 0], place))  # sums do not depend on the rows' order
    columns = [
        np.bincount(place[order], weights=column[order], minlength=size) for column in money.T
    ]
    return np.stack(columns, axis=1).astype(np.float32)

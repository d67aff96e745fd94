"""What was bought on a day, and what is known of the day's new items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.vocabulary import UNKNOWN_GROUP

GROUP_COLUMNS = ("department", "category", "subcategory")


@dataclass(frozen=True)
class Purchases:
    """The distinct (user, item) purchases of a day, sorted: positions in two lists of ids."""

    user_ids: list[str]
    item_ids: list[str]
    user: NDArray[np.int64]
    item: NDArray[np.int64]


def purchases(events: pd.DataFrame) -> Purchases:
    """Purchases among canonical events: a user, an item, and a quantity above zero."""
    wanted = (
        (events["event_type"] == "purchase").to_numpy(bool)
        & (events["quantity"] > 0).to_numpy(bool)
        & events["item_id"].notna().to_numpy(bool)
    )
    user, user_ids = pd.factorize(events["user_id"][wanted], sort=True)
    item, item_ids = pd.factorize(events["item_id"][wanted], sort=True)
    pairs = np.unique(user.astype(np.int64) * max(len(item_ids), 1) + item)
    return Purchases(
        user_ids=np.asarray(user_ids, object).tolist(),
        item_ids=np.asarray(item_ids, object).tolist(),
        user=pairs // max(len(item_ids), 1),
        item=pairs % max(len(item_ids), 1),
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

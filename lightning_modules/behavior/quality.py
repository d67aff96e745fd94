"""How well a user's day was foretold, unit by unit."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.views import UNKNOWN

SMALLEST = 1e-6
SHORT_LIST = 10

Floats = NDArray[np.float64]


def unit_quality(
    units: UserDays, scores: NDArray[np.float32], category: NDArray[np.int32]
) -> pd.DataFrame:
    """One row per unit; `category` is the vocabulary row of each judged column (C,).

    `log_loss` and `brier` are of purchases on the day, means over the categories. `log_loss_7` is
    that of the rows whose seven days end today by these scores, and `served_log_loss_7` that of
    all categories by what was served when the seven days began: the honest one, as it cannot
    know the days since. `next_category_hit@10` says whether the day's first event was in one of
    the ten likeliest categories; `next_type_log_loss` and `next_query_log_loss` are of the type
    of that event and of the first query's terms. NaN is what a unit has nothing of.
    """
    views, unit = units.views, units.unit
    table = pd.DataFrame({"unit": units.unit_ids.astype(str)})
    new = views.buy_1 != UNKNOWN
    chance, label = scores[:, 0].astype(np.float64), views.buy_1.astype(np.float64)
    table["log_loss"] = _means(unit[new], _log_loss(chance[new], label[new]), len(units))
    table["brier"] = _means(unit[new], (chance[new] - label[new]) ** 2, len(units))
    ripe = views.buy_7 != UNKNOWN
    late = _log_loss(scores[ripe, 1].astype(np.float64), views.buy_7[ripe].astype(np.float64))
    weight = 1 / views.share[ripe].astype(np.float64)
    table["log_loss_7"] = _means(unit[ripe], late, len(units), weight)
    table["served_log_loss_7"] = _served(units)
    table["next_category_hit@10"] = category_hits(units, scores[:, 2], category)
    first = (np.cumsum(views.rows, dtype=np.int64) - views.rows)[units.todays() & (views.rows > 0)]
    for column, name in ((3, "next_type_log_loss"), (4, "next_query_log_loss")):
        table[name] = np.nan
        table.loc[unit[first], name] = scores[first, column].astype(np.float64)
    return table


def _log_loss(chance: Floats, label: Floats) -> Floats:
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    found: Floats = -np.where(label > 0, np.log(chance), np.log1p(-chance))
    return found


def _means(
    unit: NDArray[np.int64], values: Floats, units: int, weight: Floats | None = None
) -> Floats:
    """The mean of each unit's values (L,), NaN where it has none."""
    weight = np.ones(len(values)) if weight is None else weight
    count = np.bincount(unit, weights=weight, minlength=units)
    total = np.bincount(unit, weights=values * weight, minlength=units)
    found: Floats = np.divide(total, count, out=np.full(units, np.nan), where=count > 0)
    return found


def _served(units: UserDays) -> Floats:
    found = np.full(len(units), np.nan)
    if units.served.shape[1]:
        known = ~np.isnan(units.served).any(axis=1)
        chance, label = units.served[known].astype(np.float64), units.bought[known]
        found[known] = _log_loss(chance, label.astype(np.float64)).mean(axis=1)
    return found


def category_hits(
    units: UserDays, chance: NDArray[np.float32], category: NDArray[np.int32]
) -> Floats:
    """1, 0 or NaN for each unit (L,); NaN too where some categories are not there to rank."""
    views, kinds = units.views, len(category)
    found = np.full(len(units), np.nan)
    judged = units.todays() & (views.next_category[:, 0] > 0) & (views.rows == kinds)
    starts = (np.cumsum(views.rows, dtype=np.int64) - views.rows)[judged]
    block = chance[starts[:, None] + np.arange(kinds)]
    best = np.argsort(-block, axis=1, kind="stable")[:, :SHORT_LIST]
    hit = (category[best] == views.next_category[judged, :1]).any(axis=1)
    found[units.unit_of_view[judged]] = hit
    return found

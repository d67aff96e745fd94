"""A price for each item: what the log supports, what may be moved in a day, what shows a gain."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Prices (n, P) of the n items, in their order -> mean units a day (n, P) and the standard
# deviation of that mean (n, P): the doubt about the demand, not the noise of sales around it.
Demand = Callable[[Numbers], tuple[Numbers, Numbers]]
# Prices (n, P) of the same items -> whether each has been tried often enough to be asked about.
Tried = Callable[[Numbers], Mask]

NEEDED = ("item_id", "price", "low", "high", "cost", "levels", "days")


@dataclass(frozen=True)
class Limits:
    """How far and how boldly prices are moved.

    Attributes:
        objective: What is maximised: "revenue" or, where the cost is known, "profit".
        max_daily_change: The largest change in a day, as a share of the price now.
        caution: A proposal must gain after this many of the gain's standard deviations are taken
            off. 0 maximises the expectation.
        shared_doubt: The correlation of the doubts at two prices of an item, from 0, the careful
            choice, up to 1. Doubt about how many come at all is shared, doubt about what the price
            does to them is not.
        grid: The number of prices tried for an item.
        min_levels: The number of price levels that the log must have tried of an item.
        min_days: The number of days for which an item must have had a price.
        interval: The coverage of the interval of units and of the objective.
    """

    objective: Literal["revenue", "profit"] = "revenue"
    max_daily_change: float = 0.1
    caution: float = 1.0
    shared_doubt: float = 0.0
    grid: int = 21
    min_levels: int = 2
    min_days: int = 56
    interval: float = 0.8

    def __post_init__(self) -> None:
        if self.objective not in ("revenue", "profit"):
            raise ValueError(f"objective is {self.objective!r}: revenue or profit")
        if not 0 <= self.max_daily_change < 1:
            raise ValueError(f"max_daily_change is {self.max_daily_change}: a share below 1")
        if not (self.caution >= 0 and 0 <= self.shared_doubt <= 1 and 0 < self.interval < 1):
            raise ValueError("caution is at least 0, shared_doubt and interval are shares")
        if self.grid < 2 or self.min_levels < 2:
            raise ValueError("a choice needs a grid and min_levels of two prices at least")


def propose(
    items: pd.DataFrame,
    demand_at: Demand,
    limits: Limits | None = None,
    *,
    tried: Tried | None = None,
) -> pd.DataFrame:
    """The price table: one row for each item, with the price now, the one proposed, and why.

    Of the whole cents inside [low, high], not below cost and within the daily change, the price
    with the highest lower bound of its gain over the price now; the price now where no bound is
    above zero. Demand is what the model believes: judge a table by `price_log` before it acts.

    Args:
        items: `item_id`; `price` now; `low`, `high`, `levels` and `days` of the prices tried (see
            `price_log.supported_range`); `cost` of a unit, NaN where unknown.
        demand_at: See `Demand`. The first column of the prices asked is the price now.
        limits: See `Limits`.
        tried: Leaves out prices inside the range that the log does not support, such as those in
            a gap between a usual and a sale price (see `price_log.tried`). None: all may be.

    Returns:
        `item_id`, `price`, `proposed`, `low`, `high`; mean `units` a day at the proposed price,
        and the objective under its name (money a day), each with `_low` and `_high`; `gain`, the
        objective's mean over that at the price now; `why`. NaN where nothing is known.

    Raises:
        ValueError: A column is missing, or the demand has another shape or a negative deviation.
    """
    limits = limits or Limits()
    if missing := [name for name in NEEDED if name not in items]:
        raise ValueError(f"the items have no column {missing[0]!r}: propose needs {NEEDED}")
    now, cost = _column(items, "price"), _column(items, "cost")
    low, high = allowed_range(items, limits.max_daily_change)
    prices, allowed = candidates(now, low, high, limits.grid)
    if tried is not None:
        allowed[:, 1:] &= tried(prices[:, 1:])
    mean, doubt = _demand(demand_at, prices)
    known = np.isfinite(mean + doubt).all(axis=1)
    margin = prices - cost[:, None] if limits.objective == "profit" else prices
    value, spread = margin * mean, np.abs(margin) * doubt
    refused = _refusals(items, allowed, np.asarray(known), limits)
    score = _gain_low(value, spread, limits)
    score[~allowed | (refused != "")[:, None]] = -np.inf
    score[:, 0] = 0.0
    best = score.argmax(axis=1)  # the first of equals: the price now before any other

    def chosen(table: Numbers) -> Numbers:
        return np.take_along_axis(table, best[:, None], axis=1)[:, 0]

    reach = NormalDist().inv_cdf((1 + limits.interval) / 2)
    units, units_doubt = chosen(mean), reach * chosen(doubt)
    money, money_doubt = chosen(value), reach * chosen(spread)
    table = pd.DataFrame(
        {
            "item_id": items["item_id"].to_numpy(),
            "price": now,
            "proposed": chosen(prices),
            "low": _column(items, "low"),
            "high": _column(items, "high"),
            "units": units,
            "units_low": np.maximum(units - units_doubt, 0.0),
            "units_high": units + units_doubt,
            limits.objective: money,
            f"{limits.objective}_low": money - money_doubt,
            f"{limits.objective}_high": money + money_doubt,
            "gain": money - value[:, 0],
        }
    )
    reasons = _reasons(table, chosen(score), refused, limits)
    return table.assign(why=np.where(chosen(prices) < cost, reasons + "; below cost", reasons))


def allowed_range(items: pd.DataFrame, max_daily_change: float) -> tuple[Numbers, Numbers]:
    """The lowest and the highest price allowed (n,) each; the lowest may be above the highest."""
    now, cost = _column(items, "price"), _column(items, "cost")
    floor = np.where(np.isnan(cost), -np.inf, cost)
    low = np.maximum(np.maximum(_column(items, "low"), floor), now * (1 - max_daily_change))
    return low, np.minimum(_column(items, "high"), now * (1 + max_daily_change))


def candidates(now: Numbers, low: Numbers, high: Numbers, grid: int) -> tuple[Numbers, Mask]:
    """Prices to try (n, 1 + grid) and which of them may be charged, both with the price now first.

    Evenly spread whole cents; the ends of a range are not rounded out of it. The price now stands
    in wherever there is no other, and can always be kept.
    """
    with np.errstate(invalid="ignore"):
        least, most = np.ceil(low * 100 - 1e-9), np.floor(high * 100 + 1e-9)
    steps = np.linspace(0, 1, grid)
    cents = np.round(least[:, None] + steps * (most - least)[:, None])
    prices = cents / 100
    # Compared again as they are: a price must hold its limits to the last bit.
    allowed = (prices >= low[:, None]) & (prices <= high[:, None])
    prices = np.where(allowed, prices, now[:, None])
    keep = np.ones((len(now), 1), bool)
    return np.column_stack([now, prices]), np.column_stack([keep, allowed])


def _gain_low(value: Numbers, spread: Numbers, limits: Limits) -> Numbers:
    """The lower bound of each price's gain over the first one, (n, P)."""
    own, there = spread, spread[:, :1]
    variance = own**2 + there**2 - 2 * limits.shared_doubt * own * there
    deviation = np.sqrt(np.maximum(variance, 0.0))
    low: Numbers = value - value[:, :1] - limits.caution * deviation
    return np.where(np.isnan(low), -np.inf, low)


def _refusals(items: pd.DataFrame, allowed: Mask, known: Mask, limits: Limits) -> NDArray[np.str_]:
    """Why an item's price is not touched, (n,); empty where it may be. The first reason counts."""
    now, cost = _column(items, "price"), _column(items, "cost")
    levels, days = _column(items, "levels"), _column(items, "days")
    floor = f"cost unknown: {limits.objective} cannot be told"
    cases = [
        (~(now > 0) | np.isinf(now), "no price now"),
        (~(days >= limits.min_days), f"history too short: fewer than {limits.min_days} days"),
        (~(levels >= limits.min_levels), f"fewer than {limits.min_levels} prices tried"),
        (np.isnan(cost) & (limits.objective == "profit"), floor),
        (~known, "no forecast of demand"),
        (
            ~allowed[:, 1:].any(axis=1),
            "no price in the range tried, above cost, within a day's change",
        ),
    ]
    return np.select([case for case, _ in cases], [text for _, text in cases], default="")


def _reasons(
    table: pd.DataFrame, gain_low: Numbers, refused: NDArray[np.str_], limits: Limits
) -> NDArray[np.object_]:
    change = table["proposed"] / table["price"] - 1
    rows = zip(refused, change, table["gain"], gain_low, strict=True)
    reasons = [
        str(text) or (_moved(step, gain, low, limits.objective) if step else "no gain shown")
        for text, step, gain, low in rows
    ]
    return np.array(reasons, dtype=object)


def _moved(step: float, gain: float, low: float, objective: str) -> str:
    verb = "raise" if step > 0 else "lower"
    return f"{verb} {abs(step):.1%}: {gain:+.2f} {objective} a day, {low:+.2f} with caution"


def _demand(demand_at: Demand, prices: Numbers) -> tuple[Numbers, Numbers]:
    mean, doubt = (np.asarray(part, np.float64) for part in demand_at(prices))
    if mean.shape != prices.shape or doubt.shape != prices.shape:
        raise ValueError(f"demand has shape {mean.shape} and {doubt.shape}, not {prices.shape}")
    if (doubt < 0).any() or (mean < 0).any():
        raise ValueError("demand or its standard deviation is below zero")
    return mean, doubt


def _column(items: pd.DataFrame, name: str) -> Numbers:
    return items[name].to_numpy(np.float64, na_value=np.nan)

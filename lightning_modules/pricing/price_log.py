"""The past prices of items, read as the log of a policy that chose among price levels.

Nobody drew these prices by lot. The propensities here are estimates, shares of days, and price
moves together with display, mailer and season: days at a low price are promotion days. What is
estimated from such a log is what goes with a price, not what it causes. It can show that a price
table has no support or no gain; only a trial with prices drawn by lot can show that it has one.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.pricing.judgement import Judgement, Rules, judge
from lightning_modules.pricing.off_policy import Logged, Numbers
from lightning_modules.pricing.strategy import Demand, Mask, Tried

Whole = NDArray[np.int64]

NO_LEVEL = np.iinfo(np.int64).max  # fills up the levels of an item that has fewer than others


@dataclass(frozen=True)
class PriceLog:
    """Item-days (n,) as a log of price levels, and the levels of each of the m items.

    A level is a price's distance from the item's median price in steps of a constant ratio. An
    item's actions 0, 1, ... are its own levels, lowest first; the last of the A actions is every
    price that it has never had.

    Attributes:
        logged: Action, reward, estimated policy; the unit is the item.
        item: The item of each row, (n,), from 0 to m - 1.
        reference: Median price of each item, (m,); NaN without history.
        levels: The level of each action, (m, A), `NO_LEVEL` where it is none.
        prices: Mean price at each level, (m, A), NaN where it is none.
        days: Days at each level, (m, A).
        cost: What was taken off a unit's price for the reward, (m,): nothing for revenue.
        step: The ratio of neighbouring levels, less one.
    """

    logged: Logged
    item: Whole
    reference: Numbers
    levels: Whole
    prices: Numbers
    days: Whole
    cost: Numbers
    step: float


def read_prices(
    history: pd.DataFrame, items: pd.DataFrame, *, objective: str = "revenue", step: float = 0.05
) -> PriceLog:
    """The log of the items' past prices.

    The propensity of a level is its share of the item's days, with nothing added: a level never
    seen has no support. Propensities counted in the log itself make the errors of importance
    weighting, if anything, too large (Hirano, Imbens & Ridder 2003).

    Args:
        history: One row for each item and day with a price: `item_id`, `price`, `units`. Days
            without a price above zero and items not among `items` are left out.
        items: `item_id`, each once, in the order of everything by item here, and `cost`.
        objective: "revenue", price times units, or "profit", with the cost taken off the price.
        step: Width of a level, as a share of the price.
    """
    item = pd.Index(items["item_id"]).get_indexer(pd.Index(history["item_id"]))
    price = history["price"].to_numpy(np.float64, na_value=np.nan)
    keep = (item >= 0) & (price > 0) & np.isfinite(price)
    item, price = item[keep].astype(np.int64), price[keep]
    units = history["units"].to_numpy(np.float64, na_value=np.nan)[keep]
    cost = np.zeros(len(items))
    if objective == "profit":
        cost = items["cost"].to_numpy(np.float64, na_value=np.nan)
    reference = np.full(len(items), np.nan)
    medians = pd.Series(price).groupby(item).median()
    reference[medians.index.to_numpy(np.int64)] = medians.to_numpy()
    level = _level(price, reference[item], step)
    distinct, pair = np.unique(np.column_stack([item, level]), axis=0, return_inverse=True)
    owner = distinct[:, 0]
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    shape = (len(items), int(place.max(initial=-1)) + 2)
    levels = np.full(shape, NO_LEVEL)
    levels[owner, place] = distinct[:, 1]
    action = place[pair.reshape(-1)]
    days, spent = np.zeros(shape, np.int64), np.zeros(shape)
    np.add.at(days, (item, action), 1)
    np.add.at(spent, (item, action), price)
    policy = (days / np.maximum(days.sum(axis=1, keepdims=True), 1))[item]
    propensity = np.take_along_axis(policy, action[:, None], axis=1)[:, 0]
    unit = np.unique(item, return_inverse=True)[1].astype(np.int64)
    return PriceLog(
        logged=Logged(action, (price - cost[item]) * units, propensity, policy, unit),
        item=item,
        reference=reference,
        levels=levels,
        prices=np.divide(spent, days, out=np.full(shape, np.nan), where=days > 0),
        days=days,
        cost=cost,
        step=step,
    )


def supported_range(log: PriceLog, min_days_at_price: int) -> pd.DataFrame:
    """What `strategy.propose` asks of each item's past (m rows), item by item.

    `low` and `high` are the mean prices of the lowest and the highest level with at least
    `min_days_at_price` days, `levels` the number of such levels, `days` those with any price.
    """
    enough = log.days >= min_days_at_price
    none = ~enough.any(axis=1)
    low = np.where(enough, log.prices, np.inf).min(axis=1)
    high = np.where(enough, log.prices, -np.inf).max(axis=1)
    return pd.DataFrame(
        {
            "low": np.where(none, np.nan, low),
            "high": np.where(none, np.nan, high),
            "levels": enough.sum(axis=1),
            "days": log.days.sum(axis=1),
        }
    )


def tried(log: PriceLog, rules: Rules, min_days_at_price: int) -> Tried:
    """Which prices (m, P) are at a level tried often enough for `judge` to speak of it."""

    def enough(prices: Numbers) -> Mask:
        action = actions_of(log, prices)
        days = np.take_along_axis(log.days, action, axis=1)
        share = days / np.maximum(log.days.sum(axis=1, keepdims=True), 1)
        mask: Mask = (days >= max(min_days_at_price, 1)) & (share >= rules.floor)
        return mask

    return enough


def actions_of(log: PriceLog, prices: Numbers) -> Whole:
    """The action of each of an item's prices, (m, P); the last action where it has never been."""
    level = _level(prices, log.reference[:, None], log.step)
    found = log.levels[:, None, :] == level[:, :, None]
    found &= (level != NO_LEVEL)[:, :, None]
    found[:, :, -1] = True
    return np.asarray(found.argmax(axis=2), np.int64)


def judge_table(
    log: PriceLog, table: pd.DataFrame, rules: Rules, demand_at: Demand | None = None
) -> Judgement:
    """Would the table's new prices have earned no less than the prices of the log?

    Only items whose price the table changes are judged: the others go on as they did. The log
    should hold item-days that taught the demand model nothing, such as the held-out ones. With
    propensities counted in the log, one price for an item and a model that knows no days, the
    three estimates are the same number, unless support is missing.

    Args:
        log: The past of the table's items, in the table's order.
        table: What `strategy.propose` returned.
        rules: See `Rules`; "dr" needs `demand_at`.
        demand_at: The demand model of `strategy.propose`, for the doubly robust estimate.
    """
    changed = (table["proposed"] != table["price"]).to_numpy(bool)
    if len(table) != len(log.reference):
        raise ValueError(f"the table has {len(table)} items, the log {len(log.reference)}")
    if not changed.any():
        return Judgement(passed=False, why="no price is changed: nothing to promote")
    unknown = int((changed & (log.days.sum(axis=1) == 0)).sum())
    if unknown:
        return Judgement(passed=False, why=f"no support: {unknown} changed items have no history")
    action = actions_of(log, table[["proposed"]].to_numpy(np.float64))[:, 0]
    rows = changed[log.item]
    item = log.item[rows]
    target = np.eye(log.days.shape[1])[action[item]]
    q_hat = None
    if demand_at is not None:
        prices = np.where(np.isnan(log.prices), table[["proposed"]].to_numpy(), log.prices)
        q_hat = ((prices - log.cost[:, None]) * demand_at(prices)[0])[item]
    past = log.logged
    changed_only = Logged(
        action=past.action[rows],
        reward=past.reward[rows],
        propensity=past.propensity[rows],
        policy=None if past.policy is None else past.policy[rows],
        unit=np.unique(item, return_inverse=True)[1].astype(np.int64),
    )
    return judge(changed_only, target, rules, q_hat)


def _level(prices: Numbers, reference: Numbers, step: float) -> Whole:
    """Steps from the reference; `NO_LEVEL` without a price or a reference."""
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.rint(np.log(prices / reference) / np.log1p(step))
    level = np.full(steps.shape, NO_LEVEL)
    known = np.isfinite(steps)
    level[known] = steps[known].astype(np.int64)
    return level

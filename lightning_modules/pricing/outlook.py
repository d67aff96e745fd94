"""The day ahead: expected demand with elasticities, price forecasts, a price table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.pricing.days import (
    Known,
    day_number,
    shelf_of,
    tracked_on,
    units_of_day,
)
from lightning_modules.pricing.features import RATIO
from lightning_modules.pricing.item_days import COLUMN, TODAY, ItemDays
from lightning_modules.pricing.judgement import Rules
from lightning_modules.pricing.offers import FOREVER
from lightning_modules.pricing.price_log import (
    judge_table,
    read_prices,
    supported_range,
    tried,
)
from lightning_modules.pricing.scoring import curves, elasticities
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.strategy import Limits, propose
from lightning_modules.pricing.tower import Shape

INTERVAL = 0.8
USUAL_DISPERSION = 1.5  # of units around their mean, and the units that it is worth
USUAL_WORTH = 30.0

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Outlook:
    """A day's units as the parameters see them: `outputs` (L, OUTPUTS), prices and misses (L,).

    `day` counts since 1970, `until` is the last day of each price, `cost` (L,) that of a unit,
    NaN where unknown, `error` (L, 2) the faded squared miss and mean.
    """

    day: int
    examples: ItemDays
    outputs: Floats
    price: Floats
    until: NDArray[np.int32]
    cost: Floats
    error: Floats
    parameters: Parameters
    shape: Shape

    def demand_at(
        self, prices: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean units today at other prices (L, P), and the standard deviation of that mean.

        The deviation is the members' disagreement: doubt about demand, not the noise of sales.
        """
        now = self.examples.features[:, TODAY, RATIO].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = now[:, None] + np.log(prices / self.price[:, None])
        units = curves(self.parameters, self.shape, self.examples, ratios.astype(np.float32))
        return units.mean(axis=0).astype(np.float64), _deviation(units.astype(np.float64))

    def demand(self) -> pd.DataFrame:
        """Per item: price, expected units with an interval of sales, elasticity with one.

        The interval of sales is that of a negative binomial whose variance is as many times its
        mean as past forecasts were off. An elasticity's is of the ensemble, by Student's t.
        """
        from scipy import stats

        mean = np.maximum(self.outputs[:, COLUMN["units"]].astype(np.float64), 1e-3)
        miss, expected = self.error.astype(np.float64).T
        dispersion = (miss + USUAL_WORTH * USUAL_DISPERSION) / (expected + USUAL_WORTH)
        dispersion = np.maximum(dispersion, 1.01)
        spread = stats.nbinom(mean / (dispersion - 1), 1 / dispersion)
        slopes = elasticities(self.parameters, self.shape, self.examples)
        reach = stats.t.ppf((1 + INTERVAL) / 2, max(len(slopes) - 1, 1))
        doubt = reach * _deviation(slopes.astype(np.float64))
        return pd.DataFrame(
            {
                "item_id": self.examples.item_ids,
                "price": self.price,
                "units": mean,
                "units_low": spread.ppf((1 - INTERVAL) / 2),
                "units_high": spread.ppf((1 + INTERVAL) / 2),
                "elasticity_low": slopes.mean(axis=0) - doubt,
                "elasticity": slopes.mean(axis=0),
                "elasticity_high": np.minimum(slopes.mean(axis=0) + doubt, 0),
            }
        )

    def price_forecast(self) -> pd.DataFrame:
        """Per item and horizon (days): 10%, 50% and 90% quantiles of the price, chance of change.

        A price that the shop has posted through that day is known; one posted without a last
        day may change on any.
        """
        parts = []
        for horizon in (1, 7):
            known = (self.until >= self.day + horizon) & (self.until != FOREVER)
            names = [f"{name}_{horizon}" for name in ("low", "median", "high", "chance")]
            low, median, high, chance = (self.outputs[:, COLUMN[name]] for name in names)
            moves = [np.where(known, 0, move) for move in (low, median, high)]
            prices = [self.price * np.exp(move) for move in moves]
            columns = zip(("low", "median", "high"), prices, strict=True)
            parts.append(
                pd.DataFrame(
                    {
                        "item_id": self.examples.item_ids,
                        "price": self.price,
                        "horizon": horizon,
                        **dict(columns),
                        "chance_of_change": np.where(known, 0, chance),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def price_table(self, history: pd.DataFrame, settings: Settings) -> pd.DataFrame:
        """What to charge, see `strategy.propose`; and whether the table may be used.

        The newest `judged_days` of the history support no proposal: on them the table is judged
        off-policy, as a whole. `promoted` says whether it passed, `verdict` why. A price must have
        been charged in both parts to be proposed: what it earned then plays no role. The demand
        model has learned from the judged days too, which flatters it: a refusal is sure, a pass
        is not proof.
        """
        limits, least = Limits(**settings.strategy), settings.min_days_at_price
        rules = Rules(**settings.judge)
        items = pd.DataFrame({"item_id": self.examples.item_ids, "cost": self.cost})
        held_out = history["age"] < settings.judged_days
        log, judged = (
            read_prices(part, items, objective=limits.objective)
            for part in (history[~held_out], history[held_out])
        )
        asked = pd.concat([items.assign(price=self.price), supported_range(log, least)], axis=1)
        before, lately = tried(log, rules, least), tried(judged, rules, 1)
        table = propose(
            asked, self.demand_at, limits, tried=lambda prices: before(prices) & lately(prices)
        )
        judgement = judge_table(judged, table, rules, self.demand_at)
        return table.assign(promoted=judgement.passed, verdict=judgement.why)


def look_ahead(
    known: Known,
    parameters: Parameters,
    shape: Shape,
    scores: Callable[[ItemDays], Floats],
    day: date,
    prices: pd.DataFrame | None,
) -> Outlook:
    """The outlook of a day, with the offers `prices` that are known to begin on it."""
    ahead = day_ahead(day, prices)
    examples = units_of_day(known, ahead, ahead=True)
    rows = tracked_on(known)[examples.item]
    shelf = shelf_of(known, ahead)
    return Outlook(
        day=day_number(day),
        examples=examples,
        outputs=scores(examples)[:, TODAY],
        price=shelf.price[rows],
        until=shelf.until[rows],
        cost=np.where(shelf.cost[rows] > 0, shelf.cost[rows], np.float32(np.nan)),
        error=known.state.watched.error[rows],
        parameters=parameters,
        shape=shape,
    )


def day_ahead(day: date, prices: pd.DataFrame | None = None) -> ShopDay:
    """A day on which nothing has been sold yet, with the offers known to begin on it."""
    events = pd.DataFrame(
        {name: pd.Series(dtype="str") for name in ("event_type", "user_id", "item_id")}
        | {name: pd.Series(dtype="float64") for name in ("quantity", "price")}
    )
    nothing = pd.DataFrame({"item_id": pd.Series(dtype="str")})
    return ShopDay(day, events, nothing, nothing if prices is None else prices)


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over the members; zero for a single one."""
    found: NDArray[np.float64] = values.std(axis=0, ddof=1 if len(values) > 1 else 0)
    return found

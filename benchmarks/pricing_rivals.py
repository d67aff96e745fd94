"""What the pricing champion is measured against, on the same features and rows.

Each learns from every day before the one it forecasts; those that are fitted anew are so every
RETRAIN_DAYS days. A whole week's units are learned when the week is over.
"""

import datetime as dt
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.features import BASE, DAYS_LEFT, FEATURES, FLOOR, RATIO
from lightning_modules.pricing.item_days import REST_OF_WEEK, TODAY, WEEK_AGO, ItemDays
from lightning_modules.pricing.learner import PricingLearner

log = logging.getLogger(__name__)

YESTERDAY, WEEK, MEAN = "yesterday", "a week ago", "EWMA of 28 days"
GLM, PANEL = "Poisson GLM every 28 days", "log-log panel every 28 days"
TREES, TREES_FROZEN = "LightGBM every 28 days", "LightGBM frozen"
RETRAIN_DAYS = 28
ROUNDS = {"day": 400, "week": 800}
TREE_RULE = {
    "objective": "poisson",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 1,
    "seed": 1,
    "verbose": -1,
}
LEAST_ROWS = {"day": 100, "week": 50}
PRODUCTS = 500

Floats = NDArray[np.float32]
Rows = tuple[Floats, Floats]


@dataclass
class Rivals:
    """Units of the day and of the rest of the week (n, 2) by method and day, over `ids` by day.

    `chosen` are the products judged: those sold on most household-days before the first day.
    """

    scores: dict[str, dict[dt.date, Floats]] = field(default_factory=dict)
    ids: dict[dt.date, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)

    def add(self, method: str, day: dt.date, units: Floats, rest: Floats) -> None:
        """Note a method's forecasts of a day."""
        found = np.stack([units, rest], axis=1).astype(np.float32)
        self.scores.setdefault(method, {})[day] = found


def rivals(
    days: Iterable[ShopDay],
    first: dt.date,
    last: dt.date,
    *,
    settings: dict[str, Any],
    learn_from: dt.date,
) -> Rivals:
    """Forecast with every rival on each day from `first` to `last`.

    `days` are all of the shop's from the first on, in order; `learn_from` is the first with
    examples, which must be the champion's, as it fixes the products that are tracked first.
    """
    learner, found, fitted = PricingLearner.new(settings), Rivals(), Fitted()
    past: dict[str, list[Rows]] = {"day": [], "week": []}
    for shop_day in days:
        day = shop_day.day
        if day > last:
            break
        units = learner.examples(shop_day) if day >= learn_from else None
        if units is not None and len(units):
            if day >= first:
                found.chosen = found.chosen or most_sold(learner)
                fitted.refit(past, day, found)
                _score(units, day, fitted, found)
            past["day"].append((columns_of(units, TODAY), units.units))
            whole = units.labels[:, WEEK_AGO, REST_OF_WEEK]
            known = np.isfinite(whole)
            past["week"].append((columns_of(units, WEEK_AGO)[known], whole[known]))
        learner.absorb(shop_day, units, None if units is None else np.zeros(len(units), bool))
    return found


def most_sold(learner: PricingLearner) -> set[str]:
    """The PRODUCTS watched items with most household-days so far."""
    state = learner.kept.state
    seen = state.watched.item[np.argsort(-state.seen.days[state.watched.item].astype(np.int64))]
    names = np.array(list(learner.items.row_of), object)
    return set(names[seen[:PRODUCTS]].tolist())


def columns_of(units: ItemDays, slot: int) -> Floats:
    """Features, then the item's and the category's row, of one slot (L, FEATURES + 2)."""
    return np.column_stack([units.features[:, slot], units.item, units.category]).astype(
        np.float32
    )


def _score(units: ItemDays, day: dt.date, fitted: "Fitted", found: Rivals) -> None:
    columns = columns_of(units, TODAY)
    found.ids[day] = units.item_ids.tolist()
    mean = np.maximum(np.exp(columns[:, BASE]) - FLOOR, 0)
    left = np.exp(columns[:, DAYS_LEFT])
    week = np.exp(columns[:, FEATURES.index("sold_7")] + columns[:, BASE]) - FLOOR
    rest = np.maximum(week, 0) * left
    for method, name in ((YESTERDAY, "yesterday"), (WEEK, "week_ago")):
        found.add(method, day, np.expm1(columns[:, FEATURES.index(name)]), rest)
    found.add(MEAN, day, mean, mean * left)
    for method, forecast in fitted.forecasts(columns).items():
        found.add(method, day, forecast, np.full(len(mean), np.nan, np.float32))  # days only
    for method, (units_said, rest_said) in fitted.trees(columns).items():
        found.add(method, day, units_said, rest_said)


class Fitted:
    """The rivals that are fitted: a Poisson GLM, a log-log panel, gradient-boosted trees."""

    def __init__(self) -> None:
        self.since: dt.date | None = None
        self.glm: Any = None
        self.panel: Any = None
        self.bias = 1.0
        self.items = 0
        self.newest: dict[str, Any] = {}
        self.first: dict[str, Any] = {}

    def refit(self, past: dict[str, list[Rows]], day: dt.date, found: Rivals) -> None:
        """Fit on all days before `day`, if the last fit is RETRAIN_DAYS old."""
        if self.since and (day - self.since).days < RETRAIN_DAYS:
            return
        rows = {name: _joined(parts) for name, parts in past.items()}
        fits = ((GLM, self._fit_glm), (PANEL, self._fit_panel), (TREES, self._fit_trees))
        for method, fit in fits:
            began = time.process_time()
            fit(rows)
            spent = time.process_time() - began
            found.seconds[method] = found.seconds.get(method, 0.0) + spent
            log.info("%s: %s fitted in %.0f CPU seconds", day, method, spent)
        if not self.first:
            self.first = dict(self.newest)
            found.seconds[TREES_FROZEN] = found.seconds[TREES]
        self.since = day

    def forecasts(self, columns: Floats) -> dict[str, Floats]:
        """The linear models' units of the day (n,)."""
        units = np.exp(self.panel.predict(self._panel_inputs(columns))) * self.bias - 1
        return {GLM: self.glm.predict(columns[:, :-2]), PANEL: np.maximum(units, 0)}

    def trees(self, columns: Floats) -> dict[str, tuple[Floats, Floats]]:
        """Units of the day and of the rest of the week (n,) by trees, newest and first."""
        return {
            method: (models["day"].predict(columns), models["week"].predict(columns))
            for method, models in ((TREES, self.newest), (TREES_FROZEN, self.first))
        }

    def _fit_glm(self, rows: dict[str, Rows]) -> None:
        from sklearn.linear_model import PoissonRegressor

        columns, units = rows["day"]
        self.glm = PoissonRegressor(alpha=1e-4, max_iter=200).fit(columns[:, :-2], units)

    def _fit_panel(self, rows: dict[str, Rows]) -> None:
        """Fixed effects and a price slope for each item, shrunk (Hoerl & Kennard, 1970).

        Back from logarithms by the smearing estimate (Duan, 1983).
        """
        from sklearn.linear_model import Ridge

        columns, units = rows["day"]
        self.items = int(columns[:, -2].max()) + 1
        inputs, logs = self._panel_inputs(columns), np.log1p(units)
        self.panel = Ridge(alpha=3.0, solver="lsqr", tol=1e-4, max_iter=150).fit(inputs, logs)
        self.bias = float(np.mean(np.exp(logs - self.panel.predict(inputs))))

    def _panel_inputs(self, columns: Floats) -> Any:
        item = columns[:, -2].astype(np.int64)
        known = np.flatnonzero(item < self.items)
        place = (known, item[known])
        shape = (len(columns), self.items)
        own = sparse.csr_matrix((np.ones(len(known)), place), shape=shape)
        slope = sparse.csr_matrix((columns[known, RATIO], place), shape=shape)
        return sparse.hstack([sparse.csr_matrix(columns[:, :-2]), own, slope]).tocsr()

    def _fit_trees(self, rows: dict[str, Rows]) -> None:
        """LightGBM (Ke et al., NeurIPS 2017); rounds were chosen on September 2017."""
        import lightgbm

        for name, (columns, units) in rows.items():
            rule = {**TREE_RULE, "min_data_in_leaf": LEAST_ROWS[name]}
            data = lightgbm.Dataset(columns, units, categorical_feature=[columns.shape[1] - 1])
            self.newest[name] = lightgbm.train(rule, data, ROUNDS[name])


def _joined(parts: list[Rows]) -> Rows:
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])

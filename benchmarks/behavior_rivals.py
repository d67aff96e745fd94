"""What the behavior champion is measured against, on the same features and rows.

Each learns a day's label when it is known: of a purchase within seven days, seven days later.
"""

import datetime as dt
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.behavior_rows import Draw, Outcomes, Sample, by_hash
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.features import FEATURES, USER
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.waiting import HORIZON
from lightning_modules.learner import ShopDay

log = logging.getLogger(__name__)

BASE, FREQUENCY, SGD = "base rate", "frequency", "logistic SGD daily"
TREES, TREES_FROZEN = "LightGBM every 28 days", "LightGBM frozen"
HORIZONS = (1, HORIZON)
ROUNDS, RETRAIN_DAYS = 120, 28
TREE_RULE = {
    "objective": "binary",
    "num_leaves": 63,
    "learning_rate": 0.08,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "seed": 1,
    "verbose": -1,
}
# Every second row for the longer horizon: a user's seven windows say nearly the same.
TREE_STEP = {1: 1, HORIZON: 2}
SOLD_28 = FEATURES.index("sold_28")

Floats = NDArray[np.float32]
Scores = dict[dt.date, Floats]


@dataclass
class Rivals:
    """Scores (n, 2) by method and day, the rows they are of, and training CPU seconds."""

    scores: dict[str, Scores] = field(default_factory=dict)
    rows: dict[dt.date, Sample] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, method: str, day: dt.date, scores: Any) -> None:
        """Note a method's scores of a day."""
        self.scores.setdefault(method, {})[day] = np.asarray(scores, np.float32)

    def spend(self, method: str, seconds: float) -> None:
        """Note what a method's training took."""
        self.seconds[method] = self.seconds.get(method, 0.0) + seconds


@dataclass
class History:
    """Features of the sampled rows by day, and their labels once known."""

    features: dict[dt.date, Floats] = field(default_factory=dict)
    rows: dict[dt.date, Sample] = field(default_factory=dict)
    labels: dict[int, dict[dt.date, NDArray[np.bool_]]] = field(
        default_factory=lambda: {days: {} for days in HORIZONS}
    )

    def learn(self, outcomes: Outcomes, today: dt.date) -> dict[int, dt.date]:
        """Note the labels known by the end of `today`; says of which day they are."""
        found = {}
        for days in HORIZONS:
            begin = today - dt.timedelta(days - 1)
            known = outcomes.within(begin, days, self.rows[begin]) if begin in self.rows else None
            if known is not None:
                self.labels[days][begin] = known
                found[days] = begin
        return found

    def all(self, days: int, step: int = 1) -> tuple[Floats, NDArray[np.bool_]]:
        """Every row with a label of this horizon, or every `step`th of each day."""
        labels = self.labels[days]
        features = [self.features[day][::step] for day in labels]
        return np.concatenate(features), np.concatenate([y[::step] for y in labels.values()])


def rivals(
    days: Iterable[ShopDay],
    first: dt.date,
    last: dt.date,
    *,
    settings: dict[str, Any],
    learn_from: dt.date,
    draw: Draw = by_hash,
) -> Rivals:
    """Score every rival on each day from `first` to `last`, on the rows that `draw` gives.

    `days` are all of the shop's, closed ones too, in order from the first on; `learn_from` is the
    first day with examples, which must be the champion's, as it fixes the judged categories.
    """
    learner, found = BehaviorLearner.new(settings), Rivals()
    history, outcomes, linear = History(), Outcomes(), Linear()
    trees = Trees()
    for shop_day in days:
        day = shop_day.day
        if day > last:
            break
        units = learner.examples(shop_day) if day >= learn_from else None
        if units is not None:
            outcomes.record(day, units)
            if day == first:
                linear.warm_up(history, found)
            if len(units):
                rows = draw(day, units)
                history.rows[day] = rows
                history.features[day] = features_of(units, rows)
                if day >= first:
                    _score(units, rows, day, (history, linear, trees), found)
            for horizon, begin in history.learn(outcomes, day).items():
                if day >= first:
                    linear.learn(history, horizon, begin, found)
            outcomes.forget(day)
        learner.absorb(shop_day, units, None if units is None else np.zeros(len(units), bool))
    return found


def _score(units: UserDays, rows: Sample, day: dt.date, models: Any, found: Rivals) -> None:
    history, linear, trees = models
    views, features = units.views, history.features[day]
    found.rows[day] = rows
    base = views.features[rows.place, SOLD_28].astype(np.float64) ** 2 / 100
    frequency = np.clip(views.frequency[rows.place].astype(np.float64), 0, 1)
    for method, chance in ((BASE, base), (FREQUENCY, frequency)):
        found.add(method, day, np.stack([chance, 1 - (1 - chance) ** HORIZON], axis=1))
    found.add(SGD, day, linear.scores(features))
    trees.retrain(history, day, found)
    for method, scores in trees.scores(features).items():
        found.add(method, day, scores)


def features_of(units: UserDays, rows: Sample) -> Floats:
    """The row's and its user's numbers, and the column of the category last (n, F)."""
    views = units.views
    user = views.inputs[views.view[rows.place], : len(USER)]
    return np.column_stack([views.features[rows.place], user, rows.column]).astype(np.float32)


class Linear:
    """Logistic regression by stochastic gradient descent, a pass over each day as it is known."""

    def __init__(self) -> None:
        from sklearn.linear_model import SGDClassifier

        rule: dict[str, Any] = {"loss": "log_loss", "alpha": 1e-6, "learning_rate": "constant"}
        self.models = {
            days: SGDClassifier(**rule, eta0=0.002, random_state=0) for days in HORIZONS
        }
        self.centre, self.spread = np.zeros(1), np.ones(1)
        self.columns = 0

    def warm_up(self, history: History, found: Rivals) -> None:
        """Fix the scale, and learn all days so far."""
        features, _ = history.all(1, step=7)
        self.columns = int(features[:, -1].max()) + 1
        self.centre, self.spread = features[:, :-1].mean(0), features[:, :-1].std(0) + 1e-3
        for days in HORIZONS:
            for day in history.labels[days]:
                self.learn(history, days, day, found)

    def learn(self, history: History, days: int, day: dt.date, found: Rivals) -> None:
        """One pass over a day's rows."""
        began = time.process_time()
        inputs = self._inputs(history.features[day])
        self.models[days].partial_fit(inputs, history.labels[days][day], classes=[False, True])
        found.spend(SGD, time.process_time() - began)

    def scores(self, features: Floats) -> Floats:
        """Probabilities (n, 2)."""
        inputs = self._inputs(features)
        chances = [self.models[days].predict_proba(inputs)[:, 1] for days in HORIZONS]
        return np.stack(chances, axis=1)

    def _inputs(self, features: Floats) -> Floats:
        scaled = np.clip((features[:, :-1] - self.centre) / self.spread, -6, 6)
        one_hot = np.eye(self.columns, dtype=np.float32)[features[:, -1].astype(np.int64)]
        return np.hstack([scaled.astype(np.float32), one_hot])


class Trees:
    """Gradient-boosted trees (LightGBM, Ke et al., NeurIPS 2017), fitted anew now and then."""

    def __init__(self) -> None:
        self.first: dict[int, Any] = {}
        self.newest: dict[int, Any] = {}
        self.since: dt.date | None = None

    def retrain(self, history: History, day: dt.date, found: Rivals) -> None:
        """Fit on all labels known before `day`, if the last fit is RETRAIN_DAYS old."""
        if self.since and (day - self.since).days < RETRAIN_DAYS:
            return
        import lightgbm

        began = time.process_time()
        for days in HORIZONS:
            features, labels = history.all(days, TREE_STEP[days])
            data = lightgbm.Dataset(features, labels, categorical_feature=[features.shape[1] - 1])
            self.newest[days] = lightgbm.train(TREE_RULE, data, ROUNDS)
        spent = time.process_time() - began
        found.spend(TREES, spent)
        if not self.first:
            self.first = dict(self.newest)
            found.spend(TREES_FROZEN, spent)
        self.since = day
        log.info("%s: trees fitted in %.0f CPU seconds", day, spent)

    def scores(self, features: Floats) -> dict[str, Floats]:
        """Probabilities (n, 2) of both ways."""
        return {
            name: np.stack([models[days].predict(features) for days in HORIZONS], axis=1)
            for name, models in ((TREES, self.newest), (TREES_FROZEN, self.first))
        }

"""How well purchases within a day and a week are foretold, method by method, on the same rows."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from benchmarks.behavior_protocol import protocol_rows
from benchmarks.behavior_rivals import HORIZONS, Rivals, rivals
from benchmarks.behavior_rows import ROWS_A_DAY, Draw, Outcomes, Sample, by_hash
from benchmarks.findings import DifferentRowsError, Finding, day_interval
from benchmarks.regimes import NAIVE, Cost, live_through, shop_days
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.quality import category_hits
from tasks.params import PARAMS, load_params

APPLICATION = "behavior"
CHAMPION = "champion"
RETRAIN_DAYS = 28
SMALLEST = 1e-6
ECE_BINS = 15
NAMES = {1: "next day", 7: "next week"}
MEASURES = ("AUC", "PR-AUC", "log loss")
HIGHER_IS_BETTER = ("AUC", "PR-AUC")
HITS = "hit@10, next category"  # its bar is the naive rival's figure
BARS = {
    ("next day", "AUC"): 0.830,
    ("next day", "PR-AUC"): 0.1055,
    ("next day", "log loss"): 0.0577,
    ("next day", "ECE"): 0.0008,
    ("next week", "AUC"): 0.837,
    ("next week", "PR-AUC"): 0.380,
    ("next week", "ECE"): 0.001,
}

Floats = NDArray[np.floating]
Scores = Mapping[str, NDArray[np.float32]]


def measure_behavior(
    place: Path, first: dt.date, last: dt.date
) -> tuple[list[Finding], Cost, list[str]]:
    """Champion, frozen, retrained and rivals on the workspace's days; see `quality`."""
    section = load_params(place / PARAMS).application(APPLICATION)
    from_then: dict[str, Any] = {
        "settings": section.settings,
        "learn_from": first - dt.timedelta(days=section.bootstrap.days),
    }
    rows = protocol_rows(shop_days(place, last), first, **from_then)
    recorder = Recorder(rows, rows.vocabulary)
    cost = live_through(place, APPLICATION, last, recorder, RETRAIN_DAYS)
    others = rivals(shop_days(place, last), first, last, draw=rows, **from_then)
    recorder.join(others)
    cost.take(others.seconds)
    notes = [
        f"Rows: {ROWS_A_DAY:,} (user, category) pairs a day, the very ones on which the bars were "
        "measured (benchmarks/behavior_protocol.py). The week from a day on is scored on that "
        f"day. Full retrain: every {RETRAIN_DAYS} days, as LightGBM.",
        "The week's calibration is state: frozen and full retrain have the champion's.",
        "hit@10: was the category of a user's first event of the day among the ten likeliest? "
        "The naive rival ranks by the user's own frequency; its figure is the bar.",
    ]
    return recorder.findings(cost.seconds), cost, notes


@dataclass
class Recorder:
    """Keeps the sampled rows of each day with every method's scores, for `regimes`.

    The score of the week from a day on is the one made on that day, before it was learned. `draw`
    chooses the rows; hits are noted if `vocabulary` (C,) has the row of each judged category.
    """

    draw: Draw = by_hash
    vocabulary: NDArray[np.int32] | None = None
    rows: dict[dt.date, Sample] = field(default_factory=dict)
    scores: dict[str, dict[dt.date, NDArray[np.float32]]] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    hits: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)

    def record(self, day: dt.date, examples: UserDays, scores: Scores) -> None:
        """Take the day's examples and what each method says of their rows (N, 2 or more)."""
        self.outcomes.record(day, examples)
        if len(examples) == 0:
            return
        self.rows[day] = rows = self.draw(day, examples)
        for method, found in scores.items():
            self.scores.setdefault(method, {})[day] = found[rows.place, :2]
            if self.vocabulary is not None:
                hits = category_hits(examples, found[:, 2], self.vocabulary)
                self.hits.setdefault(method, []).append(hits[~np.isnan(hits)])

    def join(self, others: Rivals) -> None:
        """Take the rivals' scores; raises DifferentRowsError unless they are of the same rows."""
        for day, rows in self.rows.items():
            if day not in others.rows or not rows.same(others.rows[day]):
                raise DifferentRowsError(
                    f"{day}: the rivals were scored on other users or categories; give them the "
                    "champion's settings and its first day with examples"
                )
        for method, by_day in others.scores.items():
            self.scores[method] = {day: by_day[day] for day in self.rows}

    def findings(self, seconds: Mapping[str, float] | None = None) -> list[Finding]:
        """Every method's figures, means over days (ECE: of all rows); `seconds` of training."""
        found = []
        for place, days in enumerate(HORIZONS):
            labels = {
                day: label
                for day, rows in self.rows.items()
                if (label := self.outcomes.within(day, days, rows)) is not None
            }
            for method, by_day in self.scores.items():
                chances = {day: by_day[day][:, place].astype(np.float64) for day in labels}
                cost = (seconds or {}).get(method)
                found += _of_method(NAMES[days], method, labels, chances, cost)
        return found + self._hits()

    def _hits(self) -> list[Finding]:
        """The share of hits of each method, a mean over days."""
        daily = {
            method: np.array([hits.mean() for hits in of_day if len(hits)])
            for method, of_day in self.hits.items()
            if any(len(hits) for hits in of_day)
        }
        bar = float(daily[NAIVE].mean()) if NAIVE in daily else None
        found: list[Finding] = []
        for method, values in daily.items():
            value, judged = float(values.mean()), bar if method == CHAMPION else None
            found.append(
                Finding(
                    measure=HITS,
                    application=APPLICATION,
                    method=method,
                    value=value,
                    unit="share",
                    interval=day_interval(values),
                    days=len(values),
                    rows=sum(len(hits) for hits in self.hits[method]),
                    bar=judged,
                    met=None if judged is None else value >= judged,
                )
            )
        return found


def measures(label: NDArray[np.bool_], chance: Floats) -> tuple[float, ...]:
    """MEASURES of one day's rows."""
    clipped = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return (
        float(roc_auc_score(label, chance)),
        float(average_precision_score(label, chance)),
        float(log_loss(label, clipped, labels=[False, True])),
    )


def calibration_error(label: NDArray[np.bool_], chance: Floats) -> float:
    """Expected calibration error over ECE_BINS equal parts of the rows, by chance.

    Naeini et al., AAAI 2015; parts of one size, as most chances are small.
    """
    parts = np.array_split(np.argsort(chance, kind="stable"), ECE_BINS)
    gaps = [len(part) * abs(label[part].mean() - chance[part].mean()) for part in parts]
    return float(sum(gaps) / len(label))


def _of_method(
    horizon: str,
    method: str,
    labels: Mapping[dt.date, NDArray[np.bool_]],
    chances: Mapping[dt.date, Floats],
    seconds: float | None,
) -> list[Finding]:
    judged = [day for day, label in labels.items() if label.any() and not label.all()]
    if not judged:
        return []
    daily = np.array([measures(labels[day], chances[day]) for day in judged])
    rows = sum(len(labels[day]) for day in judged)
    error = calibration_error(
        np.concatenate([labels[day] for day in judged]),
        np.concatenate([chances[day] for day in judged]),
    )
    found: list[Finding] = []
    for name, values in [*zip(MEASURES, daily.T, strict=True), ("ECE", np.array([error]))]:
        value = float(values.mean())
        bar = BARS.get((horizon, name)) if method == CHAMPION else None
        higher = name in HIGHER_IS_BETTER
        found.append(
            Finding(
                measure=f"{name}, {horizon}",
                application=APPLICATION,
                method=method,
                value=value,
                unit="nats" if name == "log loss" else "share",
                interval=None if name == "ECE" else day_interval(values),
                days=len(judged),
                rows=rows,
                cpu_seconds=seconds,
                bar=bar,
                met=None if bar is None else (value >= bar if higher else value <= bar),
            )
        )
    return found

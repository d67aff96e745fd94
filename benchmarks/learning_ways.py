"""The ways to learn a day that are compared, and what is measured of each."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.findings import Finding, day_interval
from lightning_modules.parameters import Parameters

APPLICATION, METRIC = "recommendation", "ndcg@20"
BLIND = ", blind"
FROZEN, NAIVE, DEFAULT, RETRAIN = "frozen", "naive", "default", "full retrain"
ENOUGH = 0.995  # of a full retrain's quality
JUMPY = 1.2  # times a full retrain's change from day to day
CHEAP = 0.01  # of a full retrain's rows and CPU


@dataclass(frozen=True)
class Way:
    """Changes of the settings of an increment (None: nothing is learned) and of the first fit."""

    name: str
    update: dict[str, Any] | None
    fit: dict[str, Any] = field(default_factory=dict)
    blind: bool = False
    quick: bool = False

    @property
    def kind(self) -> str:
        """The name without what it sees."""
        return self.name.removesuffix(BLIND)


@dataclass
class Course:
    """What became of one way: its parameters, and what was measured.

    `losses[week, past]` are those, after a week, of the lists of that or a past week that no way
    learns.
    """

    way: Way
    parameters: Parameters
    quality: dict[dt.date, float] = field(default_factory=dict)
    losses: dict[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)
    seconds: float = 0.0
    lists: int = 0


def _ways() -> list[Way]:
    keep: dict[str, dict[str, Any]] = {
        "EWC": {"ewc": 30.0},
        "distillation": {"distill": 0.1},
        "EMA": {"average": 0.98},
        "trust region": {"trust": 0.002},
    }
    every = {**keep["EWC"], **keep["distillation"], **keep["EMA"]}
    embedded = {"learning_rate": 1e-3, "embedding_learning_rate": 3e-3}
    rules: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
        (FROZEN, None, {}),
        (RETRAIN, None, {}),
        (NAIVE, {"replay": 0}, {}),
        (DEFAULT, {}, {}),
        ("ten times the rate", embedded, {}),
        ("ten times the rate, naive", {**embedded, "replay": 0}, {}),
        ("averaged, 4 batches", {"cache": 4, "batch_size": 4}, {}),
        ("asynchronous, 4 in cache", {"rule": "asynchronous", "cache": 4, "batch_size": 4}, {}),
        ("online", {"rule": "online", "tau": 500.0, "learning_rate": 3e-4}, {}),
        ("online, sgd", {"rule": "online", "optimizer": "sgd", "tau": 500.0, **embedded}, {}),
        ("adagrad", {"optimizer": "adagrad", **embedded}, {}),
    ]
    for name, settings in {**keep, "EWC, distillation, EMA": every}.items():
        fit = {"retention": {"ewc": settings["ewc"]}} if "ewc" in settings else {}
        rules.append((name, {"retention": settings}, fit))
        rules.append((f"{name}, no replay", {"retention": settings, "replay": 0}, fit))
    blind = (FROZEN, RETRAIN, NAIVE, DEFAULT, "ten times the rate", "ten times the rate, naive")
    quick = (FROZEN, DEFAULT, "asynchronous, 4 in cache", "EWC, distillation, EMA")
    seeing = [Way(name, update, fit, quick=name in quick) for name, update, fit in rules]
    more = [Way(f"{n}{BLIND}", update, fit, blind=True) for n, update, fit in rules if n in blind]
    return [*seeing, *more]


WAYS = _ways()


def figures(courses: list[Course]) -> list[Finding]:
    """What is measured of each way, beside the full retrain that sees the same."""
    by_name = {course.way.name: course for course in courses}
    found = []
    for course in courses:
        rival = by_name.get(f"{RETRAIN}{BLIND}" if course.way.blind else RETRAIN)
        naive = by_name.get(f"{NAIVE}{BLIND}" if course.way.blind else NAIVE)
        found += _of(course, rival, naive)
    return found


def forgetting(course: Course) -> NDArray[np.float64]:
    """The rise of the loss on each past week's lists, from its own end to the last week's."""
    last = max((week for week, _ in course.losses), default=0)
    return np.array(
        [
            float(np.nanmean(course.losses[last, past] - course.losses[past, past]))
            for past in range(last)
        ]
    )


def jumpiness(course: Course) -> float:
    """Mean absolute change of the quality from one day to the next."""
    return float(np.abs(np.diff(list(course.quality.values()))).mean())


def _of(course: Course, rival: Course | None, naive: Course | None) -> list[Finding]:
    quality = pd.Series(course.quality)
    days, default = len(quality), course.way.kind == DEFAULT and not course.way.blind

    def finding(measure: str, value: float, unit: str, **more: Any) -> Finding:
        return Finding(
            measure=measure, application=APPLICATION, method=course.way.name, value=value,
            unit=unit, days=days, rows=course.lists, **more,
        )  # fmt: skip

    daily = quality.to_numpy()
    found = [finding(METRIC, float(daily.mean()), "share", interval=day_interval(daily))]
    if rival is not None and rival is not course:
        theirs = pd.Series(rival.quality).to_numpy()
        share = float(daily.mean() / theirs.mean())
        interval = day_interval((daily - theirs) / theirs.mean() + 1)
        bar = {"bar": ENOUGH, "met": share >= ENOUGH} if default else {}
        found.append(finding("of full retrain's", share, "share", interval=interval, **bar))
        cost = course.seconds / rival.seconds if rival.seconds else float("nan")
        rows = course.lists / rival.lists if rival.lists else float("nan")
        for measure, value in (
            ("CPU, of full retrain's", cost),
            ("rows, of full retrain's", rows),
        ):
            bar = {"bar": CHEAP, "met": value <= CHEAP} if default else {}
            found.append(finding(measure, value, "share", **bar))
        jumps = jumpiness(course) / jumpiness(rival)
        bar = {"bar": JUMPY, "met": jumps <= JUMPY} if default else {}
        found.append(finding("jumpiness, of full retrain's", jumps, "share", **bar))
    lost = forgetting(course)
    if len(lost) > 1:
        interval = day_interval(lost)
        bar = _forgetting_bar(naive, float(lost.mean()), interval) if default else {}
        found.append(finding("forgetting", float(lost.mean()), "nats", interval=interval, **bar))
    found.append(finding("CPU seconds", course.seconds, "s", cpu_seconds=course.seconds))
    return found


def _forgetting_bar(
    naive: Course | None, lost: float, interval: tuple[float, float]
) -> dict[str, Any]:
    """At most half of naive's where that is surely above zero, else not surely above zero."""
    if naive is None:
        return {}
    theirs = forgetting(naive)
    if day_interval(theirs)[0] > 0:
        bar = float(theirs.mean()) / 2
        return {"bar": bar, "met": lost <= bar}
    return {"bar": 0.0, "met": interval[0] <= 0}

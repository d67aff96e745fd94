"""What is measured of each way to learn, beside the full retrain on the same days."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import findings
from benchmarks.findings import Finding, day_interval
from benchmarks.learning_shops import Shop
from benchmarks.learning_ways import DEFAULT, NAIVE, RETRAIN, Course

ENOUGH = 0.995  # of a full retrain's quality
JUMPY = 1.2  # times a full retrain's change from day to day
CHEAP = 0.01  # of a full retrain's rows and CPU
BACK = 0.95  # of a full retrain's quality: a way that has recovered
IN_DAYS = 3
SETTLED = 7  # days at the end of a taste, by which a full retrain has learned it
OF_RETRAIN = "of full retrain's"


def figures(courses: list[Course], shop: Shop) -> list[Finding]:
    """All measures of all ways, courses of several seeds as one."""
    ways = {course.way.name: [] for course in courses}  # type: dict[str, list[Course]]
    for course in courses:
        ways[course.way.name].append(course)
    found = []
    for group in ways.values():
        found += _of(group, ways[RETRAIN], ways[NAIVE], shop)
    return found


def quality(group: Sequence[Course]) -> "pd.Series[float]":
    """Mean over the seeds of each day's quality."""
    return pd.DataFrame([course.quality for course in group]).mean()


def forgetting(group: Sequence[Course]) -> NDArray[np.float64]:
    """The rise of the loss on each past week's units, from its own end to the last week's."""
    last = max((week for week, _ in group[0].losses), default=0)
    return np.array(
        [
            np.mean([_mean(c.losses[last, past] - c.losses[past, past]) for c in group])
            for past in range(last)
        ]
    )


def _mean(values: NDArray[np.float32]) -> float:
    return float(np.nanmean(values))


def jumpiness(group: Sequence[Course]) -> float:
    """Mean absolute change of the quality from one day to the next, a mean over the seeds."""
    changes = [np.abs(np.diff(list(course.quality.values()))).mean() for course in group]
    return float(np.mean(changes))


def recovery(ours: "pd.Series[float]", wanted: "pd.Series[float]") -> float:
    """Days from a drift, the first of these, until the quality is BACK twice in a row.

    0 is a quality that was BACK on the day of the drift itself, before anything was learned of it;
    their number is one that never was.
    """
    back = (ours >= BACK * wanted).to_numpy()
    twice = np.flatnonzero(back[:-1] & back[1:])
    return float(twice[0]) if len(twice) else float(len(ours))


def _of(
    group: list[Course], rival: list[Course], naive: list[Course], shop: Shop
) -> list[Finding]:
    way = group[0].way.name
    main = way == DEFAULT
    daily, theirs = quality(group), quality(rival)

    def finding(measure: str, value: float, unit: str, **more: Any) -> Finding:
        return Finding(
            measure=measure, application=shop.application, method=way, value=value, unit=unit,
            days=len(daily), rows=group[0].visits, **more,
        )  # fmt: skip

    level = finding(shop.learner.metric, float(daily.mean()), "per unit",
                    interval=day_interval(daily.to_numpy()))  # fmt: skip
    found = [level]
    if len(group) > 1:
        spread = np.std([float(quality([course]).mean()) for course in group], ddof=1)
        found.append(finding("spread of seeds", float(spread), "per unit"))
    if way != RETRAIN:
        found += _beside(finding, daily, theirs, main, shop)
        found += _costs(finding, group, rival, main and shop.name == "recommendation")
        jumps = jumpiness(group) / jumpiness(rival)
        bar = {"bar": JUMPY, "met": jumps <= JUMPY} if main else {}
        found.append(finding("jumpiness, of full retrain's", jumps, "ratio", **bar))
    lost = forgetting(group)
    if len(lost):
        bar = _forgetting_bar(lost, forgetting(naive)) if main else {}
        found.append(
            finding("forgetting", float(lost.mean()), "nats", interval=day_interval(lost), **bar)
        )
    if group[0].way.gated:
        promoted = float(np.mean(list(group[0].promoted.values())))
        found.append(finding("nights promoted", promoted, "share"))
    seconds = float(np.mean([course.seconds for course in group]))
    peak = group[0].peak_mb
    found.append(finding("CPU seconds", seconds, "s", cpu_seconds=seconds, peak_mb=peak))
    if peak is not None:
        found.append(finding("peak memory", peak, "MiB", peak_mb=peak))
    return found


def _beside(
    finding: Any, daily: "pd.Series[float]", theirs: "pd.Series[float]", main: bool, shop: Shop
) -> list[Finding]:
    """Quality as a share of the full retrain's (of losses, theirs by ours), and recovery."""
    if shop.learner.higher_is_better:
        share = float(daily.mean() / theirs.mean())
        paired = 1 + (daily - theirs).to_numpy() / float(theirs.mean())
        ours, wanted = daily, theirs
    else:
        share = float(theirs.mean() / daily.mean())
        paired = 1 + (theirs - daily).to_numpy() / float(daily.mean())
        ours, wanted = 1 / daily, 1 / theirs
    bar: dict[str, Any] = {"bar": ENOUGH, "met": share >= ENOUGH} if main else {}
    found = [finding(OF_RETRAIN, share, "share", interval=day_interval(paired), **bar)]
    ends = [*list(shop.drifts.values())[1:], shop.last + dt.timedelta(1)]
    for (name, drift), end in zip(shop.drifts.items(), ends, strict=False):  # none: no drift
        during = [drift <= day < end for day in ours.index]
        days = recovery(ours[during], wanted[during])
        bar = {"bar": IN_DAYS, "met": days <= IN_DAYS} if main and name == "sudden" else {}
        found.append(finding(f"days to recover, {name}", days, "days", **bar))
        settled = pd.Series(float(wanted[during][-SETTLED:].mean()), index=ours[during].index)
        days = recovery(ours[during], settled)
        found.append(finding(f"days to a settled retrain's, {name}", days, "days"))
    return found


def _costs(finding: Any, group: list[Course], rival: list[Course], main: bool) -> list[Finding]:
    found = []
    for measure, ours, theirs in (
        ("CPU", [c.seconds for c in group], [c.seconds for c in rival]),
        ("rows", [c.visits for c in group], [c.visits for c in rival]),
    ):
        share = float(np.mean(ours) / np.mean(theirs)) if np.mean(theirs) else float("nan")
        bar: dict[str, Any] = {"bar": CHEAP, "met": share <= CHEAP} if main else {}
        found.append(finding(f"{measure}, {OF_RETRAIN}", share, "share", **bar))
    return found


def _forgetting_bar(lost: NDArray[np.float64], naive: NDArray[np.float64]) -> dict[str, Any]:
    """At most half of naive's where that is surely above zero, else not surely above zero."""
    if day_interval(naive)[0] > 0:
        bar = float(naive.mean()) / 2
        return {"bar": bar, "met": bool(lost.mean() <= bar)}
    return {"bar": 0.0, "met": bool(day_interval(lost)[0] <= 0)}


def in_words(found: list[Finding]) -> str:
    """Ways down, measures across."""
    frame = pd.DataFrame([(one.method, one.measure, one.value) for one in found])
    wide = frame.pivot_table(index=0, columns=1, values=2, sort=False)
    rows = [
        (str(name), *("" if np.isnan(value) else f"{value:.4f}" for value in row))
        for name, row in wide.iterrows()
    ]
    missed = [
        f"{one.method}: {one.measure} is {one.value:.4f}, bar {one.bar:g}"
        for one in found
        if one.met is False
    ]
    table = findings.markdown(("", *map(str, wide.columns)), rows)
    return f"{table}\n\nMissed: {'; '.join(missed) or 'no bar'}."

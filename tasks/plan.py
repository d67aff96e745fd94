"""Step: how to learn today, and why."""

import datetime as dt
import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tasks import alarms, gate, reference
from tasks.cursor import Cursor, PastDay
from tasks.params import ApplicationParams, Params, PlanParams
from tasks.pins import run_as_stage
from tasks.records import (
    Drift,
    Increment,
    Learn,
    Plan,
    Prequential,
    Signal,
    Start,
    Validation,
)

log = logging.getLogger(__name__)
FILE = "plan.json"
ROWS = "number of rows"
LEAST_LOG_ROWS = 0.05  # least spread of the logarithm: a twentieth more or fewer rows is no news
LEAST_METRIC = 0.01  # and of the metric, as a share of its usual value
HIGHEST_RATE = 0.1  # that UpdateSettings allows


def plan(increment: Increment, params: Params, where: Path) -> Plan:
    """Skip, fine-tune or retrain; from whose parameters, at which rates, with how much replay.

    A day is skipped that is closed, too small, not understood or (by choice) unmoved. On any other
    day what is unusual, the age of the last full fit and what the older versions do today decide,
    each as far as `PlanParams` turns it on. An operator's choice stands over all but a closed day.
    """
    section = params.application(increment.application)
    validation = Validation.read(where / "validation.json")
    drift = Drift.read(where / "drift.json")
    level = section.plan.false_alarms / section.gate.window_days
    cursor = Cursor.read(where / "parent")
    signals = _signals(increment, validation, drift, cursor.past, level, where)
    unusual = tuple(_unusual(signals, level))
    against = tuple(_against(validation, drift, section.plan))
    choice = None if validation.closed else increment.learn
    due = tuple(_full_retrain(increment.day, section.plan, cursor, bool(unusual)))
    action, because = _action(choice, against, due)
    start: Start = "parent"
    changes: dict[str, float | int] = {}
    reasons = (*because, *unusual)
    if action != "skip":
        moved = "drifted" if drift.detected else "not drifted"
        reasons = (f"{validation.rows} new rows, {moved}: {drift.reason}", *reasons)
    if action == "fine_tune":
        changes, answers = _answers(increment, section.plan, signals, level)
        start, recalled = _recalled(increment, section, where)
        reasons = (*reasons, *answers, *recalled)
    made = Plan(
        action=action, reasons=reasons, start=start, changes=changes, level=level, signals=signals
    )
    log.info("%s: %s", increment.day, made.told)
    return made.write(where / FILE)


def _signals(
    increment: Increment,
    validation: Validation,
    drift: Drift,
    past: tuple[PastDay, ...],
    level: float,
    where: Path,
) -> tuple[Signal, ...]:
    """How unusual today's columns, loss and number of rows are; of a closed day nothing is."""
    if validation.closed:
        return ()
    found = {
        f"drift of {name}": alarms.Unusual(column.today, column.usual, column.p)
        for name, column in drift.columns.items()
        if column.today is not None and column.usual is not None and column.p is not None
    }
    weekday = increment.day.weekday()
    rows = alarms.chance(
        math.log(max(validation.rows, 1)),
        weekday,
        _of_days([(day.day, math.log(day.rows)) for day in past if day.rows]),
        LEAST_LOG_ROWS,
        two_sided=True,
    )
    if rows is not None:
        found[ROWS] = alarms.Unusual(validation.rows, math.exp(rows.usual), rows.p)
    scored = Prequential.read(where / "prequential.json")
    sign = -1 if scored.higher_is_better else 1  # higher is worse
    metrics = [(day.day, sign * day.metric) for day in past if day.metric is not None]
    usual = abs(float(np.mean([value for _, value in metrics]))) if metrics else 0.0
    today = scored.champion.get(scored.metric, math.nan)
    loss = alarms.chance(sign * today, weekday, _of_days(metrics), LEAST_METRIC * usual)
    if loss is not None:
        found[f"champion's {scored.metric}"] = alarms.Unusual(today, sign * loss.usual, loss.p)
    return alarms.signals(found, level)


def _of_days(values: list[tuple[dt.date, float]]) -> alarms.Past:
    return alarms.Past(
        np.array([value for _, value in values], np.float64),
        np.array([day.weekday() for day, _ in values], np.int64),
    )


def _unusual(signals: tuple[Signal, ...], level: float) -> Iterator[str]:
    for one in signals:
        if one.unusual:
            yield (
                f"unusual: {one.name} is {one.today:.4g}, {one.usual:.4g} is usual "
                f"(p {one.adjusted:.2g}, tonight's level is {level:.2g})"
            )


def _against(validation: Validation, drift: Drift, settings: PlanParams) -> Iterator[str]:
    """What speaks against learning today."""
    if validation.closed:
        yield "the shop was closed"
    elif validation.rows < settings.min_rows:
        yield f"{validation.rows} rows are fewer than plan.min_rows = {settings.min_rows}"
    if not drift.evaluated:
        yield f"drift could not be evaluated ({drift.reason})"
    elif settings.only_on_drift and not drift.detected:
        yield f"no drift ({drift.reason}) and plan.only_on_drift is set"


def _action(
    choice: Learn | None, against: tuple[str, ...], due: tuple[str, ...]
) -> tuple[Learn, tuple[str, ...]]:
    """What to do, and why if it is not what is always done."""
    if choice:
        return choice, (f"an operator chose {choice.replace('_', ' ')}",)
    if against:
        return "skip", against
    return ("full_retrain", due) if due else ("fine_tune", ())


def _full_retrain(
    day: dt.date, settings: PlanParams, cursor: Cursor, alarm: bool
) -> Iterator[str]:
    """Why all is to be fitted anew; a line of an older release does not know when it last was."""
    longest, many = settings.full_retrain_days, settings.full_retrain_alarms
    if longest and cursor.fitted is None:
        yield "no full fit is on record and plan.full_retrain_days is set"
    elif longest and cursor.fitted and (age := (day - cursor.fitted).days) >= longest:
        yield f"the last full fit was {age} days ago, plan.full_retrain_days = {longest}"
    since = cursor.fitted or dt.date.min
    count = alarm + sum(past.alarm for past in cursor.past if past.day > since)
    if many and alarm and count >= many:
        yield f"{count} alarms since the last full fit, plan.full_retrain_alarms = {many}"


def _answers(
    increment: Increment, settings: PlanParams, signals: tuple[Signal, ...], level: float
) -> tuple[dict[str, float | int], tuple[str, ...]]:
    """Rates and replay of tonight: factors from 1 up to `on_alarm`, by how strong the alarm is.

    A day with too many or too few rows is no reason to learn faster; it is one to keep more.
    """
    usual, most = increment.update, settings.on_alarm
    moved = tuple(one for one in signals if one.name != ROWS)
    faster = 1 + (most.rate - 1) * alarms.strength(moved, level)
    more = 1 + (most.replay - 1) * alarms.strength(signals, level)
    changes: dict[str, float | int] = {}
    reasons = []
    if faster > 1:
        for name in ("learning_rate", "embedding_learning_rate"):
            changes[name] = min(getattr(usual, name) * faster, HIGHEST_RATE)
        reasons.append(f"rates times {faster:.2f} (plan.on_alarm.rate = {most.rate:g})")
    if more > 1 and usual.replay:
        changes["replay"] = round(usual.replay * more)
        reasons.append(f"replay times {more:.2f} (plan.on_alarm.replay = {most.replay:g})")
    return changes, tuple(reasons)


def _recalled(
    increment: Increment, section: ApplicationParams, where: Path
) -> tuple[Start, tuple[str, ...]]:
    """The older version that is shown to do better today than the champion, if one is.

    Compared on the units that are not held out, in pairs: those held out judge the result. The
    error is the same as of the alarms, of their own, shared by both rivals and all nights.
    """
    if not section.plan.recall:
        return "parent", ()
    scored = Prequential.read(where / "prequential.json")
    table = reference.read_frame(where / "prequential.parquet")
    table = table[~table["held_out"]]
    values = table.pivot(index="unit", columns="method", values=scored.metric).dropna()
    if len(values) < section.gate.min_units:
        return "parent", ()
    sign = 1 if scored.higher_is_better else -1
    roles: tuple[Start, ...] = ("predecessor", "anchor")
    rivals = [role for role in roles if getattr(increment, role) != increment.parent]
    better: dict[Start, gate.Interval] = {}
    for role in rivals:
        gain = (sign * (values[role] - values["champion"])).to_numpy(np.float64)
        error = section.plan.false_alarms / section.gate.window_days / len(rivals)
        draws, seed = section.gate.draws, increment.seed
        found = gate.paired_interval(gain, np.ones(len(gain)), error, draws, seed)
        if found.low > 0:
            better[role] = found
    if not better:
        return "parent", ()
    best = max(better, key=lambda role: better[role].mean)
    units = f"{len(values)} {scored.unit.removesuffix('_id')}s"
    why = (
        f"the {best}'s parameters are recalled: {scored.metric} of {units} is "
        f"better than the champion's by {better[best].mean:.4g}, at least {better[best].low:.4g}"
    )
    return best, (why,)


if __name__ == "__main__":  # the `plan` stage of dvc.yaml
    run_as_stage(plan)

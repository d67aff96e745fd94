"""Step: has the day moved away from the days before it? The only door to Evidently."""

import datetime as dt
import logging
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from tasks import alarms, reference
from tasks.days import read_events
from tasks.params import DriftParams, Params
from tasks.pins import run_as_stage
from tasks.records import ColumnDrift, Drift, Increment, Prequential, seed_of

log = logging.getLogger(__name__)
FILE = "drift.json"
PAGE = "drift.html"
SNAPSHOT = "evidently.json"  # the same for Evidently's own UI, see drift_ui
DAYS_KNOWN = 7  # one or two days are no measure of what is usual: they would alarm for nothing


def drift(increment: Increment, params: Params, where: Path) -> Drift:
    """Population stability index of each column against the parent's reference, one threshold.

    Writes drift.json and, beside it, Evidently's page and snapshot. Beside Evidently's index
    stands how unusual it is: its p-value among the past days' own indices, of samples as large
    (see `alarms`).
    Columns with values on fewer than DAYS_KNOWN of the reference's days (this shop does not have
    them, or not yet for long) are left out; of a shorter reference, all days need values. A day
    that cannot be evaluated (Evidently raises, a column has lost all its values) is reported as
    such, never as "no drift".
    """
    events = read_events(increment)
    if events.empty:  # validation lets it pass only where the calendar says so
        return _not_drifted(increment, "the shop was closed").write(where / FILE)
    settings = params.application(increment.application).drift
    past = reference.read(where / "parent")
    scores = reference.champion_scores(where / "prequential.parquet")
    if scores.empty:  # a day of events without a purchase: there is no list to compare
        past = past.assign(score=float("nan"))
    unit = Prequential.read(where / "prequential.json").unit
    zone = params.shop.time_zone
    today = reference.drift_rows(events, scores, unit, increment.day, zone, settings.event_types)
    if today.empty:
        return _not_drifted(increment, "no event of the compared types").write(where / FILE)
    try:
        columns = _columns(past, today)
        psi, found = _population_stability(
            increment.day, today, past, columns, settings.psi_threshold
        )
        sample = reference.sampled(today, increment.day, settings)
        psi = {name: _beside_past_days(psi[name], name, sample, past, increment) for name in psi}
    except Exception as problem:
        log.warning("drift of %s could not be evaluated", increment.day, exc_info=True)
        return _not_evaluated(increment, f"{type(problem).__name__}: {problem}").write(
            where / FILE
        )
    (where / PAGE).write_text(found.get_html_str(as_iframe=False))
    (where / SNAPSHOT).write_text(found.dumps())
    return _judged(increment, psi, settings).write(where / FILE)


def _columns(past: pd.DataFrame, today: pd.DataFrame) -> list[str]:
    needed = min(DAYS_KNOWN, max(past["day"].nunique(), 1))
    known = [column for column in reference.COLUMNS if _days_with(past, column) >= needed]
    lost = [column for column in known if not _days_with(today, column)]
    if lost or not known:
        raise ValueError(f"no values today in: {', '.join(lost) or 'any column'}")
    return known


def _days_with(rows: pd.DataFrame, column: str) -> int:
    return int(rows.loc[reference.has_value(rows[column]), "day"].nunique())


def _population_stability(
    day: dt.date, today: pd.DataFrame, past: pd.DataFrame, columns: list[str], threshold: float
) -> tuple[dict[str, ColumnDrift], Any]:
    """PSI of each column, and Evidently's snapshot; RuntimeError if a column got no answer."""
    from evidently import DataDefinition, Dataset, Report  # 3.5 s, and only here
    from evidently.metrics import ValueDrift

    definition = DataDefinition(
        numerical_columns=[c for c in reference.NUMERICAL if c in columns],
        categorical_columns=[c for c in reference.CATEGORICAL if c in columns],
    )
    # The method is named: Evidently's default one changes above 1,000 rows, and its sense with it.
    drifts = [ValueDrift(column=column, method="psi", threshold=threshold) for column in columns]
    snapshot = Report(drifts, include_tests=True).run(
        Dataset.from_pandas(_as_text(today[columns]), data_definition=definition),
        Dataset.from_pandas(_as_text(past[columns]), data_definition=definition),
        timestamp=dt.datetime(day.year, day.month, day.day),
    )
    found = snapshot.dict()
    psi = {m["config"]["column"]: float(m["value"]) for m in found["metrics"]}
    failed = {
        t["metric_config"]["params"]["column"]: t["status"].value == "FAIL" for t in found["tests"]
    }
    if set(psi) != set(columns) or set(failed) != set(columns):
        raise RuntimeError(f"Evidently answered for {sorted(psi)} instead of {sorted(columns)}")
    judged = {c: ColumnDrift(psi=round(psi[c], 6), drifted=failed[c]) for c in columns}
    return judged, snapshot


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with words as HTML has them: Evidently's page would run a script among them."""
    words = [column for column in reference.CATEGORICAL if column in rows]
    return rows.assign(**{name: rows[name].map(escape, na_action="ignore") for name in words})


def _beside_past_days(
    column: ColumnDrift,
    name: str,
    sample: pd.DataFrame,
    past: pd.DataFrame,
    increment: Increment,
) -> ColumnDrift:
    """The same, and how unusual it is; days that do not have the column are no past of it.

    A null is a value of its own, but for the score: it is null wherever it was not asked for.
    """
    known = past[past["day"].isin(past.loc[reference.has_value(past[name]), "day"])]
    if name == "score":
        known, sample = known[known[name].notna()], sample[sample[name].notna()]
    weekday, seed = increment.day.weekday(), seed_of("alarms", increment.day.isoformat())
    found = alarms.index_of(sample[name], known[name], known["day"], weekday, seed)
    if found is None:
        return column
    values = {"today": round(found.today, 6), "usual": round(found.usual, 6), "p": found.p}
    return column.model_copy(update=values)


def _judged(increment: Increment, psi: dict[str, ColumnDrift], settings: DriftParams) -> Drift:
    moved = [name for name, column in psi.items() if column.drifted]
    share = len(moved) / len(psi)
    return Drift(
        day=increment.day,
        evaluated=True,
        reason=f"{len(moved)} of {len(psi)} columns moved"
        + (f": {', '.join(moved)}" if moved else ""),
        columns=psi,
        share=share,
        detected=share >= settings.share_threshold,
    )


def _not_drifted(increment: Increment, reason: str) -> Drift:
    return Drift(
        day=increment.day, evaluated=True, reason=reason, columns={}, share=0, detected=False
    )


def _not_evaluated(increment: Increment, reason: str) -> Drift:
    return Drift(
        day=increment.day, evaluated=False, reason=reason, columns={}, share=0, detected=False
    )


if __name__ == "__main__":  # the `drift` stage of dvc.yaml
    run_as_stage(drift)

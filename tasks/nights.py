"""What is known of each night after the first champion: the ledger's fate, the steps' records."""

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from tasks import workspace
from tasks.faults import Fault, Faults
from tasks.ledger import Day, DayEntry, Ledger
from tasks.record import Record
from tasks.records import (
    Drift,
    Fit,
    Metrics,
    Plan,
    Prequential,
    Verdict,
)

log = logging.getLogger(__name__)
UNTOLD = "untold"  # how an attempt ends whose alarms are still to be told
IN_WORDS = {
    "rewound": "to relearn",
    "given_up": "given up",
    "awaiting": "awaiting approval",
}
R = TypeVar("R", bound=Record)


class ReportRow(Record):
    """One day, as the page's table and the terminal show it."""

    day: dt.date
    rows: int = Field(description="Events of the day; 0 for a day set aside.")
    drift: str = Field(description="Columns that moved, of those compared.")
    decision: str
    short: str = Field(description="Why, in a few words.")
    champion: Metrics = Field(description="Before the day was learned; empty if not scored.")
    naive: Metrics
    shown: tuple[str, ...] = Field(description="The metrics that are looked at first.")
    seconds: dict[str, float] = Field(description="By step, of the last attempt that ended.")


@dataclass(frozen=True)
class Night:
    """One day: its fate, the version made from it, and the records that lie beside that version.

    A record is None where there is none: a day set aside, or one to be learned again. Those of a
    day that awaits approval are what the person is shown. `ignored` is the correction of the day
    that was not learned.
    """

    fate: DayEntry
    version: str | None
    seconds: dict[str, float]
    prequential: Prequential | None = None
    drift: Drift | None = None
    plan: Plan | None = None
    verdict: Verdict | None = None
    fit: Fit | None = None
    faults: tuple[Fault, ...] = ()
    ignored: DayEntry | None = None

    @property
    def day(self) -> dt.date:
        """The day learned, not the night that learned it."""
        return self.fate.day

    @property
    def decision(self) -> str:
        """The verdict in words, or what became of the day instead of one."""
        if self.fate.action is None or self.fate.outcome != "learned":
            outcome: str = self.fate.outcome
            return IN_WORDS.get(outcome, outcome)
        return self.fate.action.replace("_", " ")

    def row(self) -> ReportRow:
        """The day in one line."""
        scored = self.prequential
        return ReportRow(
            day=self.day,
            rows=self.fate.rows,
            drift=_moved(self.drift),
            decision=self.decision,
            short=_short(self),
            champion=scored.champion if scored else {},
            naive=scored.naive if scored else {},
            shown=scored.shown if scored else (),
            seconds=self.seconds,
        )


def nights(ledger: Ledger, application: str) -> list[Night]:
    """Every day since the first champion, oldest first, as the ledger has it now."""
    history = ledger.history(application)
    seconds = {
        attempt.day: attempt.seconds
        for attempt in ledger.attempts(application)
        if attempt.seconds is not None
    }
    return [
        _night(application, fate, history, seconds.get(fate.day, {}))
        for fate in ledger.fates(application).values()
        if fate.action != "first"
    ]


def awaiting(ledger: Ledger, application: str) -> list[DayEntry]:
    """The days for whose challenger a person is asked, oldest first."""
    return [f for f in ledger.fates(application).values() if f.outcome == "awaiting"]


def untold(ledger: Ledger, application: str) -> list[Verdict]:
    """Verdicts that nobody was told of: this run's with alarms, those of runs that were killed.

    Each is handed out once: the caller tells.
    """
    latest = {attempt.day: attempt for attempt in ledger.attempts(application)}
    waiting = {day: one for day, one in latest.items() if one.outcome in (None, UNTOLD)}
    found = [
        night.verdict
        for night in (nights(ledger, application) if waiting else [])
        if night.verdict and night.day in waiting
    ]
    for verdict in found:
        attempt = waiting[verdict.day]
        ledger.end_attempt(attempt.attempt, verdict.outcome, attempt.seconds or {})
    return found


def _night(
    application: str, fate: DayEntry, history: Iterable[DayEntry], seconds: dict[str, float]
) -> Night:
    ignored = _ignored(fate, history)
    if fate.outcome == "awaiting":
        place = awaiting_folder(application, fate)
        return Night(fate, None, seconds, ignored=ignored, **_records(place))
    if fate.outcome != "learned":
        return Night(fate, None, seconds, faults=_faults(application, fate), ignored=ignored)
    # A day that was taken back or kept later names the version that did so; what was measured
    # lies beside the version that was made from the day itself.
    made = [entry.version for entry in history if entry.day == fate.day and entry.version]
    for version in reversed(made):
        place = workspace.ATTACHMENTS / application / version
        verdict = _read(Verdict, place / "verdict.json")
        if verdict is not None and verdict.day == fate.day:
            return Night(fate, version, seconds, ignored=ignored, **_records(place))
    return Night(fate, fate.version, seconds, ignored=ignored)


def _records(place: Path) -> dict[str, Any]:
    """What the steps of the day left in a folder, as fields of the night."""
    return {
        "prequential": _read(Prequential, place / "prequential.json"),
        "drift": _read(Drift, place / "drift.json"),
        "plan": _read(Plan, place / "plan.json"),
        "verdict": _read(Verdict, place / "verdict.json"),
        "fit": _read(Fit, place / "challenger" / "fit.json"),
    }


def _ignored(fate: DayEntry, history: Iterable[DayEntry]) -> DayEntry | None:
    """The newest correction since the day was settled that was noted instead of learned."""
    since = [e for e in history if e.day == fate.day and e.sequence > fate.sequence]
    return next((entry for entry in reversed(since) if entry.outcome == "ignored"), None)


def _faults(application: str, fate: DayEntry) -> tuple[Fault, ...]:
    found = _read(Faults, faults_file(application, fate.day, fate.digest))
    return found.faults if found else ()


def _moved(drift: Drift | None) -> str:
    if drift is None or (drift.evaluated and not drift.columns):
        return "-"
    if not drift.evaluated:
        return "failed"
    return f"{sum(column.drifted for column in drift.columns.values())}/{len(drift.columns)}"


def _short(night: Night) -> str:
    """The checks that the reason names, without their figures; else the reason itself."""
    verdict = night.verdict
    if verdict is None or verdict.reason != night.fate.reason:
        return night.fate.reason
    if night.plan is not None and night.plan.action == "skip":
        return "; ".join(night.plan.reasons)
    failed = [
        check.name.split(" (")[0]
        for check in verdict.checks
        if not check.passed and check.name in verdict.reason
    ]
    return f"failed: {', '.join(failed)}" if failed else verdict.reason


def faults_file(application: str, day: dt.date, digest: str) -> Path:
    """Where it is kept what was wrong with a day whose content had this digest."""
    return workspace.VAR / "quarantine" / application / f"{day}-{digest[:12]}.json"


def awaiting_folder(application: str, fate: Day) -> Path:
    """Where what a person is shown lies, who is asked for a day's challenger."""
    return workspace.VAR / "awaiting" / application / f"{fate.day}-{(fate.challenger or '')[:12]}"


def beside(application: str, version: str, name: str) -> Path:
    """Where an attachment of a version lies."""
    return workspace.ATTACHMENTS / application / version / name


def metric_names(scored: Prequential) -> list[str]:
    """The metrics of a day, the one that decides first."""
    return sorted(scored.champion, key=lambda name: (name != scored.metric, name))


def _read(kind: type[R], path: Path) -> R | None:
    """A record; None if there is none, or if an older release wrote it in another form."""
    try:
        return kind.read(path)
    except FileNotFoundError:
        return None
    except ValidationError as problem:
        log.warning("%s is left out of the report: %s", path, problem)
        return None

"""What a person should look at now, by the ledger, the data that is there, and the clock.

Not to be taken for `alarms`, by which a night's plan knows that something is unusual.
"""

import datetime as dt

from pydantic import ValidationError

from tasks import days, workspace
from tasks.due import how_to_answer
from tasks.ledger import DayEntry, Ledger, Line
from tasks.nights import beside
from tasks.params import Params, ShopParams
from tasks.records import Alert, Plan

ONE_DAY = dt.timedelta(days=1)
Fates = dict[dt.date, DayEntry]


def open_alerts(
    ledger: Ledger, application: str, params: Params, now: dt.datetime | None = None
) -> list[Alert]:
    """The application's open alerts, the most pressing first; none before its first champion."""
    line = ledger.line(application)
    if line is None:
        return []
    fates = ledger.fates(application)
    return [
        *_silence(fates, line, params, now or dt.datetime.now(dt.UTC)),
        *_late(fates, line, params.shop),
        *_asked(fates, line),
        *_set_aside(fates, line, params),
        *_rolled_back(ledger, line),
        *_refused(fates, line, params),
        *_not_promoted(ledger, line, params),
    ]


def _silence(fates: Fates, line: Line, params: Params, now: dt.datetime) -> list[Alert]:
    """Nothing was learned for long, by the clock: the only one that a dead feed raises."""
    last = max(fate.at for fate in fates.values() if fate.outcome == "learned")
    if (now - last).days < params.alerts.stale_days:
        return []
    reason = f"no day was learned since {last:%Y-%m-%d %H:%M} UTC, {(now - last).days} days ago"
    cure = "See whether days still land, and whether the daily flow runs: schedule and worker"
    return [Alert(kind="stale champion", day=line.day, reason=reason, cure=cure)]


def _late(fates: Fates, line: Line, shop: ShopParams) -> list[Alert]:
    """The day that later ones wait for."""
    landed = days.by_day(days.manifest()) if workspace.DATA.exists() else {}
    newest = max(landed, default=line.day)
    ahead = [line.day + n * ONE_DAY for n in range(1, (newest - line.day).days)]
    settled = {day for day, fate in fates.items() if not fate.is_due(fate.digest)}
    settled |= {*shop.closed_days}
    day = next((day for day in ahead if day not in settled), None)
    if day is None or days.has_rows(landed.get(day, {})):
        return []
    state = "has no rows" if day in landed else "was not landed"
    reason = f"{day} {state}, and the days up to {newest} wait for it"
    cure = "Land it, or add it to shop.closed_days in params.yaml"
    return [Alert(kind="late data", day=day, reason=reason, cure=cure)]


def _asked(fates: Fates, line: Line) -> list[Alert]:
    """A challenger that a person must approve, until they answer."""
    return [
        Alert(
            kind="approval",
            day=day,
            reason=fate.reason,
            cure=how_to_answer(line.application, day),
        )
        for day, fate in fates.items()
        if fate.outcome == "awaiting"
    ]


def _set_aside(fates: Fates, line: Line, params: Params) -> list[Alert]:
    since = line.day - params.alerts.stale_days * ONE_DAY
    cure = "Land it again, release it or give it up: docs/how-to/bad-days.md"
    return [
        Alert(kind="quarantine", day=day, reason=fate.reason, cure=cure)
        for day, fate in fates.items()
        if fate.outcome == "quarantined" and day > since
    ]


def _rolled_back(ledger: Ledger, line: Line) -> list[Alert]:
    """The champion serves because another one was taken back; over with the next promotion."""
    serving = ledger.champions(line.application)[-1]
    if serving.action != "roll_back":
        return []
    reason = f"the champion was taken back by {serving.actor}: {serving.reason}"
    cure = "Look at the days that it had learned; the next promotion ends this"
    return [Alert(kind="rollback", day=serving.day, reason=reason, cure=cure)]


def _refused(fates: Fates, line: Line, params: Params) -> list[Alert]:
    """One challenger after the other was refused; nights without a challenger do not count."""
    refused = []
    for fate in reversed(fates.values()):
        if fate.outcome == "learned" and fate.action != "keep":
            break
        if fate.outcome == "learned" and _had_challenger(line.application, fate):
            refused.append(fate)
    if len(refused) < params.alerts.kept_nights:
        return []
    reason = f"{len(refused)} challengers in a row were refused, the last one: {refused[0].reason}"
    cure = "See which check fails, night after night; then the rates, the gate, or a full retrain"
    return [Alert(kind="kept nights", day=refused[0].day, reason=reason, cure=cure)]


def _had_challenger(application: str, fate: DayEntry) -> bool:
    """Whether the night's own plan was to learn; a day kept by a rollback has no plan."""
    try:
        plan = Plan.read(beside(application, fate.version or "", "plan.json"))
    except (FileNotFoundError, ValidationError):  # an older release wrote it in another form
        return False
    return plan.action != "skip"


def _not_promoted(ledger: Ledger, line: Line, params: Params) -> list[Alert]:
    serving = ledger.champions(line.application)[-1]
    age = (line.day - serving.day).days
    if age < params.alerts.stale_days:
        return []
    reason = f"the champion of {serving.day} still serves, {age} days learned since"
    cure = "See why no challenger was promoted; a full retrain may be due (--learn full_retrain)"
    return [Alert(kind="stale champion", day=line.day, reason=reason, cure=cure)]

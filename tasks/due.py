"""Which day comes next, and all that its increment is pinned to."""

import datetime as dt
import logging
from pathlib import Path

import pyarrow.parquet as pq

from tasks import bundle, days, gate, workspace
from tasks.contract import InvalidDayError
from tasks.cursor import Cursor
from tasks.ledger import Ledger, Line
from tasks.params import Params, ShopParams
from tasks.records import Increment, Learn, seed_of
from tasks.retrain import history_of
from tasks.update import UpdateSettings

log = logging.getLogger(__name__)
CLOSED = "closed by the calendar"


class NoChampionError(LookupError):
    """The application has no line to learn on."""


class LateDayError(InvalidDayError):
    """A day did not come, or came without rows, and its time is over."""

    def __init__(self, day: dt.date, digest: str, message: str) -> None:
        super().__init__(message)
        self.day = day
        self.digest = digest


def line_of(ledger: Ledger, application: str) -> Line:
    """The application's line; raises NoChampionError, which names the cure."""
    line = ledger.line(application)
    if line is None:
        raise NoChampionError(
            f"'{application}' has no champion yet: run the bootstrap flow "
            f"(`python -m flows.bootstrap --application {application}`)"
        )
    return line


def next_increment(
    ledger: Ledger,
    application: str,
    params: Params,
    through: dt.date,
    update: UpdateSettings | None = None,
    learn: Learn | None = None,
) -> Increment | None:
    """The oldest day not yet learned, pinned; None when there is nothing to learn.

    Days are taken in order, each once, whatever the scheduler did or missed. A day that did not
    come yet stops the line until the lateness limit; then LateDayError says that it is to be set
    aside. A day once set aside is tried again only when other content was landed for it.
    `update` is laid over the settings of params.yaml; `learn` stands over tonight's plan.
    """
    line = line_of(ledger, application)
    files = days.by_day(days.manifest())
    newest = max((day for day in files), default=line.day)
    ahead = [line.day + dt.timedelta(days=n + 1) for n in range((newest - line.day).days)]
    _tell_late_corrections(ledger, line, files, params.shop)
    contents = {d: content(d, files.get(d, {}), params.shop) for d in ahead if d <= through}
    for day in ledger.due(application, contents):
        there = files.get(day, {})
        if contents[day] == CLOSED or _has_rows(there):
            pinned = _pin(_standing(ledger, line), day, there, params, update)
            history = history_of(_learned(ledger, line), files)
            return pinned.model_copy(update={"learn": learn, "history": history})
        _wait_for(day, there, newest, params.shop.lateness_days)
        return None
    log.info("%s: nothing to learn, %s is the last day learned", application, line.day)
    return None


def content(day: dt.date, files: dict[str, str], shop: ShopParams) -> str:
    """What the ledger keeps of a day's content: with another one, a day set aside is due again.

    An empty day that comes on the calendar is another one than before.
    """
    if day in shop.closed_days and not _has_rows(files):
        return CLOSED
    return days.digest(files)


def _learned(ledger: Ledger, line: Line) -> set[dt.date]:
    """The days that are in the state of the line's head."""
    fates = ledger.fates(line.application)
    return {d for d, fate in fates.items() if d <= line.day and fate.outcome == "learned"}


def _tell_late_corrections(
    ledger: Ledger, line: Line, files: dict[dt.date, dict[str, str]], shop: ShopParams
) -> None:
    """Days are learned in order, so other content for a settled day is not learned; say so."""
    for day, fate in ledger.fates(line.application).items():
        there = files.get(day)
        if day <= line.day and there is not None and fate.digest != content(day, there, shop):
            log.warning(
                "%s (%s) was landed again with other content after %s was learned; it stays as it "
                "is. To learn it, roll back to a version before it",
                day,
                fate.outcome,
                line.day,
            )


def _has_rows(files: dict[str, str]) -> bool:
    """Whether an event file has rows, or cannot be read: validation will say why."""
    for path in files:
        if path.startswith("events/"):
            try:
                if pq.read_metadata(days.folder() / path).num_rows:
                    return True
            except (OSError, ValueError):
                return True
    return False


def _wait_for(day: dt.date, files: dict[str, str], newest: dt.date, limit: int) -> None:
    state = "has no rows" if files else "was not landed"
    if (newest - day).days <= limit:
        log.warning("%s %s; later days wait for it until %d days have passed", day, state, limit)
        return
    raise LateDayError(
        day,
        days.digest(files),
        f"{day} {state}, {newest} is there already and shop.lateness_days is {limit}. Land the "
        "day, or add it to shop.closed_days in params.yaml.",
    )


def _standing(ledger: Ledger, line: Line) -> Line:
    """The line, without a predecessor if that was collected: there is none to go back to."""
    gone = ledger.collected(line.application)
    return line.model_copy(update={"predecessor": None}) if line.predecessor in gone else line


def _pin(
    line: Line,
    day: dt.date,
    files: dict[str, str],
    params: Params,
    update: UpdateSettings | None,
) -> Increment:
    application = line.application
    section = params.application(application)
    parent = bundle.location(workspace.BUNDLES, application, line.head)
    cursor = Cursor.read(parent)
    window = section.gate.window_days
    same = gate.window_of(cursor.day, window) == gate.window_of(day, window)
    return Increment(
        application=application,
        day=day,
        events=_evidence("events", day, files),
        items=_evidence("items", day, files),
        prices=_evidence("prices", day, files),
        partitions=files,
        parent=line.head,
        predecessor=line.predecessor or line.head,
        anchor=line.anchor,
        looks=cursor.looks if same else {},
        update=update.over(section.fine_tune) if update else section.fine_tune,
        seed=seed_of(application, day.isoformat(), line.head),
        code=workspace.code_revision(),
    )


def _evidence(table: str, day: dt.date, files: dict[str, str]) -> str:
    folder = days.partition(table, day)
    there = any(path.startswith(f"{folder}/") for path in files)
    return str(Path(workspace.DATA, folder)) if there else days.CALENDAR

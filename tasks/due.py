"""Which day comes next, and all that its increment is pinned to."""

import datetime as dt
import logging
from pathlib import Path

from tasks import bundle, days, gate, workspace
from tasks.contract import InvalidDayError
from tasks.cursor import Cursor
from tasks.ledger import DayEntry, Ledger, Line
from tasks.params import Params, ShopParams
from tasks.records import Approval, Increment, Learn, seed_of
from tasks.retrain import history_of
from tasks.update import UpdateSettings

log = logging.getLogger(__name__)
CLOSED = "closed by the calendar"


class NoChampionError(LookupError):
    """The application has no line to learn on."""


class WaitingError(RuntimeError):
    """Later days wait for a day that was set aside; the message says what ends it."""


class AwaitingApprovalError(WaitingError):
    """Later days wait for a person's answer; the message says how to give it."""


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
    aside. A day once set aside is tried again only when other content was landed for it, or an
    operator released it; meanwhile later days go on, or WaitingError says that they wait. So is
    a day that awaits approval, once it is answered; then it is AwaitingApprovalError.
    `update` is laid over the settings of params.yaml; `learn` stands over tonight's plan.
    """
    line = line_of(ledger, application)
    files = days.by_day(days.manifest())
    newest = max((day for day in files), default=line.day)
    ahead = [line.day + dt.timedelta(days=n + 1) for n in range((newest - line.day).days)]
    contents = {d: content(d, files.get(d, {}), params.shop) for d in ahead if d <= through}
    fates, history = ledger.fates(application), ledger.history(application)
    for day in ledger.due(application, contents):
        there = files.get(day, {})
        if params.shop.on_quarantine == "wait":
            _stay_behind_days_set_aside(fates, line, day)
        if params.application(application).gate.approval == "wait":
            _stay_behind_days_awaiting(fates, line, day)
        if contents[day] == CLOSED or days.has_rows(there):
            pinned = pin(standing_line(ledger, line), day, there, params, update)
            chosen = {
                "learn": learn,
                "history": history_of(_learned(fates, line), files),
                "approval": _answer(history, day),
            }
            if _is_released(history, day, contents[day]):
                chosen["limits"] = None
            return pinned.model_copy(update=chosen)
        _wait_for(day, there, newest, params.shop.lateness_days)
        return None
    log.info("%s: nothing to learn, %s is the last day learned", application, line.day)
    return None


def content(day: dt.date, files: dict[str, str], shop: ShopParams) -> str:
    """What the ledger keeps of a day's content: with another one, a day set aside is due again.

    An empty day that comes on the calendar is another one than before.
    """
    if day in shop.closed_days and not days.has_rows(files):
        return CLOSED
    return days.digest(files)


def _learned(fates: dict[dt.date, DayEntry], line: Line) -> set[dt.date]:
    """The days that are in the state of the line's head."""
    return {d for d, fate in fates.items() if d <= line.day and fate.outcome == "learned"}


def corrected(
    ledger: Ledger, line: Line, shop: ShopParams, through: dt.date
) -> dict[dt.date, DayEntry]:
    """The fates of the settled days that are landed with other content now, oldest first.

    A day is settled once it or a later one was learned: the line has gone past it. An empty day
    that comes on the calendar has other content, too.
    """
    files = days.by_day(days.manifest())
    there = {d: content(d, files.get(d, {}), shop) for d in {*files, *shop.closed_days}}
    return {
        day: fate
        for day, fate in ledger.fates(line.application).items()
        if day <= min(line.day, through) and fate.digest != there.get(day, fate.digest)
    }


def _stay_behind_days_set_aside(fates: dict[dt.date, DayEntry], line: Line, day: dt.date) -> None:
    for other, fate in fates.items():
        if line.day < other < day and fate.outcome == "quarantined":
            settle = f"python -m flows.settle --application {line.application} --day {other}"
            raise WaitingError(
                f"{day} and later days wait for {other}, which was set aside: {fate.reason} Land "
                f"it again, or settle it: {settle} --decision release (or give_up) --reason ..."
            )


def _stay_behind_days_awaiting(fates: dict[dt.date, DayEntry], line: Line, day: dt.date) -> None:
    for other, fate in fates.items():
        if line.day < other < day and fate.outcome == "awaiting":
            raise AwaitingApprovalError(
                f"{day} and later days wait for {other}, which awaits approval. "
                f"{how_to_answer(line.application, other)}"
            )


def how_to_answer(application: str, day: dt.date) -> str:
    """What a person does about a day that awaits approval."""
    command = answer_command(application, day)
    return f"Approve or reject it: {command} --decision approve (or reject) --reason ..."


def answer_command(application: str, day: dt.date) -> str:
    """The command that answers, but for the answer."""
    return f"python -m flows.approve --application {application} --day {day}"


def _answer(history: list[DayEntry], day: dt.date) -> Approval | None:
    """A person's last answer for a challenger of the day; it outlasts a rollback."""
    for entry in reversed(history):
        if entry.day == day and entry.outcome in ("approved", "rejected") and entry.challenger:
            return Approval(
                challenger=entry.challenger,
                decision="approve" if entry.outcome == "approved" else "reject",
                reason=entry.reason,
            )
    return None


def _is_released(history: list[DayEntry], day: dt.date, digest: str) -> bool:
    """Whether an operator released the day with this content; that outlasts a rollback."""
    return any(
        (entry.day, entry.digest, entry.outcome) == (day, digest, "released") for entry in history
    )


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


def standing_line(ledger: Ledger, line: Line) -> Line:
    """The line, without a predecessor if that was collected: there is none to go back to."""
    gone = ledger.collected(line.application)
    return line.model_copy(update={"predecessor": None}) if line.predecessor in gone else line


def pin(
    line: Line,
    day: dt.date,
    files: dict[str, str],
    params: Params,
    update: UpdateSettings | None = None,
) -> Increment:
    """The day as the head's next increment, without its history."""
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
        limits=params.shop.limits,
        update=update.over(section.fine_tune) if update else section.fine_tune,
        seed=seed_of(application, day.isoformat(), line.head),
        code=workspace.code_revision(),
    )


def _evidence(table: str, day: dt.date, files: dict[str, str]) -> str:
    folder = days.partition(table, day)
    there = any(path.startswith(f"{folder}/") for path in files)
    return str(Path(workspace.DATA, folder)) if there else days.CALENDAR

"""Step: a person answers whether a challenger may serve."""

import datetime as dt

from pydantic import ValidationError

from tasks.due import line_of
from tasks.ledger import Day, DayEntry, Lease, Ledger, Line
from tasks.nights import awaiting, awaiting_folder
from tasks.params import Params
from tasks.records import ApprovalDecision, Verdict
from tasks.rewind import one_line, rewind_before

CURE = (
    "Put it back from a copy, or answer where it was asked; or make the day due again with the "
    "rollback flow (days_since: relearn), and it is asked anew"
)


class NotAwaitingError(ValueError):
    """The day does not await approval; the message names those that do."""


class NotShownError(RuntimeError):
    """What is to be approved cannot be shown, so it cannot be approved."""


class NoReasonError(ValueError):
    """An answer needs a reason."""


def approve(
    ledger: Ledger,
    lease: Lease,
    params: Params,
    asked: DayEntry,
    decision: ApprovalDecision,
    reason: str,
) -> Line:
    """Answer for the challenger that a day awaits approval of: the day is due; returns the line.

    Learned again it comes to the same challenger, which is promoted, or refused for `reason`; if
    it comes to another one, that awaits approval anew. Were later days learned, the line goes back
    before the day, in one transaction, and they are learned again after it. Raises NoReasonError,
    NotAwaitingError, NotShownError and NoWayBackError; then nothing moved.
    """
    why = one_line(reason)
    if not why:
        raise NoReasonError("an answer needs a reason: what a later reader will ask for")
    if asked_for(ledger, lease.application, asked.day).challenger != asked.challenger:
        raise NotAwaitingError(f"{asked.day} awaits approval of another challenger by now: look")
    answered = Day(
        day=asked.day,
        digest=asked.digest,
        outcome="approved" if decision == "approve" else "rejected",
        reason=why,
        rows=asked.rows,
        challenger=asked.challenger,
    )
    line = line_of(ledger, lease.application)
    return rewind_before(ledger, lease, line, params, [answered], "operator")


def asked_for(ledger: Ledger, application: str, day: dt.date | None) -> DayEntry:
    """The day that awaits approval; without one, the only one.

    Raises NotAwaitingError, and NotShownError if its verdict is lost or another's.
    """
    waiting = awaiting(ledger, application)
    found = [fate for fate in waiting if day in (None, fate.day)]
    if len(found) == 1:
        _check_shown(application, found[0])
        return found[0]
    known = ", ".join(str(fate.day) for fate in waiting) or "none"
    if found:
        raise NotAwaitingError(f"name the day; of '{application}' these await approval: {known}")
    what = (
        f"{day} of '{application}' does not await" if day else f"no day of '{application}' awaits"
    )
    raise NotAwaitingError(f"{what} approval; those that do: {known}")


def _check_shown(application: str, asked: DayEntry) -> None:
    path = awaiting_folder(application, asked) / "verdict.json"
    try:
        verdict = Verdict.read(path)
    except (OSError, ValidationError) as problem:
        raise NotShownError(f"{path} cannot be read ({problem}). {CURE}") from problem
    if verdict.awaits != asked.challenger:
        raise NotShownError(f"{path} is not of the challenger that is asked for. {CURE}")

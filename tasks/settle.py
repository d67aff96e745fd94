"""Step: an operator settles a day that was set aside: it is learned as it is, or given up."""

import datetime as dt
from typing import Literal

from tasks import bundle, days, workspace
from tasks.due import content, line_of, pin
from tasks.ledger import Day, DayEntry, Lease, Ledger, Line
from tasks.ledger.entries import Outcome
from tasks.params import Params
from tasks.rewind import rewind_before
from tasks.screen import screen

Decision = Literal["release", "give_up"]
SETTLES: dict[Decision, tuple[Outcome, ...]] = {
    "release": ("quarantined", "given_up"),
    # A challenger cannot be approved any more once the version before its day is collected.
    "give_up": ("quarantined", "given_up", "awaiting"),
}


class NotSetAsideError(ValueError):
    """The day cannot be settled so; the message names those that can."""


def settle(
    ledger: Ledger,
    lease: Lease,
    params: Params,
    day: dt.date,
    decision: Decision,
    reason: str,
) -> Line:
    """Release the day, or give it up: no later day waits for it any more; returns the line.

    A day that awaits approval can be given up, too.

    A released day is due again with the content it has, whatever shop.limits says. Were later days
    learned, the line goes back before it, in one transaction, and they are learned again after it.
    Raises NotSetAsideError, InvalidDayError for content that cannot be learned as it is, and
    NoWayBackError; then nothing moved.
    """
    line = line_of(ledger, lease.application)
    fate = _set_aside(ledger, lease.application, day, decision)
    settled = Day(day=day, digest=fate.digest, outcome="given_up", reason=reason)
    if decision == "give_up":
        ledger.note(lease, settled)
        return line_of(ledger, lease.application)
    files = days.by_day(days.manifest()).get(day, {})
    increment = pin(line, day, files, params).model_copy(update={"limits": None})
    screen(increment, params, bundle.location(workspace.BUNDLES, line.application, line.head))
    digest = content(day, files, params.shop)
    released = settled.model_copy(update={"outcome": "released", "digest": digest})
    return rewind_before(ledger, lease, line, params, [released], "operator")


def _set_aside(ledger: Ledger, application: str, day: dt.date, decision: Decision) -> DayEntry:
    fates = ledger.fates(application)
    outside = [d for d, fate in fates.items() if fate.outcome in SETTLES[decision]]
    if day not in outside:
        known = ", ".join(map(str, outside)) or "none"
        raise NotSetAsideError(
            f"{day} of '{application}' is not set aside; those that are: {known}"
        )
    return fates[day]

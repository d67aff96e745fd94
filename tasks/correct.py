"""Step: settled days that were landed again with other content are noted, or learned anew."""

import datetime as dt
import logging

from tasks import bundle, days, workspace
from tasks.contract import InvalidDayError
from tasks.due import content, corrected, line_of, pin
from tasks.ledger import Day, DayEntry, Lease, Ledger, Line
from tasks.params import Params
from tasks.rewind import rewind_before
from tasks.screen import screen

log = logging.getLogger(__name__)


def correct(
    ledger: Ledger, lease: Lease, application: str, params: Params, through: dt.date
) -> list[dt.date]:
    """Do with corrected days as `shop.on_correction` says; returns those to be learned anew.

    "ignore" notes each content once in the ledger. "relearn" goes back before the oldest of them,
    in one transaction, so that the run learns them and the days since, in order. What cannot be
    learned is noted instead: content that breaks the contract, and history, which is in the first
    champion. Raises NoWayBackError if the version before the day is gone; then nothing moved.
    """
    line = line_of(ledger, application)
    anew = []
    for day, fate in corrected(ledger, line, params.shop, through).items():
        why_not = _why_not(line, day, fate, params)
        if why_not:
            _ignore(ledger, lease, params, fate, why_not)
        else:
            anew.append(day)
    if anew:
        files = days.by_day(days.manifest())
        reason = f"{', '.join(map(str, anew))} landed again with other content"
        fates = [
            Day(
                day=day,
                digest=content(day, files.get(day, {}), params.shop),
                outcome="rewound",
                reason=reason,
            )
            for day in anew
        ]
        gone_back = rewind_before(ledger, lease, line, params, fates, "daily increment")
        log.warning("%s: back to %s, to learn it and the days since", reason, gone_back.day)
    return anew


def _why_not(line: Line, day: dt.date, fate: DayEntry, params: Params) -> str:
    """Why the new content is not to be learned; empty if it is."""
    if params.shop.on_correction == "ignore":
        return "shop.on_correction is ignore"
    if fate.action == "first":
        return "it is history of the first champion; a new bootstrap would learn it"
    increment = pin(line, day, days.by_day(days.manifest()).get(day, {}), params)
    try:
        screen(increment, params, bundle.location(workspace.BUNDLES, line.application, line.head))
    except InvalidDayError as problem:
        return str(problem)
    return ""


def _ignore(ledger: Ledger, lease: Lease, params: Params, fate: DayEntry, why: str) -> None:
    files = days.by_day(days.manifest()).get(fate.day, {})
    reason = f"landed again with other content, which was not learned: {why}"
    log.warning("%s (%s) was %s", fate.day, fate.outcome, reason)
    digest = content(fate.day, files, params.shop)
    ledger.note(lease, Day(day=fate.day, digest=digest, outcome="ignored", reason=reason))

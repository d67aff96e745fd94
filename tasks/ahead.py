"""What lies ahead of a line: the days that the next run finds, and how it would learn them."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from tasks.due import content
from tasks.ledger import Ledger, Line
from tasks.nights import Night
from tasks.params import Params, PlanParams, ShopParams
from tasks.record import Record

ONE_DAY = dt.timedelta(days=1)
Files = Mapping[dt.date, dict[str, str]]  # of each landed day, MD5 by path


class Ahead(Record):
    """The days after the last one learned, by what has landed."""

    due: tuple[dt.date, ...]
    missing: tuple[dt.date, ...]


def ahead(ledger: Ledger, line: Line, shop: ShopParams, files: Files) -> Ahead:
    """Which landed days are due, oldest first, and which days before the newest did not land."""
    contents = {day: content(day, there, shop) for day, there in files.items() if day > line.day}
    newest = max(files, default=line.day)
    between = [line.day + n * ONE_DAY for n in range(1, (newest - line.day).days + 1)]
    return Ahead(
        due=tuple(ledger.due(line.application, contents)),
        missing=tuple(day for day in between if day not in files and day not in shop.closed_days),
    )


def next_run(
    line: Line, found: Ahead, nights: Sequence[Night], params: Params
) -> tuple[dt.date, tuple[str, ...]]:
    """The day that the next run is about, and in sentences what it does, without a dry run."""
    section = params.application(line.application)
    day = min([*found.due, *found.missing], default=line.day + ONE_DAY)
    told = [_state(day, found, params.shop), *_waiting(line, nights, params)]
    told.append(_way(section.plan))
    told += _full_retrain(line, section.plan, nights)
    return day, tuple(told)


def _state(day: dt.date, found: Ahead, shop: ShopParams) -> str:
    later = len(found.due) - (day in found.due)
    if day in found.missing:
        return (
            f"It was not landed, later days were; they wait until {shop.lateness_days} days have "
            "passed, then it is set aside"
        )
    if day not in found.due:
        return "It has not landed yet"
    return f"It has landed{f', and {later} later ones follow' if later else ''}"


def _waiting(line: Line, nights: Sequence[Night], params: Params) -> Iterator[str]:
    aside = [n for n in nights if n.day > line.day and n.fate.outcome == "quarantined"]
    if aside and params.shop.on_quarantine == "wait":
        yield f"Later days wait for {aside[0].day}, which was set aside (shop.on_quarantine)"
    wait = params.application(line.application).gate.approval == "wait"
    for asked in (night.day for night in nights if night.fate.outcome == "awaiting"):
        yield f"{asked} awaits approval{', and later days wait for it' if wait else ''}"


def _way(plan: PlanParams) -> str:
    unless = ["the shop was closed", f"there are fewer than {plan.min_rows} rows"]
    unless += ["nothing has drifted (plan.only_on_drift)"] if plan.only_on_drift else []
    return f"Plan: fine-tune, unless {' or '.join(unless)}"


def _full_retrain(line: Line, plan: PlanParams, nights: Sequence[Night]) -> Iterator[str]:
    if plan.full_retrain_alarms:
        yield f"Full retrain after {plan.full_retrain_alarms} alarms"
    if plan.full_retrain_days:
        fitted = [n.day for n in nights if n.plan and n.plan.action == "full_retrain"]
        since = fitted[-1] if fitted else nights[0].day - ONE_DAY if nights else line.day
        yield f"Full retrain from {since + dt.timedelta(days=plan.full_retrain_days)} on"
    elif not plan.full_retrain_alarms:
        yield "Full retrain: only when asked for (learn)"

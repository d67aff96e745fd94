"""What a day is held to before anything is learned from it: the contract, then the limits."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tasks import reference
from tasks.contract import FIRST_ROWS, InvalidDayError, check_events
from tasks.cursor import Cursor
from tasks.days import read_events, read_items
from tasks.faults import Fault
from tasks.limits import Limits
from tasks.params import Params
from tasks.records import Increment, Prequential, Validation

USUAL_DAYS = 3  # fewest days from which it is known what is usual
ENOUGH = 100  # events with an item: with fewer, one item's share says nothing


def screen(increment: Increment, params: Params, parent: Path) -> Validation:
    """Check the day's files; raises InvalidDayError. What is usual is known from `parent`.

    A day without rows is one only where the calendar says that the shop was closed. A day that an
    operator released has no limits.
    """
    events, items = read_events(increment), read_items(increment)
    closed = increment.day in params.shop.closed_days
    if not closed and events.empty:
        raise InvalidDayError(
            f"{increment.events} has no rows, and {increment.day} is not among shop.closed_days "
            "in params.yaml. Land the day again, or add it to the calendar."
        )
    check_events(events, increment.day, params.shop.time_zone, increment.events)
    if "item_id" not in items:
        raise InvalidDayError(f"{increment.items} has no column 'item_id'. Land the day again.")
    if increment.limits:
        kinds = params.application(increment.application).drift.event_types
        check_limits(
            events, increment.limits, increment.events, _against_usual(events, kinds, parent)
        )
    return Validation(
        day=increment.day,
        rows=len(events),
        users=events["user_id"].nunique(),
        items=events["item_id"].nunique(),
        closed=closed and events.empty,
    )


def check_limits(events: pd.DataFrame, limits: Limits, name: str, usual: dict[str, float]) -> None:
    """Raise InvalidDayError, naming `name` and each limit, where a day is like none of the shop.

    `usual` holds the day's mean `price` and number of `rows` in usual ones, where they are known.
    """
    found = [_most(events["user_id"], limits.rows_per_user, "rows_per_user")]
    with_item = events["item_id"].dropna()
    if len(with_item) >= ENOUGH:
        most = limits.share_of_one_item * len(with_item)
        found.append(_most(with_item, most, "share_of_one_item"))
    price, rows = usual.get("price", 1.0), usual.get("rows", 1.0)
    if not 1 / limits.price_ratio <= price <= limits.price_ratio:
        rule = f"a mean {price:.3g} times the usual; shop.limits.price_ratio is"
        found.append(
            Fault(column="price", rule=f"{rule} {limits.price_ratio:g}", count=len(events))
        )
    if rows > limits.volume_ratio:
        rule = f"{rows:.3g} times the usual number; shop.limits.volume_ratio is"
        found.append(Fault(column=None, rule=f"{rule} {limits.volume_ratio:g}", count=len(events)))
    _refuse(name, [fault for fault in found if fault])


def check_score(increment: Increment, scored: Prequential, parent: Path) -> None:
    """Raise InvalidDayError where nothing that is known foretells the day as any day before.

    Of a bad champion its predecessor or the naive rival does better, which is the gate's affair;
    where all fail, it is the day: labels were mixed up, or the shop is another one since today.
    """
    past = [day.metric for day in Cursor.read(parent).past if day.metric is not None]
    methods = (scored.champion, scored.predecessor, scored.anchor, scored.naive)
    today = [method[scored.metric] for method in methods if scored.metric in method]
    usual = statistics.median(past) if len(past) >= USUAL_DAYS else 0.0
    if not increment.limits or not today or usual <= 0:
        return
    limit = increment.limits.score_ratio
    best, worst = (
        (max(today), usual / limit) if scored.higher_is_better else (-min(today), -usual * limit)
    )
    if best < worst:
        rule = (
            f"{scored.metric} is {abs(best):.4g} at best and {usual:.4g} as usual; "
            f"shop.limits.score_ratio is {limit:g}"
        )
        _refuse(increment.events, [Fault(column=None, rule=rule, count=scored.units)])


def _refuse(name: str, faults: Sequence[Fault]) -> None:
    if faults:
        said = "; ".join(_say(fault) for fault in faults)
        raise InvalidDayError(
            f"{name} is like no day of this shop: {said}. Correct the source and land the day "
            "again; or, if it is right, release it (python -m flows.settle).",
            tuple(faults),
        )


def _most(ids: pd.Series, limit: float, setting: str) -> Fault | None:
    """The value with most rows, by its first row and not by name: it may be a person's."""
    counts = ids.value_counts()
    if counts.empty or counts.iloc[0] <= limit:
        return None
    rows = ids.index[ids == counts.index[0]]
    return Fault(
        column=str(ids.name),
        rule=f"one value's {len(rows)} events of {len(ids)}; shop.limits.{setting} allows "
        f"{int(limit)}",
        count=len(rows),
        rows=tuple(int(row) for row in rows[:FIRST_ROWS]),
    )


def _say(fault: Fault) -> str:
    row = f", row {fault.rows[0]}" if fault.rows else ""
    return (
        f"column '{fault.column}'{row}: {fault.rule}" if fault.column else f"events: {fault.rule}"
    )


def _against_usual(events: pd.DataFrame, kinds: tuple[str, ...], parent: Path) -> dict[str, float]:
    """The mean price, over the events that drift's reference is made of, and the number of events.

    Each in usual ones; what is not known is left out. Closed days are no usual days.
    """
    known = [past.rows for past in Cursor.read(parent).past if past.rows]
    compared = events[events["event_type"].isin(kinds)] if kinds else events
    today, usual = compared["price"].mean(), reference.read(parent)["price"].mean()
    found = {}
    if len(known) >= USUAL_DAYS and len(events):
        found["rows"] = len(events) / statistics.median(known)
    if today > 0 and usual > 0:
        found["price"] = float(today / usual)
    return found

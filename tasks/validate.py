"""Step: the day keeps the contract, or it is set aside."""

import logging
from pathlib import Path

from tasks.contract import InvalidDayError, check_events
from tasks.days import read_events, read_items
from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Increment, Validation

log = logging.getLogger(__name__)
FILE = "validation.json"


def validate(increment: Increment, params: Params, where: Path) -> Validation:
    """Check the day's file against the contract; raises InvalidDayError.

    A day without rows is one only where the calendar says that the shop was closed.
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
    log.info("%s: %d rows keep the contract", increment.day, len(events))
    return Validation(
        day=increment.day,
        rows=len(events),
        users=events["user_id"].nunique(),
        items=events["item_id"].nunique(),
        closed=closed and events.empty,
    ).write(where / FILE)


if __name__ == "__main__":  # the `validate` stage of dvc.yaml
    run_as_stage(validate)

"""The daily flow's body on the made-up shop, without Prefect, and the shop's settings."""

from dataclasses import replace

from tasks import correct, promote, quarantine
from tasks.attempt import open_attempt
from tasks.contract import InvalidDayError
from tasks.due import content, next_increment
from tests.line import APPLICATION, LANDED, Place, nth, run_steps


def night(place: Place, through: int = LANDED) -> list[str]:
    """What flows/daily.py does, without Prefect, up to a day; why days were set aside."""
    said = []
    last = nth(through)
    with place.ledger.lease(APPLICATION) as lease:
        correct.correct(place.ledger, lease, APPLICATION, place.params, last)
        while increment := next_increment(place.ledger, APPLICATION, place.params, last):
            where = open_attempt(increment)
            try:
                run_steps(increment, place.params, where)
            except InvalidDayError as problem:
                known = content(increment.day, increment.partitions, place.params.shop)
                quarantine.quarantine(place.ledger, lease, increment.day, known, problem)
                said.append(str(problem))
            else:
                promote.promote(place.ledger, lease, increment, place.params, where)
    return said


def with_shop(place: Place, **settings: object) -> Place:
    """The same place with other settings of the shop."""
    shop = place.params.shop.model_copy(update=settings)
    return replace(place, params=place.params.model_copy(update={"shop": shop}))

"""A day keeps the contract, or the step says why it is to be set aside."""

import pytest

from tasks.attempt import open_attempt
from tasks.contract import InvalidDayError
from tasks.records import Validation
from tasks.validate import FILE, validate
from tests.line import Place, land_instead, nth
from tests.tasks.test_due import closed_on, due


def test_a_good_day_is_counted(place: Place) -> None:
    increment = place.due()
    where = open_attempt(increment)
    found = validate(increment, place.params, where)
    assert found == Validation.read(where / FILE)
    assert found.rows > found.users > 10
    assert found.items > 10
    assert not found.closed


@pytest.mark.fault(13)
def test_a_day_of_a_broken_contract_is_refused_with_its_name(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.drop(columns="price"))
    increment = place.due()
    where = open_attempt(increment)
    with pytest.raises(
        InvalidDayError, match=rf"data/events/date={nth(1)} breaks.*'price' is missing"
    ):
        validate(increment, place.params, where)
    assert not (where / FILE).exists()


@pytest.mark.fault(13)
def test_the_same_events_twice_are_refused(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.loc[[*events.index, 0]])
    increment = place.due()
    with pytest.raises(InvalidDayError, match=r"column 'event_id', row 0: .* is not unique"):
        validate(increment, place.params, open_attempt(increment))


@pytest.mark.fault(13)
def test_no_rows_are_a_day_only_on_the_calendar(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.iloc[:0])
    params = closed_on(place.params, nth(1))
    increment = due(place, params)
    where = open_attempt(increment)
    assert validate(increment, params, where) == Validation(
        day=nth(1), rows=0, users=0, items=0, closed=True
    )
    with pytest.raises(InvalidDayError, match=r"has no rows, and .* not among shop\.closed_days"):
        validate(increment, place.params, where)


def test_rows_on_a_closed_day_are_learned_like_any_others(place: Place) -> None:
    params = closed_on(place.params, nth(1))
    increment = due(place, params)
    found = validate(increment, params, open_attempt(increment))
    assert (found.rows > 0, found.closed) == (True, False)

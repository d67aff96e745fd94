"""An operator settles a day that was set aside: learned as it is, in its place, or given up."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from tasks.contract import InvalidDayError
from tasks.due import WaitingError, next_increment
from tasks.ledger import Line
from tasks.limits import Limits
from tasks.settle import Decision, NotSetAsideError, settle
from tests.catch_up import night, with_shop
from tests.line import APPLICATION, Place, land_instead, nth, open_copy

REASON = "a canteen buys here now: it is right"


def busy(events: pd.DataFrame) -> pd.DataFrame:
    """One user buys all that is bought, again."""
    again = events.assign(
        user_id=events["user_id"].iloc[0], event_id=events["event_id"] + "-again"
    )
    return pd.concat([events, again], ignore_index=True)


def unusual(place: Place, on_quarantine: str = "go_on") -> Place:
    """The second day is beyond a limit."""
    land_instead(place, nth(2), busy)
    return with_shop(place, limits=Limits(rows_per_user=40), on_quarantine=on_quarantine)


def decide(place: Place, number: int, decision: Decision) -> Line:
    with place.ledger.lease(APPLICATION) as lease:
        return settle(place.ledger, lease, place.params, nth(number), decision, REASON)


def outcomes(place: Place) -> list[str]:
    fates = place.ledger.fates(APPLICATION)
    return [fate.outcome for day, fate in fates.items() if day >= nth(1)]


@pytest.mark.fault(14)
def test_a_released_day_ends_as_if_it_had_never_been_set_aside(
    place: Place, template: Path, tmp_path: Path
) -> None:
    unsuspected = with_shop(place, limits=Limits())
    land_instead(unsuspected, nth(2), busy)
    assert night(unsuspected, through=3) == []
    with open_copy(template, tmp_path / "other") as other:
        suspicious = unusual(other)
        (said,) = night(suspicious, through=3)
        assert "column 'user_id', row 0: one value's" in said
        assert "release it (python -m flows.settle)" in said
        assert outcomes(suspicious) == ["learned", "quarantined", "learned"]
        assert decide(suspicious, 2, "release").day == nth(1)
        assert outcomes(suspicious) == ["learned", "released", "rewound"]
        last = suspicious.ledger.champions(APPLICATION)[-1]
        assert (last.action, last.actor, last.reason) == ("roll_back", "operator", REASON)
        assert night(suspicious, through=3) == []
        assert outcomes(suspicious) == ["learned"] * 3
        head = suspicious.line.head
    assert head == unsuspected.line.head


@pytest.mark.fault(14)
def test_days_that_wait_go_on_when_the_day_is_released(place: Place) -> None:
    waiting = unusual(place, "wait")
    with pytest.raises(WaitingError, match=rf"{nth(3)} and later days wait for {nth(2)}.*settle"):
        night(waiting)
    assert outcomes(waiting) == ["learned", "quarantined"]
    with pytest.raises(WaitingError):
        next_increment(waiting.ledger, APPLICATION, waiting.params, dt.date.max)
    before = waiting.line
    line = decide(waiting, 2, "release")
    assert line.model_copy(update={"sequence": before.sequence}) == before
    night(waiting, through=3)
    assert outcomes(waiting) == ["learned"] * 3


@pytest.mark.fault(13)
def test_no_day_waits_for_one_that_was_given_up(place: Place) -> None:
    land_instead(place, nth(2), lambda events: events.drop(columns="price"))
    waiting = with_shop(place, on_quarantine="wait")
    with pytest.raises(WaitingError):
        night(waiting, through=3)
    truth = waiting.ledger.contents()
    with pytest.raises(InvalidDayError, match="column 'price' is missing"):
        decide(waiting, 2, "release")  # no word of an operator's makes it readable
    assert waiting.ledger.contents() == truth
    decide(waiting, 2, "give_up")
    night(waiting, through=3)
    assert outcomes(waiting) == ["learned", "given_up", "learned"]
    assert waiting.ledger.fates(APPLICATION)[nth(2)].reason == REASON


@pytest.mark.fault(13)
def test_days_that_wait_go_on_when_the_day_is_corrected(place: Place) -> None:
    land_instead(place, nth(2), lambda events: events.drop(columns="price"))
    waiting = with_shop(place, on_quarantine="wait")
    with pytest.raises(WaitingError):
        night(waiting, through=3)
    land_instead(waiting, nth(2), lambda events: events)
    night(waiting, through=3)
    assert outcomes(waiting) == ["learned"] * 3


def test_only_a_day_that_is_set_aside_can_be_settled(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.drop(columns="price"))
    night(place, through=1)
    truth = place.ledger.contents()
    with pytest.raises(NotSetAsideError, match=rf"{nth(2)} of .* not set aside; .*: {nth(1)}$"):
        decide(place, 2, "give_up")
    assert place.ledger.contents() == truth

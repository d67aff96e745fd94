"""The daily flow as a process: what it does, what it leaves alone, and what it says."""

import datetime as dt

import pytest

from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, check_whole, contents, experiments, finish

pytestmark = pytest.mark.slow
HELD = "'recommendation' is held by dayshift (process "


def learned(place: Place) -> list[dt.date]:
    """The days after history, in the order in which they were learned."""
    history = place.ledger.history(APPLICATION)
    return [entry.day for entry in history if entry.version and entry.day >= nth(1)]


@pytest.mark.fault(15, 18)
def test_missed_days_are_caught_up_in_order_and_each_once(caught_up: Place, flows: Flows) -> None:
    assert learned(caught_up) == [nth(number) for number in (1, 2, 3, 4)]
    assert set(experiments(caught_up.root)) == {
        f"{APPLICATION}-{nth(number)}" for number in (1, 2, 3, 4)
    }
    check_whole(caught_up)
    truth = caught_up.ledger.contents()
    said = flows.learn()
    assert f"nothing to learn, {nth(4)} is the last day learned" in said
    assert caught_up.ledger.contents() == truth


@pytest.mark.fault(20)
def test_two_runs_at_once_learn_each_day_once(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5, 6)
    both = [flows.start("-m", "flows.daily") for _ in range(2)]
    first, second = sorted((finish(process) for process in both), key=lambda done: done.code)
    assert first.code == 0, first.said
    assert learned(caught_up) == [nth(number) for number in (1, 2, 3, 4, 5, 6)]
    if second.code:  # it came while the other one was at work
        assert HELD in second.said
    else:
        assert "nothing to learn" in first.said
        assert "nothing to learn" in second.said
    check_whole(caught_up)


@pytest.mark.fault(20)
def test_a_run_says_who_is_at_work(caught_up: Place, flows: Flows) -> None:
    truth = caught_up.ledger.contents()
    with caught_up.ledger.lease(APPLICATION):
        done = flows.daily()
    assert done.code != 0
    assert HELD in done.said
    assert "Wait for it, or stop it" in done.said
    assert caught_up.ledger.contents() == truth


def test_a_run_stops_at_the_day_it_was_given(place: Place, flows: Flows) -> None:
    flows.learn(f"through_day='{nth(1)}'")
    assert learned(place) == [nth(1)]


def test_a_dry_run_says_what_and_why_and_changes_nothing(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5, 6)
    before = contents(caught_up.root)
    done = flows.run("-m", "flows.daily", "--dry-run")
    assert done.code == 0, done.said
    assert f"Learned through **{nth(4)}**. Nothing was changed." in done.said
    assert f"It would first learn **{nth(5)}**" in done.said
    assert "**fine-tune**, because" in done.said
    assert "batch_size 8, replay 32\n" in done.said  # and none of what nobody has turned
    assert "1 more landed day would follow" in done.said
    assert contents(caught_up.root) == before


def test_an_application_that_is_none_is_answered_with_those_there_are(
    place: Place, flows: Flows
) -> None:
    done = flows.daily("'pricing'")
    assert done.code != 0
    assert "no application 'pricing'; it has: recommendation" in done.said

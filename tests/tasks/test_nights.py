"""What is known of each night, and what a run that was killed could not say."""

from tasks.nights import UNTOLD, nights, untold
from tests.line import APPLICATION, Place, learn, nth


def begin_attempt(place: Place, number: int) -> str:
    with place.ledger.lease(APPLICATION) as lease:
        return place.ledger.begin_attempt(lease, nth(number))


def test_a_verdict_that_nobody_was_told_is_told_once(seasoned: Place) -> None:
    begin_attempt(seasoned, 3)  # and killed between the commit and the end of the run
    (verdict,) = untold(seasoned.ledger, APPLICATION)
    assert verdict == nights(seasoned.ledger, APPLICATION)[-1].verdict
    assert verdict.day == nth(3)
    assert untold(seasoned.ledger, APPLICATION) == []


def test_an_alarm_waits_until_it_is_told(seasoned: Place) -> None:
    attempt = begin_attempt(seasoned, 3)
    seasoned.ledger.end_attempt(attempt, UNTOLD, {"decide": 0.1})  # then killed at the next day
    assert [verdict.day for verdict in untold(seasoned.ledger, APPLICATION)] == [nth(3)]
    assert untold(seasoned.ledger, APPLICATION) == []
    (ended,) = seasoned.ledger.attempts(APPLICATION)
    assert (ended.outcome, ended.seconds) == ("promote", {"decide": 0.1})


def test_a_run_that_was_killed_before_its_commit_has_nothing_to_say(seasoned: Place) -> None:
    begin_attempt(seasoned, 4)
    assert untold(seasoned.ledger, APPLICATION) == []
    learn(seasoned, "keep")
    again = begin_attempt(seasoned, 4)  # the one that went through, and said so
    seasoned.ledger.end_attempt(again, "keep", {})
    assert untold(seasoned.ledger, APPLICATION) == []

"""What is known of each night, and what a run that was killed could not say."""

from tasks.nights import nights, unsaid
from tests.line import APPLICATION, Place, learn, nth


def begin_attempt(place: Place, number: int) -> str:
    with place.ledger.lease(APPLICATION) as lease:
        return place.ledger.begin_attempt(lease, nth(number))


def test_a_verdict_that_nobody_was_told_is_told_once(seasoned: Place) -> None:
    begin_attempt(seasoned, 3)  # and killed between the commit and the end of the run
    (verdict,) = unsaid(seasoned.ledger, APPLICATION)
    assert verdict == nights(seasoned.ledger, APPLICATION)[-1].verdict
    assert verdict.day == nth(3)
    assert unsaid(seasoned.ledger, APPLICATION) == []


def test_a_run_that_was_killed_before_its_commit_has_nothing_to_say(seasoned: Place) -> None:
    begin_attempt(seasoned, 4)
    assert unsaid(seasoned.ledger, APPLICATION) == []
    learn(seasoned, "keep")
    again = begin_attempt(seasoned, 4)  # the one that went through, and said so
    seasoned.ledger.end_attempt(again, "keep", {})
    assert unsaid(seasoned.ledger, APPLICATION) == []

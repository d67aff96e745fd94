"""A person is asked for a promotion, again for another one, and for nothing else."""

from collections.abc import Callable
from unittest import mock

import pytest

from tasks import promote, roll_back, workspace
from tasks.alerts import open_alerts
from tasks.attempt import open_attempt
from tasks.ledger import Day, Ledger
from tasks.nights import nights
from tasks.records import Increment
from tasks.settle import NotSetAsideError, settle
from tasks.standing import standing
from tests.approval import REASON, answer, asking, night, outcomes
from tests.line import APPLICATION, Place, land_instead, nth, run_steps


def other_code(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(workspace, "code_revision", lambda: "another")
    return place


def other_content(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    land_instead(place, nth(1), lambda events: events.iloc[:-1])
    return place


def other_gate(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    return asking(place, margin=4.0)


@pytest.mark.parametrize("change", [other_code, other_content, other_gate])
def test_what_is_not_what_was_shown_awaits_approval_anew(
    place: Place,
    change: Callable[[Place, pytest.MonkeyPatch], Place],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = asking(place)
    night(waiting, through=1)
    answer(waiting, 1, "approve")
    (verdict,) = night(change(waiting, monkeypatch), through=1)
    assert verdict.outcome == "awaiting approval"
    assert outcomes(waiting) == ["awaiting"]
    assert waiting.line.champion == waiting.ledger.champions(APPLICATION)[0].version


def test_a_rollback_makes_what_awaits_due_again(place: Place) -> None:
    waiting = asking(place)
    night(waiting, through=1)
    with waiting.ledger.lease(APPLICATION) as lease:
        roll_back.roll_back(
            waiting.ledger, lease, APPLICATION, waiting.params, waiting.line.head, "relearn", "?"
        )
    assert outcomes(waiting) == ["rewound"]


def test_what_awaits_approval_can_be_given_up(place: Place) -> None:
    """Where the version before the day is gone, it cannot be learned in its place any more."""
    waiting = asking(place)
    night(waiting, through=1)
    with waiting.ledger.lease(APPLICATION) as lease:
        with pytest.raises(NotSetAsideError):
            settle(waiting.ledger, lease, waiting.params, nth(1), "release", REASON)
        settle(waiting.ledger, lease, waiting.params, nth(1), "give_up", REASON)
    (verdict,) = night(waiting, through=2)
    assert verdict.day == nth(2)
    assert outcomes(waiting) == ["given_up", "awaiting"]


def test_a_keep_is_learned_without_a_question(place: Place) -> None:
    cautious = asking(place, "wait", min_units=10**6)
    (verdict,) = night(cautious, through=1)
    assert (verdict.outcome, outcomes(cautious)) == ("keep", ["learned"])


def test_nothing_is_promoted_that_awaits_approval(place: Place) -> None:
    waiting = asking(place)
    increment: Increment = waiting.due()
    where = open_attempt(increment)
    run_steps(increment, waiting.params, where)
    truth = waiting.ledger.contents()
    with (
        waiting.ledger.lease(APPLICATION) as lease,
        pytest.raises(promote.NotApprovedError, match="awaits approval; nothing was written"),
    ):
        promote.promote(waiting.ledger, lease, increment, waiting.params, where)
    assert waiting.ledger.contents() == truth


def test_a_day_that_awaits_approval_is_told_of(place: Place) -> None:
    waiting = asking(place)
    night(waiting, through=1)
    (alert,) = [
        one
        for one in open_alerts(waiting.ledger, APPLICATION, waiting.params)
        if one.kind == "approval"
    ]
    assert alert.day == nth(1)
    assert f"python -m flows.approve --application {APPLICATION} --day {nth(1)}" in alert.cure
    (found,) = [one for one in nights(waiting.ledger, APPLICATION) if one.day == nth(1)]
    assert (found.decision, found.version) == ("awaiting approval", None)
    assert found.verdict is not None
    assert found.prequential is not None
    stands = standing(waiting.ledger, APPLICATION, waiting.params)
    assert stands.awaiting == (nth(1),)
    assert any(said.startswith("approval: the gate would") for said in stands.attention)
    answer(waiting, 1, "approve")
    assert standing(waiting.ledger, APPLICATION, waiting.params).awaiting == ()


def test_only_a_day_that_is_asked_about_names_a_challenger() -> None:
    told = {"day": nth(1), "digest": "content", "reason": "?"}
    assert Day(**told, outcome="awaiting", challenger="c" * 64).challenger
    for wrong in ({"outcome": "awaiting"}, {"outcome": "rewound", "challenger": "c" * 64}):
        with pytest.raises(ValueError, match="no other, names a challenger"):
            Day(**told, **wrong)


def test_a_run_that_ends_before_the_ledger_is_told_asks_the_same_again(place: Place) -> None:
    waiting = asking(place)
    truth = waiting.ledger.contents()
    with (
        mock.patch.object(Ledger, "note", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        night(waiting, through=1)
    assert waiting.ledger.contents() == truth
    shelf = workspace.VAR / "awaiting" / APPLICATION
    before = {path: path.read_bytes() for path in shelf.rglob("*.json")}
    assert before
    night(waiting, through=1)
    assert outcomes(waiting) == ["awaiting"]
    assert {path: path.read_bytes() for path in shelf.rglob("*.json")} == before

"""A person answers: what was shown is promoted or refused, and nothing else."""

import shutil
from pathlib import Path

import pytest

from tasks import bundle, roll_back, workspace
from tasks.approve import (
    NoReasonError,
    NotAwaitingError,
    NotShownError,
    approve,
    asked_for,
)
from tasks.correct import correct
from tasks.due import AwaitingApprovalError
from tasks.nights import awaiting_folder, beside
from tasks.records import Increment, Verdict
from tests.approval import REASON, answer, asking, night, outcomes
from tests.catch_up import with_shop
from tests.line import APPLICATION, Place, land_instead, nth, open_copy


def parameters(place: Place) -> dict[str, str]:
    """The digests of the head's files that the learner wrote."""
    manifest = bundle.load(workspace.BUNDLES, APPLICATION, place.line.head).manifest
    return {name: digest.sha256 for name, digest in manifest.files.items()}


@pytest.mark.usefixtures("url")
def test_later_days_wait_until_what_was_shown_is_approved(place: Place) -> None:
    waiting = asking(place)
    before = waiting.line
    (verdict,) = night(waiting, through=1)
    assert (verdict.action, verdict.outcome) == ("promote", "awaiting approval")
    assert waiting.line.model_copy(update={"sequence": before.sequence}) == before
    assert night(waiting, through=1) == []  # it is asked once
    with pytest.raises(
        AwaitingApprovalError, match=f"later days wait for {nth(1)}.*flows.approve"
    ):
        night(waiting, through=2)
    asked = waiting.ledger.fates(APPLICATION)[nth(1)]
    assert asked.challenger == verdict.awaits
    assert "the gate would promote: every check passed. It awaits" in asked.reason
    kept = [path for path in awaiting_folder(APPLICATION, asked).rglob("*") if path.is_file()]
    assert {"verdict.json", "evaluation.json", "fit.json"} <= {path.name for path in kept}
    assert {path.suffix for path in kept} == {".json"}  # neither weights nor anything of a user's
    answer(waiting, 1, "approve")
    assert outcomes(waiting) == ["approved"]
    (verdict,) = night(waiting, through=1)
    assert (verdict.action, verdict.awaits) == ("promote", None)
    serving = waiting.ledger.champions(APPLICATION)[-1]
    assert (serving.action, serving.actor, serving.day) == ("promote", "operator", nth(1))
    assert serving.reason == f"every check passed; approved by a person: {REASON}"
    assert waiting.line.champion == waiting.line.head
    assert outcomes(waiting) == ["learned"]
    pinned = Increment.read(beside(APPLICATION, waiting.line.head, "increment.json"))
    assert pinned.approval == verdict.approval  # so that `dvc repro` comes to the same verdict


def test_an_approved_champion_is_the_one_that_nobody_had_been_asked_for(
    place: Place, template: Path, tmp_path: Path
) -> None:
    unasked = asking(place, "none")
    night(unasked, through=1)
    expected = parameters(unasked)
    with open_copy(template, tmp_path / "other") as other:
        asked = asking(other, "go_on")
        night(asked, through=1)
        answer(asked, 1, "approve")
        night(asked, through=1)
        assert parameters(asked) == expected


def test_later_days_go_on_and_are_learned_again_after_the_approval(place: Place) -> None:
    going_on = asking(place, "go_on")
    night(going_on, through=1)
    cautious = asking(place, "go_on", min_units=10**6)
    (verdict,) = night(cautious, through=2)
    assert verdict.action == "keep"
    night(going_on, through=3)
    assert outcomes(going_on) == ["awaiting", "learned", "awaiting"]
    with pytest.raises(NotAwaitingError, match=f"name the day; .*: {nth(1)}, {nth(3)}$"):
        asked_for(going_on.ledger, APPLICATION, None)
    line = answer(going_on, 1, "approve")
    assert line.day < nth(1)
    assert outcomes(going_on) == ["approved", "rewound", "rewound"]  # day 3 would be another one
    first, second = night(going_on, through=2)
    assert (first.action, first.awaits) == ("promote", None)
    assert (second.day, second.outcome) == (nth(2), "awaiting approval")


@pytest.mark.usefixtures("url")
def test_a_rejected_challenger_is_learned_by_the_state_alone(place: Place) -> None:
    waiting = asking(place)
    night(waiting, through=1)
    before = waiting.line
    answer(waiting, 1, "reject", "it forgets\nthe bakery\x1b[2J")
    (verdict,) = night(waiting, through=1)
    assert (verdict.action, verdict.reason) == (
        "keep",
        "rejected by a person: it forgets the bakery [2J",
    )
    fate = waiting.ledger.fates(APPLICATION)[nth(1)]
    assert (fate.outcome, fate.action, fate.reason) == ("learned", "keep", verdict.reason)
    assert (waiting.line.day, waiting.line.champion) == (nth(1), before.champion)
    assert night(waiting, through=1) == []
    made = bundle.load(workspace.BUNDLES, APPLICATION, waiting.line.head).manifest
    assert made.settings["approval"]["decision"] == "reject"


def test_an_answer_outlasts_a_rollback(place: Place) -> None:
    waiting = asking(place)
    first = waiting.line.head
    night(waiting, through=1)
    answer(waiting, 1, "approve")
    night(waiting, through=1)
    promoted = waiting.line.head
    with waiting.ledger.lease(APPLICATION) as lease:
        roll_back.roll_back(
            waiting.ledger, lease, APPLICATION, waiting.params, first, "relearn", "to see"
        )
    night(waiting, through=1)
    assert waiting.line.head == promoted


def test_a_correction_goes_back_past_an_approval_and_asks_anew(place: Place) -> None:
    waiting = with_shop(asking(place), on_correction="relearn")
    night(waiting, through=1)
    answer(waiting, 1, "approve")
    night(waiting, through=1)
    land_instead(waiting, nth(1), lambda events: events.iloc[:-1])
    with waiting.ledger.lease(APPLICATION) as lease:
        correct(waiting.ledger, lease, APPLICATION, waiting.params, nth(1))
    (verdict,) = night(waiting, through=1)
    assert verdict.outcome == "awaiting approval"


def test_an_answer_is_given_once_and_to_what_was_shown(place: Place) -> None:
    waiting = asking(place)
    with pytest.raises(NotAwaitingError, match=r"no day of .* awaits approval; .* do: none$"):
        asked_for(waiting.ledger, APPLICATION, None)
    night(waiting, through=1)
    asked = asked_for(waiting.ledger, APPLICATION, None)
    truth = waiting.ledger.contents()
    with pytest.raises(NoReasonError, match="needs a reason"):
        answer(waiting, 1, "approve", " \n")
    with pytest.raises(NotAwaitingError, match=f"{nth(2)} of .* does not await.*: {nth(1)}$"):
        answer(waiting, 2, "approve")
    folder = awaiting_folder(APPLICATION, asked)
    folder.rename(folder.with_name("away"))
    with pytest.raises(NotShownError, match=r"cannot be read.*back from a copy"):
        answer(waiting, 1, "approve")
    shutil.copytree(folder.with_name("away"), folder)
    verdict = Verdict.read(folder / "verdict.json")
    verdict.model_copy(update={"awaits": "f" * 64}).write(folder / "verdict.json")
    with pytest.raises(NotShownError, match="not of the challenger"):
        answer(waiting, 1, "approve")
    verdict.write(folder / "verdict.json")
    assert waiting.ledger.contents() == truth
    answer(waiting, 1, "approve")
    with pytest.raises(NotAwaitingError, match=r"does not await approval; .* do: none$"):
        answer(waiting, 1, "reject")
    with (
        waiting.ledger.lease(APPLICATION) as lease,
        pytest.raises(NotAwaitingError, match="does not await"),
    ):
        approve(waiting.ledger, lease, waiting.params, asked, "reject", REASON)

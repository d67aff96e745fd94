"""One transaction moves the line; before it nothing is lost, after it nothing is needed."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from tasks import promote, workspace
from tasks.attempt import PIN, open_attempt
from tasks.card import CARD
from tasks.cursor import Cursor
from tasks.due import CLOSED
from tasks.ledger import LostLineError
from tasks.records import Increment, Verdict
from tasks.version import build_version
from tests.line import (
    APPLICATION,
    Place,
    attempt,
    learn,
    nth,
    open_copy,
    overrule,
    run_steps,
    settle,
)

pytestmark = pytest.mark.usefixtures("url")  # the ledger on both databases


def test_a_promotion_moves_head_and_champion(evening: Place) -> None:
    before = evening.line
    line = settle(evening, attempt(), "promote")
    assert line == evening.line
    assert line.head == line.champion != before.head
    assert (line.predecessor, line.anchor) == (before.head, before.head)
    assert (line.day, line.sequence) == (nth(1), before.sequence + 1)
    last = evening.ledger.champions(APPLICATION)[-1]
    assert (last.version, last.action, last.actor) == (line.head, "promote", "daily increment")


def test_a_keep_moves_the_head_only(evening: Place) -> None:
    before = evening.line
    line = settle(evening, attempt(), "keep")
    assert line.head != before.head
    assert (line.champion, line.predecessor) == (before.champion, before.predecessor)
    assert len(evening.ledger.champions(APPLICATION)) == 1
    fate = evening.ledger.fates(APPLICATION)[nth(1)]
    assert (fate.outcome, fate.action, fate.version) == ("learned", "keep", line.head)
    assert fate.reason == "to see a keep"
    assert fate.rows > 100


def test_what_the_steps_wrote_stays_beside_the_version(evening: Place) -> None:
    pinned = Increment.read(attempt() / PIN)
    verdict = overrule(attempt(), "promote")
    line = settle(evening, attempt())
    place = workspace.ATTACHMENTS / APPLICATION / line.head
    assert Verdict.read(place / "verdict.json") == verdict
    assert Increment.read(place / PIN) == pinned
    attached = evening.ledger.attached(APPLICATION, line.head)
    assert {"verdict.json", "prequential.parquet", "challenger/fit.json"} <= attached.keys()
    assert "drift.html" not in attached  # it is there, but not the same from run to run
    assert (place / "drift.html").exists()
    assert not any(name.startswith(("parent", "predecessor", "anchor")) for name in attached)
    for name, digest in attached.items():
        assert hashlib.sha256((place / name).read_bytes()).hexdigest() == digest
    assert list((workspace.ATTEMPTS / APPLICATION).iterdir()) == []


def test_a_rollback_takes_back_the_days_since_and_learns_none_of_them_again(
    seasoned: Place,
) -> None:
    bad = seasoned.line
    line = learn(seasoned, "roll_back")
    assert line.head == line.champion
    assert line.predecessor not in (bad.champion, bad.predecessor)
    assert (line.day, line.anchor) == (nth(4), bad.anchor)
    fates = seasoned.ledger.fates(APPLICATION)
    assert [fates[nth(number)].action for number in (1, 2, 3, 4)] == [
        "promote",
        "keep",
        "keep",
        "roll_back",
    ]
    assert fates[nth(3)].version == fates[nth(4)].version == line.head
    assert f"champion {bad.champion[:12]} was taken back" in fates[nth(3)].reason
    assert fates[nth(3)].rows > 100
    assert all(fate.outcome == "learned" for fate in fates.values())


def test_a_run_that_was_overtaken_changes_nothing(evening: Place) -> None:
    late = shutil.copytree(attempt(), evening.root / "late")
    settle(evening, attempt(), "keep")
    truth = evening.ledger.contents()
    head = evening.line.head
    with pytest.raises(LostLineError):
        settle(evening, late, "promote")
    assert evening.ledger.contents() == truth
    assert evening.line.head == head


@pytest.mark.parametrize("killed_after", ["the bundle", "the attachments"])
def test_killed_before_the_transaction_it_is_made_again_to_the_same_bytes(
    killed_after: str, evening: Place, evening_template: Path, tmp_path: Path
) -> None:
    overrule(attempt(), "promote")
    stored = build_version(evening.due(), evening.params, attempt())
    if killed_after == "the attachments":
        promote.attach(stored, attempt())
    assert evening.line.head != stored.version
    line = learn(evening, "promote")
    assert line.head == stored.version
    with open_copy(evening_template, tmp_path / "undisturbed") as undisturbed:
        settle(undisturbed, attempt(), "promote")
        assert undisturbed.ledger.contents() == evening.ledger.contents()


def test_a_closed_day_is_learned_as_an_empty_one(seasoned: Place) -> None:
    increment = seasoned.due().model_copy(update={"partitions": {}})
    where = open_attempt(increment)
    shop = seasoned.params.shop.model_copy(update={"closed_days": (increment.day,)})
    params = seasoned.params.model_copy(update={"shop": shop})
    assert run_steps(increment, params, where).action == "keep"
    before = seasoned.head
    settle(Place(seasoned.root, params, seasoned.ledger), where)
    fate = seasoned.ledger.fates(APPLICATION)[nth(4)]
    assert (fate.outcome, fate.action, fate.digest) == ("learned", "keep", CLOSED)
    assert fate.rows == 0
    assert seasoned.line.day == nth(4)
    for name in ("model.safetensors", "learner.safetensors", "vocabulary.json"):
        assert (seasoned.head / name).read_bytes() == (before / name).read_bytes()
    # Nobody shopped, so nobody was compared with anybody: no look is spent.
    assert Cursor.read(seasoned.head).looks == increment.looks


def test_a_promoted_version_has_a_card_of_its_own(evening: Place) -> None:
    line = settle(evening, attempt(), "promote")
    place = workspace.ATTACHMENTS / APPLICATION / line.head
    card = (place / CARD).read_text()
    files = (evening.head / "manifest.json").read_text()
    for said in (line.head, line.anchor, "| ndcg@20 |", "to see a promote", *_digests(files)):
        assert said in card
    assert "| yes |" in card
    assert not re.search(r"\bu\d{3}\b", card)  # no user
    assert evening.ledger.attached(APPLICATION, line.head)[CARD]
    learn(evening, "keep")
    assert CARD not in evening.ledger.attached(APPLICATION, evening.line.head)


def _digests(manifest: str) -> list[str]:
    return [about["sha256"] for about in json.loads(manifest)["files"].values()]

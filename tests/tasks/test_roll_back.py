"""An operator goes back: the learner byte for byte, and the days since as was asked for."""

import datetime as dt
import shutil
from dataclasses import replace

import pytest

from lightning_modules.learner import ShopDay
from tasks import bundle, days, learners
from tasks.bundle import CorruptBundleError
from tasks.days import no_events
from tasks.due import next_increment
from tasks.ledger import Line
from tasks.rewind import NoWayBackError
from tasks.roll_back import Fate, roll_back
from tests.line import APPLICATION, Place, finish_snapshots, land_instead, learn, nth

REASON = "the shop window was on fire"


def go_back(place: Place, days_since: Fate = "relearn", to: str | None = None) -> Line:
    with place.ledger.lease(APPLICATION) as lease:
        return roll_back(place.ledger, lease, APPLICATION, place.params, to, days_since, REASON)


def versions(place: Place) -> list[str]:
    """The line's versions by day: the first one, then those of the three days."""
    chain = [place.line.head]
    while parent := bundle.read_manifest(place.bundle(chain[0])).parent:
        chain.insert(0, parent)
    return chain


def test_back_to_the_predecessor_all_of_the_learner_is_back(seasoned: Place) -> None:
    first, promoted, kept, _ = versions(seasoned)
    line = go_back(seasoned)
    assert (line.head, line.champion) == (kept, promoted)
    assert (line.predecessor, line.anchor, line.day) == (first, first, nth(2))
    assert bundle.verify(seasoned.head, version=kept)
    increment = seasoned.due()
    assert (increment.day, increment.parent) == (nth(3), kept)
    fates = seasoned.ledger.fates(APPLICATION)
    fate = fates[nth(3)]
    assert (fate.outcome, fate.reason, fate.version) == ("rewound", REASON, None)
    assert (fates[nth(2)].outcome, fates[nth(2)].version) == ("learned", kept)
    last = seasoned.ledger.champions(APPLICATION)[-1]
    assert (last.action, last.actor, last.reason) == ("roll_back", "operator", REASON)


def test_a_day_learned_again_in_the_same_way_is_the_same_version(seasoned: Place) -> None:
    before = seasoned.line
    go_back(seasoned)
    again = learn(seasoned, "promote")
    assert again.head == before.head
    assert again.model_copy(update={"sequence": 0}) == before.model_copy(update={"sequence": 0})


def test_days_kept_stay_in_the_state_and_leave_the_parameters(seasoned: Place) -> None:
    head = seasoned.head
    _, promoted, kept, _ = versions(seasoned)
    line = go_back(seasoned, "keep")
    assert line.head not in versions(seasoned)[:-1]
    for name in ("model.safetensors", "learner.safetensors"):
        assert (seasoned.head / name).read_bytes() == (seasoned.bundle(kept) / name).read_bytes()
        assert (seasoned.head / name).read_bytes() == (
            seasoned.bundle(promoted) / name
        ).read_bytes()
    for name in ("state.safetensors", "replay.safetensors", "vocabulary.json", "cursor.json"):
        assert (seasoned.head / name).read_bytes() == (head / name).read_bytes()
    fate = seasoned.ledger.fates(APPLICATION)[nth(3)]
    assert (fate.outcome, fate.action, fate.version) == ("learned", "keep", line.head)
    assert seasoned.due().day == nth(4)
    section = seasoned.params.application(APPLICATION)
    learner = learners.open_learner(seasoned.head, section)
    with pytest.raises(ValueError, match="each day counts once"):
        learner.absorb(ShopDay(nth(3), no_events(), no_events(), no_events()), None, None)


def test_days_set_aside_are_passed_over(seasoned: Place) -> None:
    _, _, kept, _ = versions(seasoned)
    assert go_back(seasoned, "quarantine").head == kept
    assert seasoned.ledger.fates(APPLICATION)[nth(3)].outcome == "quarantined"
    increment = seasoned.due()
    assert (increment.day, increment.parent) == (nth(4), kept)


def test_any_version_of_the_line_can_be_named_by_its_beginning(seasoned: Place) -> None:
    first = versions(seasoned)[0]
    line = go_back(seasoned, to=first[:10])
    assert (line.head, line.champion, line.predecessor) == (first, first, None)
    fates = seasoned.ledger.fates(APPLICATION)
    assert [fates[nth(number)].outcome for number in (1, 2, 3)] == ["rewound"] * 3
    assert seasoned.due().day == nth(1)


@pytest.mark.fault(28)
@pytest.mark.parametrize("wanted", ["nonsense", "f" * 64])
def test_a_version_that_is_none_is_answered_with_those_there_are(
    seasoned: Place, wanted: str
) -> None:
    truth = seasoned.ledger.contents()
    earlier = versions(seasoned)[0][:12]
    with pytest.raises(NoWayBackError, match=f"not one version of this line: .*{earlier}"):
        go_back(seasoned, to=wanted)
    assert seasoned.ledger.contents() == truth


def test_to_where_it_stands_already_there_is_no_way(seasoned: Place) -> None:
    truth = seasoned.ledger.contents()
    with pytest.raises(NoWayBackError, match="is the head, and no day after it"):
        go_back(seasoned, to=seasoned.line.head)
    assert seasoned.ledger.contents() == truth


def set_aside(place: Place, number: int) -> None:
    increment = place.due()
    assert increment.day == nth(number)
    with place.ledger.lease(APPLICATION) as lease:
        digest = days.digest(increment.partitions)
        place.ledger.quarantine(lease, increment.day, digest, "the wrong time zone")


def test_a_day_set_aside_by_mistake_is_released_by_going_to_the_head(place: Place) -> None:
    set_aside(place, 1)
    assert place.due().day == nth(2)
    before = place.line
    line = go_back(place, to=before.head)
    assert line.model_copy(update={"sequence": before.sequence}) == before
    assert len(place.ledger.champions(APPLICATION)) == 1  # nobody else came to serve
    assert place.due().day == nth(1)


def test_a_day_set_aside_between_is_learned_in_its_place(place: Place) -> None:
    first = place.line.head
    set_aside(place, 1)
    learn(place, "promote")
    assert place.line.day == nth(2)
    go_back(place, to=first)
    fates = place.ledger.fates(APPLICATION)
    assert [fates[nth(number)].outcome for number in (1, 2)] == ["rewound"] * 2
    assert place.due().day == nth(1)


def test_what_was_to_be_learned_again_can_still_be_set_aside(seasoned: Place) -> None:
    kept = go_back(seasoned).head
    assert seasoned.due().day == nth(3)
    assert go_back(seasoned, "quarantine", to=kept).head == kept
    assert seasoned.due().day == nth(4)


@pytest.mark.fault(27)
def test_going_back_past_an_automatic_roll_back_takes_its_fates_back_too(place: Place) -> None:
    learn(place, "promote")
    promoted = place.line.head
    learn(place, "roll_back")
    fates = place.ledger.fates(APPLICATION)
    assert "was taken back" in fates[nth(1)].reason
    line = go_back(place, to=promoted)
    assert (line.head, line.champion) == (promoted, promoted)
    fate = place.ledger.fates(APPLICATION)[nth(1)]
    assert (fate.outcome, fate.action, fate.version) == ("learned", "promote", promoted)
    assert place.due().day == nth(2)


@pytest.mark.fault(28)
def test_a_lost_head_or_ancestor_blocks_no_way_back(seasoned: Place) -> None:
    first, promoted, kept, head = versions(seasoned)
    for lost in (first, head):
        shutil.rmtree(seasoned.bundle(lost))
    with pytest.raises(CorruptBundleError, match=r"cursor\.json cannot be read.*rollback flow"):
        seasoned.due()
    assert go_back(seasoned, to=kept).champion == promoted


def test_what_the_line_has_gone_back_from_need_not_be_shown(seasoned: Place) -> None:
    shutil.rmtree(seasoned.head)  # lost before its snapshot was made
    go_back(seasoned)
    assert finish_snapshots(seasoned) > 0
    assert seasoned.ledger.missing_snapshots(APPLICATION) == []


def test_a_closed_day_that_is_set_aside_stays_so(seasoned: Place) -> None:
    land_instead(seasoned, nth(4), lambda events: events.head(0))
    shop = seasoned.params.shop.model_copy(update={"closed_days": (nth(4),)})
    place = replace(seasoned, params=seasoned.params.model_copy(update={"shop": shop}))
    before = place.line.head
    learn(place, "keep")
    assert place.line.day == nth(4)
    go_back(place, "quarantine", to=before)
    assert next_increment(place.ledger, APPLICATION, place.params, dt.date.max) is None


def test_there_is_nothing_before_the_first_champion(place: Place) -> None:
    with pytest.raises(NoWayBackError, match="is the first champion of 'recommendation'"):
        go_back(place)


@pytest.mark.fault(28)
@pytest.mark.parametrize("days_since", ["relearn", "keep", "quarantine"])
def test_nothing_moves_to_a_damaged_version(seasoned: Place, days_since: Fate) -> None:
    truth = seasoned.ledger.contents()
    assert seasoned.line.predecessor
    damaged = seasoned.bundle(seasoned.line.predecessor) / "state.safetensors"
    damaged.unlink()
    with pytest.raises(CorruptBundleError, match=r"state\.safetensors is missing"):
        go_back(seasoned, days_since)
    assert seasoned.ledger.contents() == truth

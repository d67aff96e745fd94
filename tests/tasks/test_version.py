"""The next version: whose parameters it has, and a state that took the day once."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tasks import learners, reference
from tasks.attempt import PIN, open_attempt
from tasks.bundle import Bundle, CorruptBundleError
from tasks.cursor import Cursor, PastDay
from tasks.records import Action, Increment, Plan, Prequential, Validation
from tasks.version import EVIDENCE, build_version
from tests.line import (
    APPLICATION,
    Place,
    attempt,
    land_instead,
    nth,
    open_copy,
    overrule,
    run_steps,
    spend_day,
)

PARAMETERS = ("model.safetensors", "learner.safetensors")
STATE = ("state.safetensors", "replay.safetensors", "vocabulary.json")
MEMORY = (reference.FILE, EVIDENCE, "cursor.json")


def built(place: Place, where: Path, action: Action) -> Bundle:
    overrule(where, action)
    return build_version(Increment.read(where / PIN), place.params, where)


def content(folder: Path, names: tuple[str, ...]) -> list[bytes]:
    return [(folder / name).read_bytes() for name in names]


def test_a_day_that_an_operator_chose_to_skip_is_another_version_than_one_refused(
    seasoned: Place,
) -> None:
    """Else the files of the one would stand beside the ledger's row of the other."""
    kept = []
    for learn in ("skip", None):
        increment = seasoned.due().model_copy(update={"learn": learn})
        where = open_attempt(increment)
        run_steps(increment, seasoned.params, where)
        kept.append(built(seasoned, where, "keep"))
    chosen, planned = kept
    assert content(chosen.path, STATE) == content(planned.path, STATE)
    assert chosen.version != planned.version


def test_each_verdict_has_its_parameters_and_all_the_same_state(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    run_steps(increment, seasoned.params, where)
    made = {action: built(seasoned, where, action) for action in ("promote", "keep", "roll_back")}
    taken_from = {"promote": "challenger", "keep": "parent", "roll_back": "predecessor"}
    for action, source in taken_from.items():
        assert content(made[action].path, PARAMETERS) == content(where / source, PARAMETERS)
    shared = tuple(name for name in (*STATE, *MEMORY) if name != EVIDENCE)
    states = [content(bundle.path, shared) for bundle in made.values()]
    assert states == [states[0]] * 3
    evidence = {a: reference.read_frame(bundle.path / EVIDENCE) for a, bundle in made.items()}
    assert evidence["promote"].equals(evidence["keep"])
    assert len(evidence["keep"])
    assert evidence["roll_back"].empty  # the nights of the one taken back convict nobody else
    assert len({bundle.version for bundle in made.values()}) == 3


def test_ancestry_follows_the_verdict(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    run_steps(increment, seasoned.params, where)
    made = {action: built(seasoned, where, action) for action in ("promote", "keep", "roll_back")}
    kinds = [bundle.manifest.kind for bundle in made.values()]
    assert kinds == ["promoted", "state only", "rolled back"]
    for bundle in made.values():
        assert bundle.manifest.parent == increment.parent
        assert bundle.manifest.anchor == increment.anchor
        assert bundle.manifest.partitions == increment.partitions
        assert bundle.manifest.day == nth(4)
    before = [bundle.manifest.predecessor for bundle in made.values()]
    # Gone back to the predecessor, the next one to go back to is that one's own.
    assert before == [increment.parent, increment.predecessor, increment.anchor]


def test_the_state_takes_every_row_of_the_day_once(evening: Place, tmp_path: Path) -> None:
    increment, where = evening.due(), attempt()
    section = evening.params.application(APPLICATION)
    stored = built(evening, where, "keep")
    learner = learners.open_learner(where / "parent", section)
    today = learners.read_day(increment)
    seen = learner.examples(today)
    held_out = learners.held_out(seen, section.holdout_share)
    learner.absorb(today, seen, held_out)
    learner.save(tmp_path)
    assert content(stored.path, STATE) == content(tmp_path, STATE)
    assert content(stored.path, STATE) != content(where / "parent", STATE)
    again = learners.open_learner(stored.path, section)
    with pytest.raises(ValueError, match="each day counts once"):
        again.absorb(today, seen, held_out)


def newcomer(events: pd.DataFrame) -> pd.DataFrame:
    """The same day, but its first line is of a user and an item that nobody saw before."""
    first = events.index == 0
    return events.assign(
        user_id=events["user_id"].mask(first, "newcomer"),
        item_id=events["item_id"].mask(first, "novelty"),
    )


def test_ids_first_seen_today_are_added_behind_the_known_ones(place: Place) -> None:
    land_instead(place, nth(1), newcomer)
    where = spend_day(place)
    stored = built(place, where, "promote")
    old, new = (
        json.loads((folder / "vocabulary.json").read_text())
        for folder in (where / "parent", stored.path)
    )
    assert new["users"] == [*old["users"], "newcomer"]
    assert new["items"] == [*old["items"], "novelty"]


def test_the_gates_memory_goes_on(evening: Place) -> None:
    stored = built(evening, attempt(), "promote")
    # The first champion was compared with nobody, so nobody's look is spent.
    cursor = Cursor.read(stored.path)
    assert (cursor.day, cursor.looks) == (nth(1), {})
    window = reference.read(stored.path)
    assert window["day"].max() == str(nth(1))
    assert window["score"].notna().sum() > 0
    assert content(stored.path, (EVIDENCE,)) == content(attempt(), (EVIDENCE,))


def test_what_is_usual_goes_on_with_today(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    run_steps(increment, seasoned.params, where)
    before = Cursor.read(where / "parent")
    after = Cursor.read(built(seasoned, where, "keep").path)
    scored = Prequential.read(where / "prequential.json")
    assert after.past[:-1] == before.past[1:]
    assert len(after.past) == seasoned.params.application(APPLICATION).drift.reference_days
    assert after.past[-1] == PastDay(
        day=increment.day,
        rows=Validation.read(where / "validation.json").rows,
        metric=scored.champion[scored.metric],
        alarm=Plan.read(where / "plan.json").alarm,
    )
    # Six of these ten days are history, whose loss nobody scored before it was learned.
    assert [day.metric is not None for day in after.past] == [False] * 6 + [True] * 4
    assert after.fitted == before.fitted == nth(0)


def test_the_settings_of_a_version_are_those_that_were_used(evening: Place) -> None:
    plan = Plan(action="fine_tune", reasons=("so",), changes={"learning_rate": 0.0123})
    plan.write(attempt() / "plan.json")
    stored = built(evening, attempt(), "keep")
    usual = evening.due().update
    assert stored.manifest.settings["fine_tune"]["learning_rate"] == 0.0123
    assert stored.manifest.settings["fine_tune"]["epochs"] == usual.epochs


def test_looks_are_counted_whoever_the_predecessor_is(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    run_steps(increment, seasoned.params, where)
    stored = built(seasoned, where, "keep")
    spent = {role: increment.looks.get(role, 0) + 1 for role in ("predecessor", "anchor")}
    assert Cursor.read(stored.path).looks == spent
    evidence = reference.read_frame(stored.path / EVIDENCE)
    assert set(evidence["against"]) == {increment.predecessor, increment.anchor}


@pytest.mark.fault(32)
def test_the_same_inputs_are_the_same_version_anywhere(
    evening: Place, evening_template: Path, tmp_path: Path
) -> None:
    here = built(evening, attempt(), "promote").version
    with open_copy(evening_template, tmp_path / "elsewhere") as elsewhere:
        assert built(elsewhere, attempt(), "promote").version == here
        run_steps(elsewhere.due(), elsewhere.params, attempt())
        assert built(elsewhere, attempt(), "promote").version == here


@pytest.mark.parametrize("role", ["parent", "predecessor"])
def test_a_damaged_ingredient_makes_no_version(evening: Place, role: str) -> None:
    damaged = attempt() / role / "model.safetensors"
    damaged.unlink()
    damaged.write_bytes(b"")
    with pytest.raises(CorruptBundleError, match=r"model\.safetensors has 0 bytes"):
        built(evening, attempt(), "roll_back")

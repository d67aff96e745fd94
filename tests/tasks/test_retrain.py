"""A full retrain: new parameters of the line's own past, that fit the state the line has now."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists
from tasks import days, decide, evaluate, fine_tune, learners, plan, workspace
from tasks.attempt import PIN, open_attempt
from tasks.cursor import Cursor
from tasks.pull import pull
from tasks.records import Evaluation, Fit, Increment, Plan
from tasks.retrain import OtherHistoryError, history_of
from tests.line import (
    APPLICATION,
    HISTORY_DAYS,
    Place,
    land_days,
    land_instead,
    nth,
    run_steps,
    settle,
    spend_day,
)
from tests.shop import FIRST_DAY

PARAMETERS = ("model.safetensors", "learner.safetensors")


def chosen(place: Place) -> tuple[Increment, Path]:
    """The next day, for which an operator chose a full retrain."""
    increment = place.due().model_copy(update={"learn": "full_retrain"})
    return increment, open_attempt(increment)


def refitted(place: Place) -> tuple[Increment, Path, Fit]:
    increment, where = chosen(place)
    run_steps(increment, place.params, where)
    return increment, where, Fit.read(where / "challenger" / "fit.json")


def challenger(where: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (where / "challenger").iterdir()}


def keep_spooled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dt.date, Lists]]:
    """Keep what is spooled."""
    seen: list[tuple[dt.date, Lists]] = []
    spool = RecommendationLearner.spool

    def kept(self: RecommendationLearner, examples: Lists, path: Path) -> None:
        seen.append((dt.date.fromisoformat(path.stem), examples))
        spool(self, examples, path)

    monkeypatch.setattr(RecommendationLearner, "spool", kept)
    return seen


def test_a_retrained_challenger_goes_through_the_same_gate(seasoned: Place) -> None:
    increment, where, fit = refitted(seasoned)
    assert (fit.learned, fit.diverged, fit.reason) == (True, False, "")
    assert sorted(challenger(where)) == sorted([*PARAMETERS, "fit.json"])
    assert not (set(where.iterdir()) & set(where.glob("tmp*")))
    found = Evaluation.read(where / "evaluation.json")
    assert found.challenger is not None
    assert found.challenger["ndcg@20"] > 0.8 * found.champion["ndcg@20"]
    parent = Parameters.load(where / "parent")
    fresh = Parameters.load(where / "challenger")
    for name, weight in parent.weights.items():
        assert not np.array_equal(weight, fresh.weights[name][: len(weight)])
    line = settle(seasoned, where, "promote")
    assert line.champion == line.head
    assert Cursor.read(seasoned.head).fitted == increment.day
    learners.open_learner(seasoned.head, seasoned.params.application(APPLICATION))
    land_days(seasoned, 5)
    pull()
    where = spend_day(seasoned)  # the next night goes on from it
    assert Fit.read(where / "challenger" / "fit.json").learned


def test_what_is_fitted_is_all_but_the_frozen_and_what_is_held_out_today(
    seasoned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled = keep_spooled(monkeypatch)
    increment, where, fit = refitted(seasoned)
    section = seasoned.params.application(APPLICATION)
    since = increment.day - dt.timedelta(days=section.bootstrap.days - 1)
    assert [day for day, _ in spooled] == [
        since + dt.timedelta(days=n) for n in range(section.bootstrap.days)
    ]
    frozen = learners.open_learner(where / "parent", section).frozen()
    keys = np.concatenate([lists.keys for _, lists in spooled])
    assert len(frozen) > 0
    assert not np.isin(keys, frozen.keys).any()
    today = learners.examples(increment, seasoned.params, where)
    held_out = learners.held_out(today, section.holdout_share)
    assert set(spooled[-1][1].keys) == set(today.keys[~held_out])
    assert (fit.lists, fit.again) == (int((~held_out).sum()), len(keys) - fit.lists)


def test_the_same_night_is_the_same_challenger_whatever_landed_since(seasoned: Place) -> None:
    increment, where, _ = refitted(seasoned)
    content = challenger(where)
    for file in (where / "challenger").iterdir():
        file.unlink()
    land_days(seasoned, 5)
    pull()
    fine_tune.fine_tune(increment, seasoned.params, where)
    assert challenger(where) == content


def test_the_pin_names_all_days_that_were_learned(seasoned: Place) -> None:
    pinned = seasoned.due().history
    assert pinned is not None
    assert (pinned.first, pinned.last, pinned.left_out) == (FIRST_DAY, nth(3), ())
    landed = days.by_day(workspace.data_manifest())
    learned = {day for day in landed if day <= nth(3)}
    assert len(learned) == HISTORY_DAYS + 3
    assert history_of(learned, landed) == pinned
    without = history_of(learned - {nth(1)}, landed)
    assert without.left_out == (nth(1),)
    assert without.digest != pinned.digest


def test_a_day_that_was_set_aside_is_not_lived_through(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.assign(item_id="never learned"))
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, nth(1), days.digest(place.due().partitions), "bad")
    settle(place, spend_day(place), "promote")
    increment, _, fit = refitted(place)
    assert increment.history is not None
    assert increment.history.left_out == (nth(1),)
    assert fit.learned


def test_a_past_that_was_landed_again_is_not_the_one_that_was_pinned(seasoned: Place) -> None:
    increment, where = chosen(seasoned)
    run_steps(increment.model_copy(update={"learn": "skip"}), seasoned.params, where)
    plan.plan(increment, seasoned.params, where)
    land_instead(seasoned, nth(2), lambda events: events.iloc[:-1])
    with pytest.raises(OtherHistoryError, match=rf"days {FIRST_DAY} to {nth(3)} as they were"):
        fine_tune.fine_tune(increment, seasoned.params, where)
    old = increment.model_copy(update={"history": None})
    with pytest.raises(OtherHistoryError, match="a release that pins no history"):
        fine_tune.fine_tune(old, seasoned.params, where)


def test_a_past_with_other_ids_teaches_nothing_and_calls_a_person(seasoned: Place) -> None:
    def renamed(events: pd.DataFrame) -> pd.DataFrame:
        return events.assign(user_id=events["user_id"].where(events.index > 0, "someone else"))

    land_instead(seasoned, FIRST_DAY, renamed)
    increment, where, fit = refitted(seasoned)
    assert not fit.learned
    assert "end in another vocabulary.json than the parent's" in fit.reason
    assert list(challenger(where)) == ["fit.json"]
    verdict = decide.decide(increment, seasoned.params, where)
    assert verdict.action == "keep"
    assert verdict.alarms == (f"the full retrain came to nothing: {fit.reason}",)
    assert "an operator chose full retrain" in verdict.plan


@pytest.mark.parametrize(
    "edit",
    [
        lambda events: events.assign(event_time=events["event_time"] + dt.timedelta(days=40)),
        lambda events: events.drop(columns=["user_id"]),
    ],
    ids=["times of another day", "a column less"],
)
def test_a_past_day_that_now_breaks_the_contract_teaches_nothing(
    seasoned: Place, edit: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    land_instead(seasoned, nth(2), edit)
    increment, where, fit = refitted(seasoned)
    assert not fit.learned
    assert f"{nth(2)} was learned, landed again, and now breaks the contract" in fit.reason
    verdict = decide.decide(increment, seasoned.params, where)
    assert (verdict.action, len(verdict.alarms)) == ("keep", 1)


def test_a_corrected_day_without_new_ids_is_fitted_as_it_is_now(seasoned: Place) -> None:
    _, where, _ = refitted(seasoned)
    content = challenger(where)
    land_instead(seasoned, nth(2), lambda events: events.iloc[:-5])
    _, where, fit = refitted(seasoned)
    assert fit.learned
    assert challenger(where)[PARAMETERS[0]] != content[PARAMETERS[0]]


def test_a_refit_that_diverges_is_a_keep(seasoned: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*arguments: object, **named: object) -> None:
        raise DivergedError("the loss is nan at step 3")

    monkeypatch.setattr(RecommendationLearner, "fit", diverge)
    increment, where, fit = refitted(seasoned)
    assert (fit.learned, fit.diverged) == (False, True)
    assert evaluate.evaluate(increment, seasoned.params, where).challenger is None
    assert decide.decide(increment, seasoned.params, where).alarms == (
        "the fit diverged: the loss is nan at step 3",
    )


def test_the_schedule_of_params_leads_here_too(seasoned: Place) -> None:
    section = seasoned.params.application(APPLICATION)
    often = section.plan.model_copy(update={"full_retrain_days": 4})
    params = seasoned.params.model_copy(
        update={"applications": {APPLICATION: section.model_copy(update={"plan": often})}}
    )
    increment = seasoned.due()
    where = open_attempt(increment)
    run_steps(increment, params, where)
    assert Plan.read(where / "plan.json").action == "full_retrain"
    assert Fit.read(where / "challenger" / "fit.json").again > 0
    assert Increment.read(where / PIN) == increment

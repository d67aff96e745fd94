"""The challenger: the parent's parameters taught the day, or only the reason why there is none."""

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from lightning_modules.learner import DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists
from tasks import bundle, learners
from tasks.attempt import PIN
from tasks.bundle import CorruptBundleError
from tasks.decide import decide
from tasks.evaluate import evaluate
from tasks.fine_tune import FILE, FOLDER, fine_tune
from tasks.records import Fit, Increment, Plan
from tests.line import APPLICATION, Place, attempt, spend_day

PARAMETERS = ("model.safetensors", "learner.safetensors")


def challenger() -> Path:
    return attempt() / FOLDER


def start_again() -> None:
    for file in challenger().iterdir():
        file.unlink()


def test_the_challenger_is_parameters_and_a_curve_and_nothing_else(evening: Place) -> None:
    assert sorted(path.name for path in challenger().iterdir()) == sorted([*PARAMETERS, FILE])
    fit = Fit.read(challenger() / FILE)
    assert (fit.learned, fit.diverged, fit.reason) == (True, False, "")
    assert all(math.isfinite(point["loss"]) for point in fit.curve)
    seen = learners.examples(evening.due(), evening.params, attempt())
    held_out = learners.held_out(seen, evening.params.application(APPLICATION).holdout_share)
    assert fit.lists + held_out.sum() == len(seen)
    for name in PARAMETERS:
        assert (challenger() / name).read_bytes() != (attempt() / "parent" / name).read_bytes()
    assert bundle.verify(attempt() / "parent", version=evening.line.head)


def test_the_same_night_is_the_same_challenger(evening: Place) -> None:
    content = {path.name: path.read_bytes() for path in challenger().iterdir()}
    start_again()
    fine_tune(evening.due(), evening.params, attempt())
    assert {path.name: path.read_bytes() for path in challenger().iterdir()} == content


def test_what_is_held_out_does_not_reach_the_parameters(
    evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    increment, where = evening.due(), attempt()
    content = (challenger() / PARAMETERS[0]).read_bytes()
    seen = cast("Lists", learners.examples(increment, evening.params, where))
    share = evening.params.application(APPLICATION).holdout_share
    owner = np.repeat(learners.held_out(seen, share), seen.lengths)
    features = np.where(owner[:, None], np.float16(9), seen.features)
    spoilt = replace(seen, features=features, labels=seen.labels ^ owner)
    monkeypatch.setattr(learners, "examples", lambda *arguments: spoilt)
    start_again()
    fine_tune(increment, evening.params, where)
    assert (challenger() / PARAMETERS[0]).read_bytes() == content


def test_a_skipped_night_leaves_the_plans_reason(evening: Place) -> None:
    start_again()
    Plan(action="skip", reasons=("too quiet", "and raining")).write(attempt() / "plan.json")
    fit = fine_tune(evening.due(), evening.params, attempt())
    assert (fit.learned, fit.diverged, fit.reason) == (False, False, "too quiet; and raining")
    assert [path.name for path in challenger().iterdir()] == [FILE]


def test_a_diverged_fit_ends_in_a_keep_with_an_alarm(
    evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*arguments: object, **named: object) -> None:
        raise DivergedError("the loss is nan at step 3")

    monkeypatch.setattr(RecommendationLearner, "fine_tune", diverge)
    start_again()
    increment, where = evening.due(), attempt()
    fit = fine_tune(increment, evening.params, where)
    assert (fit.learned, fit.diverged) == (False, True)
    assert [path.name for path in challenger().iterdir()] == [FILE]
    assert evaluate(increment, evening.params, where).challenger is None
    verdict = decide(increment, evening.params, where)
    assert verdict.action == "keep"
    assert verdict.alarms == ("the fit diverged: the loss is nan at step 3",)


def test_a_damaged_parent_is_not_taught(evening: Place) -> None:
    damaged = attempt() / "parent" / "learner.safetensors"
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content[:-1])
    start_again()
    with pytest.raises(CorruptBundleError, match=r"learner\.safetensors has .* bytes instead of"):
        fine_tune(evening.due(), evening.params, attempt())
    assert list(challenger().iterdir()) == []


def test_a_recalled_version_is_what_is_taught(seasoned: Place) -> None:
    where = spend_day(seasoned)
    increment = Increment.read(where / PIN)
    taught = {}
    for start in ("parent", "predecessor", "anchor"):
        Plan(action="fine_tune", reasons=("so",), start=start).write(where / "plan.json")
        fine_tune(increment, seasoned.params, where)
        taught[start] = Parameters.load(where / FOLDER)
        before = Parameters.load(where / start)
        for name, weight in before.weights.items():
            after = taught[start].weights[name][: len(weight)]
            assert np.abs(after - weight).max() < 0.02  # rates are small
        assert decide(increment, seasoned.params, where).checks
    weights = [parameters.weights for parameters in taught.values()]
    assert not all((weights[0][name] == weights[2][name]).all() for name in weights[2])


def test_what_the_plan_changes_is_how_it_is_taught(evening: Place) -> None:
    content = (challenger() / PARAMETERS[0]).read_bytes()
    increment, usual = evening.due(), evening.due().update
    made = []
    for changes in ({}, {"learning_rate": usual.learning_rate * 2}):
        start_again()
        Plan(action="fine_tune", reasons=("so",), changes=changes).write(attempt() / "plan.json")
        fine_tune(increment, evening.params, attempt())
        made.append((challenger() / PARAMETERS[0]).read_bytes())
    assert made[0] == content
    assert made[1] != content
    start_again()
    told = increment.model_copy(
        update={"update": usual.model_copy(update={"learning_rate": usual.learning_rate * 2})}
    )
    Plan(action="fine_tune", reasons=("so",)).write(attempt() / "plan.json")
    fine_tune(told, evening.params, attempt())
    assert (challenger() / PARAMETERS[0]).read_bytes() == made[1]

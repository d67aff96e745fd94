"""The training loop's own rules."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.events import Events
from lightning_modules.learner import DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.progress import RECENT, Progress, refuse_unless_finite
from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.network import initial, to_ranker
from lightning_modules.recommendation.sources import InMemory
from lightning_modules.schedule import Schedule, cosine_factor
from lightning_modules.training import train
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
    with_rows,
)

SCHEDULE = Schedule(learning_rate=0.01, embedding_learning_rate=0.01, batch_size=4, clip=5)


@pytest.fixture(scope="module")
def lists() -> Lists:
    day = FIRST.replace(day=5)
    found = seasoned(4).examples(shop_day(day_of_trade(day), no_items(), day), whole=False)
    return found.take(found.hit)


def start() -> Parameters:
    return with_rows(initial([len(FEATURES), 8], 2, seed=1), 12, 60)


def taught(
    before: Parameters, events: Events, schedule: Schedule
) -> tuple[Parameters, list[dict[str, float]]]:
    return train(to_ranker(before), before, events, schedule)


def test_the_rate_rises_then_falls_to_a_twentieth() -> None:
    rates = [cosine_factor(step, 100) for step in range(101)]
    assert rates[0] < 0.5
    assert max(rates) == rates[2]
    assert rates[-1] == pytest.approx(0.05)


def test_moments_go_on_where_they_stopped(lists: Lists) -> None:
    once, curve = taught(start(), Events(InMemory(lists), 4, 1), SCHEDULE)
    twice, _ = taught(once, Events(InMemory(lists), 4, 2), SCHEDULE)
    assert once.optimizer["step/user.weight"][0] == len(curve)
    assert twice.optimizer["step/user.weight"][0] == 2 * len(curve)


def test_training_leaves_what_it_started_from(lists: Lists) -> None:
    before, untouched = start(), start()
    once, _ = taught(before, Events(InMemory(lists), 4, 1), SCHEDULE)
    kept = {name: array.copy() for name, array in once.optimizer.items()}
    taught(once, Events(InMemory(lists), 4, 2), SCHEDULE)
    for name, array in untouched.weights.items():
        assert np.array_equal(before.weights[name], array)
    for name, array in kept.items():
        assert np.array_equal(once.optimizer[name], array)


def test_long_gradients_are_cut(lists: Lists) -> None:
    tight = Schedule(learning_rate=0.01, embedding_learning_rate=0.01, batch_size=4, clip=1e-6)
    cut, _ = taught(start(), Events(InMemory(lists), 4, 1), tight)
    moments = [array for key, array in cut.optimizer.items() if key.startswith("exp_avg/")]
    length = sum(float((moment**2).sum()) for moment in moments) ** 0.5
    assert 0 < length <= 1e-6


@pytest.mark.fault(6)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(DivergedError, match="gradient of step 3"):
        refuse_unless_finite(torch.tensor(value), "gradient", 3)


@pytest.mark.parametrize(
    ("optimizer", "state"),
    [
        ("adam", "exp_avg"),
        ("adamw", "exp_avg_sq"),
        ("sgd", "momentum_buffer"),
        ("adagrad", "sum"),
        ("rmsprop", "square_avg"),
    ],
)
def test_each_optimizer_goes_on_with_its_own_state(
    lists: Lists, tmp_path: Path, optimizer: str, state: str
) -> None:
    schedule = replace(SCHEDULE, optimizer=optimizer, momentum=0.9)
    once, _ = taught(start(), Events(InMemory(lists), 4, 1), schedule)
    assert once.optimizer[f"{state}/mlp.0.weight"].any()
    once.save(tmp_path)
    resumed, _ = taught(Parameters.load(tmp_path), Events(InMemory(lists), 4, 2), schedule)
    straight, _ = taught(once, Events(InMemory(lists), 4, 2), schedule)
    anew, _ = taught(Parameters(once.weights), Events(InMemory(lists), 4, 2), schedule)
    name = "mlp.0.weight"
    assert np.array_equal(resumed.weights[name], straight.weights[name])
    assert not np.array_equal(anew.weights[name], straight.weights[name])


RULES: dict[str, dict[str, Any]] = {
    "averaged": {"cache": 3},
    "asynchronous": {"rule": "asynchronous", "cache": 2, "most_stale": 1},
    "online": {"rule": "online", "tau": 5.0},
}


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "adagrad", "rmsprop"])
@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_goes_on_after_a_night_as_if_there_had_been_none(
    lists: Lists, tmp_path: Path, optimizer: str, rule: str
) -> None:
    changed: dict[str, Any] = {**RULES[rule], "optimizer": optimizer, "momentum": 0.9}
    schedule = replace(SCHEDULE, **changed)
    once, curve = taught(start(), Events(InMemory(lists), 4, 1), schedule)
    once.save(tmp_path)
    again = Parameters.load(tmp_path)
    assert again.online_steps == (len(curve) if rule == "online" else 0)
    resumed, _ = taught(again, Events(InMemory(lists), 4, 2), schedule)
    straight, _ = taught(once, Events(InMemory(lists), 4, 2), schedule)
    for name, array in straight.weights.items():
        assert np.array_equal(resumed.weights[name], array)


def test_a_curve_of_cached_gradients_says_how_stale_they_were(lists: Lists) -> None:
    schedule = replace(SCHEDULE, rule="asynchronous", cache=2, most_stale=1)
    _, curve = taught(start(), Events(InMemory(lists), 4, 1), schedule)
    assert sum(point["gradients"] for point in curve) == InMemory(lists).steps(4)
    assert [point["stalest"] for point in curve] == [0.0] + [1.0] * (len(curve) - 1)


def test_a_loss_that_runs_away_is_no_training() -> None:
    progress = Progress(replace(SCHEDULE, divergence=3.0))
    for _ in range(2 * RECENT):
        progress.updated({"loss": 1.0})
    with pytest.raises(DivergedError, match=r"1 at first and is 3\..* more than divergence = 3"):
        for _ in range(RECENT):
            progress.updated({"loss": 4.0})


def test_training_ends_in_time(lists: Lists) -> None:
    short = replace(SCHEDULE, epochs=1_000_000, max_seconds=1.0)
    _, curve = taught(start(), Events(InMemory(lists), 4, 1), short)
    assert 0 < len(curve) < 1_000_000


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": "online", "epochs": 2},
        {"rule": "online", "cache": 2},
        {"rule": "sometimes"},
        {"cache": 2, "precision": "bf16-mixed"},
    ],
)
def test_rules_that_do_not_go_together_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rule|cached"):
        replace(SCHEDULE, **changed)


def test_training_stops_when_it_was_told_to(lists: Lists) -> None:
    long = replace(SCHEDULE, epochs=60)
    source = InMemory(lists)

    def steps(**rule: float) -> int:
        return len(taught(start(), Events(source, 4, 1), replace(long, **rule))[1])  # type: ignore[arg-type]

    whole = steps()
    assert whole == 60 * source.steps(4)
    assert steps(max_steps=7) == 7
    assert RECENT <= steps(target_loss=100.0) <= RECENT + source.steps(4)
    assert RECENT < steps(patience=5, learning_rate=1e-9, embedding_learning_rate=1e-9) < whole


def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown update setting 'lr'"):
        Schedule.read({"lr": 1.0})
    with pytest.raises(ValueError, match="optimizer 'adm'"):
        replace(SCHEDULE, optimizer="adm")


def test_another_optimizer_starts_anew(lists: Lists) -> None:
    events = Events(InMemory(lists), 4, 1)
    by_adam, _ = taught(start(), events, SCHEDULE)
    for optimizer, momentum in (("rmsprop", 0.0), ("adagrad", 0.0), ("sgd", 0.9), ("sgd", 0.0)):
        rule = replace(SCHEDULE, optimizer=optimizer, momentum=momentum)
        changed, _ = taught(by_adam, events, rule)
        anew, _ = taught(Parameters(by_adam.weights), events, rule)
        for name, array in anew.weights.items():
            assert np.array_equal(changed.weights[name], array)
        assert not any(key.startswith("exp_avg") for key in changed.optimizer)
        back, _ = taught(changed, events, SCHEDULE)
        assert back.optimizer["step/mlp.0.weight"][0] == events.steps

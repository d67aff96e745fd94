"""The training loop's own rules."""

import numpy as np
import pytest
import torch

from lightning_modules.events import Events, Lists
from lightning_modules.features import FEATURES
from lightning_modules.learner import DivergedError, Examples
from lightning_modules.network import initial
from lightning_modules.parameters import Parameters
from lightning_modules.training import Schedule, cosine_factor, refuse_unless_finite, train
from tests.lightning_modules.tiny_shop import FIRST, day_of_trade, no_items, seasoned

SCHEDULE = Schedule(learning_rate=0.01, embedding_learning_rate=0.01, lists_per_step=4, clip=5)


@pytest.fixture(scope="module")
def lists() -> Examples:
    day = FIRST.replace(day=5)
    found = seasoned(4).examples(day_of_trade(day), no_items(), day, whole=False)
    return found.take(found.hit)


def start() -> Parameters:
    return initial([len(FEATURES), 8], 2, seed=1).grown(12, 60)


def test_the_rate_rises_then_falls_to_a_twentieth() -> None:
    rates = [cosine_factor(step, 100) for step in range(101)]
    assert rates[0] < 0.5
    assert max(rates) == rates[2]
    assert rates[-1] == pytest.approx(0.05)


def test_moments_go_on_where_they_stopped(lists: Examples) -> None:
    once, curve = train(start(), Events(Lists(lists), 4, 1), SCHEDULE)
    twice, _ = train(once, Events(Lists(lists), 4, 2), SCHEDULE)
    assert once.steps["user.weight"][0] == len(curve)
    assert twice.steps["user.weight"][0] == 2 * len(curve)


def test_training_leaves_what_it_started_from(lists: Examples) -> None:
    before, untouched = start(), start()
    once, _ = train(before, Events(Lists(lists), 4, 1), SCHEDULE)
    kept = {name: array.copy() for name, array in once.first.items()}
    train(once, Events(Lists(lists), 4, 2), SCHEDULE)
    for name, array in untouched.weights.items():
        assert np.array_equal(before.weights[name], array)
        assert np.array_equal(once.first[name], kept[name])


def test_long_gradients_are_cut(lists: Examples) -> None:
    tight = Schedule(learning_rate=0.01, embedding_learning_rate=0.01, lists_per_step=4, clip=1e-6)
    cut, _ = train(start(), Events(Lists(lists), 4, 1), tight)
    length = sum(float((moment**2).sum()) for moment in cut.first.values()) ** 0.5
    assert 0 < length <= 1e-6


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(DivergedError, match="gradient of step 3"):
        refuse_unless_finite(torch.tensor(value), "gradient", 3)

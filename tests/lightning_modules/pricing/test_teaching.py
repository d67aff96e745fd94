"""Two parts of a lesson: what they share of the rule, and what neither may forget."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.teaching import week_rule
from tests.lightning_modules.pricing.tiny_market import FIRST, held_out, market_day

RULE: dict[str, Any] = {
    "learning_rate": 1e-3,
    "embedding_learning_rate": 5e-4,
    "batch_size": 2048,
    "epochs": 1,
    "target_loss": 0.5,
    "week_epochs": 5,
    "week_batch_size": 1024,
    "week_speed": 6.0,
}
MONDAY = FIRST + timedelta(28)


def sunday(learner: PricingLearner, **update: Any) -> None:
    """A week of increments, of which the last one learns the week."""
    for number in range(7):
        day = market_day(MONDAY + timedelta(number))
        examples = learner.examples(day)
        held = held_out(examples)
        few = {"batch_size": 64, "replay": 24, "replay_recent": 8}
        learner.fine_tune(examples, held, update={**few, **update}, seed=number)
        learner.absorb(day, examples, held)


def test_the_week_has_rates_and_epochs_of_its_own() -> None:
    rest, week = week_rule(RULE)
    assert rest.keys() == {*RULE} - {"week_epochs", "week_batch_size", "week_speed"}
    assert (week["epochs"], week["batch_size"], week["cosine"]) == (5, 1024, True)
    assert week["learning_rate"] == pytest.approx(6e-3)
    assert week["embedding_learning_rate"] == pytest.approx(3e-3)
    assert "target_loss" not in week
    assert RULE["week_epochs"] == 5


def test_an_online_week_is_one_pass_too(priced: PricingLearner) -> None:
    _, week = week_rule({**RULE, "rule": "online"})
    assert week["epochs"] == 1
    assert "cosine" not in week
    sunday(priced, rule="online")
    assert priced.parameters.online_steps > 7


def test_only_a_week_that_is_over_teaches_the_week(priced: PricingLearner) -> None:
    begun = priced.parameters.weights
    monday = market_day(MONDAY)
    examples = priced.examples(monday)
    priced.fine_tune(examples, held_out(examples), update={}, seed=1)
    priced.absorb(monday, examples, held_out(examples))
    for name, array in priced.parameters.weights.items():
        if name.startswith("week."):
            assert np.array_equal(array, begun[name]), name
    for number in range(1, 7):
        day = market_day(MONDAY + timedelta(number))
        examples = priced.examples(day)
        if number == 6:
            priced.fine_tune(examples, held_out(examples), update={}, seed=1)
        priced.absorb(day, examples, held_out(examples))
    weight = "week.weights.0"
    assert not np.array_equal(priced.parameters.weights[weight], begun[weight])


def test_neither_part_forgets_what_the_other_knows_of_old_losses(priced: PricingLearner) -> None:
    sunday(priced, retention={"ewc": 1.0})
    fisher = priced.parameters.part("fisher")
    assert {f"{tower}.weights.0" for tower in ("day", "week", "price")} <= fisher.keys()


def test_both_parts_together_go_no_farther_than_trusted(priced: PricingLearner) -> None:
    monday = market_day(MONDAY)
    examples = priced.examples(monday)
    priced.absorb(monday, examples, held_out(examples))
    for number in range(1, 6):
        day = market_day(MONDAY + timedelta(number))
        found = priced.examples(day)
        priced.absorb(day, found, held_out(found))
    before = priced.parameters.weights
    found = priced.examples(market_day(MONDAY + timedelta(6)))
    update = {"retention": {"trust": 1e-4}}
    priced.fine_tune(found, held_out(found), update=update, seed=1)
    after = priced.parameters.weights
    way, whole = (
        np.sqrt(sum(float((part**2).sum()) for part in parts))
        for parts in ([after[n] - before[n] for n in before], list(before.values()))
    )
    assert way <= 1.01e-4 * whole

"""Adapters and rows of ids learn alone; all else keeps its bits and what is known of it."""

from typing import Any

import numpy as np
import pytest

from lightning_modules.growth import Stack, grown_stack
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.network import initial
from tests.lightning_modules.growing import bits
from tests.lightning_modules.recommendation.tiny_shop import with_rows
from tests.lightning_modules.test_resume import FEATURES, ITEMS, USERS, learned

LEARNING = ("mlp.adapter_0.", "user.", "item.", "bias.")
RETENTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "ewc": {"ewc": 10.0, "ewc_decay": 0.5},
    "average": {"average": 0.8},
    "trust": {"trust": 0.05},
    "distill": {"distill": 1.0},
    "all": {"ewc": 10.0, "average": 0.8, "trust": 0.01, "distill": 1.0},
}
RULES: dict[str, dict[str, Any]] = {
    "synchronous": {},
    "asynchronous": {"rule": "asynchronous", "cache": 2},
    "online": {"rule": "online"},
}


def start(adapters: int = 2) -> Parameters:
    """A small ranker, untrained."""
    plain = with_rows(initial([FEATURES, 4], 2, seed=1), USERS, ITEMS)
    return grown_stack(plain, "mlp", Stack((4,), adapters=adapters, blocks=1))


def frozen(arrays: dict[str, Any]) -> dict[str, Any]:
    """Those that are not to change, weights or parts of the optimizer's state."""
    return {
        key: array
        for key, array in arrays.items()
        if not key.rpartition("/")[2].startswith(LEARNING)
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("optimizer", "kept"),
    [*(("adam", kept) for kept in RETENTIONS), ("adamw", "all"), ("sgd", "all")],
)
def test_what_is_frozen_keeps_its_bits_and_moments(optimizer: str, kept: str, rule: str) -> None:
    told = {
        **RULES[rule],
        "optimizer": optimizer,
        "momentum": 0.9,
        "retention": RETENTIONS[kept],
        "learning_rate": 0.05,
    }
    before = learned(start(), told, 1)
    after = learned(before, {**told, "train": "adapters"}, 2)
    assert bits(frozen(after.weights)) == bits(frozen(before.weights))
    assert bits(frozen(after.optimizer)) == bits(frozen(before.optimizer))
    assert len(frozen(after.weights)) == 8
    for name, array in after.weights.items():
        if name.startswith(LEARNING):
            assert (array != before.weights[name]).any(), name
    assert after.optimizer.keys() == before.optimizer.keys()


def test_a_training_of_all_goes_on_with_the_moments_that_waited() -> None:
    before = learned(start(), {}, 1)
    between = learned(before, {"train": "adapters"}, 2)
    after = learned(between, {}, 3)
    steps = after.part("step")
    assert steps["mlp.adapter_0.up.weight"] == 3 * steps["mlp.0.weight"] / 2
    assert (after.weights["mlp.0.weight"] != before.weights["mlp.0.weight"]).all()


def test_under_an_average_the_served_weights_are_those_that_stay() -> None:
    """The adapters learn on what is served, and the raw weights wait for a training of all."""
    told = {"retention": {"average": 0.8}}
    before = learned(start(), told, 1)
    assert (before.part("raw")["mlp.0.weight"] != before.weights["mlp.0.weight"]).all()
    after = learned(before, {**told, "train": "adapters"}, 2)
    assert np.array_equal(after.part("raw")["mlp.0.weight"], before.part("raw")["mlp.0.weight"])
    served = Parameters(before.weights, before.optimizer | before_raw(before))
    same = learned(served, {**told, "train": "adapters"}, 2)
    name = "mlp.adapter_0.up.weight"
    assert np.array_equal(after.weights[name], same.weights[name])


def before_raw(parameters: Parameters) -> dict[str, Any]:
    """Raw weights that are the served ones where they are frozen."""
    raw = {f"raw/{name}": array for name, array in parameters.weights.items()}
    return frozen(raw)


def test_a_network_without_adapters_says_so() -> None:
    with pytest.raises(ValueError, match="has no adapters: set `adapters`"):
        learned(start(adapters=0), {"train": "adapters"}, 1)
    with pytest.raises(ValueError, match="train 'heads' is none of"):
        learned(start(), {"train": "heads"}, 1)

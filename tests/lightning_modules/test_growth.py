"""Weights with room for more, at any place; what was there stays what it was."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.growth import Stack, grown_stack, wider, with_weights
from lightning_modules.parameters import Parameters


def test_growing_in_two_steps_draws_units_that_differ() -> None:
    start = Parameters({"a.0.weight": np.ones((2, 3), np.float32)})
    once = wider(start, "a.0.weight", 0, 2, bound=1.0)
    twice = wider(once, "a.0.weight", 0, 2, bound=1.0)
    assert np.array_equal(twice.weights["a.0.weight"][:4], once.weights["a.0.weight"])
    assert len(np.unique(twice.weights["a.0.weight"][2:])) == 12
    assert start.weights["a.0.weight"].shape == (2, 3)


def test_places_in_the_middle_push_the_rest_back() -> None:
    start = Parameters(
        {"a": np.array([[1, 2, 3, 4]], np.float32)},
        {"raw/a": np.array([[5, 6, 7, 8]], np.float32), "step/a": np.array([3], np.float32)},
    )
    grown = wider(start, "a", 1, 1, at=(2, 4))
    assert grown.weights["a"].tolist() == [[1, 2, 0, 3, 4, 0]]
    assert grown.optimizer["raw/a"].tolist() == [[5, 6, 0, 7, 8, 0]]
    assert grown.optimizer["step/a"].tolist() == [3]


def test_growing_keeps_whose_the_rows_were() -> None:
    start = Parameters({"table": np.ones((2, 3), np.float32)})
    start.generations["table"] = np.array([0, 7], np.int32)
    assert wider(start, "table", 1, 2).generation("table").tolist() == [0, 7]
    more = with_weights(start, {"a": np.ones(1, np.float32)})
    assert more.generation("table").tolist() == [0, 7]


def test_a_block_and_its_adapter_widen_with_their_layer() -> None:
    def layer(inside: int, outside: int, name: str) -> dict[str, NDArray[np.float32]]:
        weight = np.ones((outside, inside), np.float32)
        return {f"{name}.weight": weight, f"{name}.bias": np.ones(outside, np.float32)}

    start = Parameters({**layer(3, 4, "m.0"), **layer(4, 1, "m.2")})
    once = grown_stack(start, "m", Stack((4,), adapters=2, blocks=1))
    twice = grown_stack(once, "m", Stack((6,), adapters=3, blocks=2))
    shapes = {name: array.shape for name, array in twice.weights.items() if "weight" in name}
    assert shapes == {
        "m.0.weight": (6, 3),
        "m.2.weight": (1, 6),
        "m.adapter_0.down.weight": (3, 6),
        "m.adapter_0.up.weight": (6, 3),
        **{
            f"m.block_{block}.{part}.weight": (6, 6) for block in (0, 1) for part in ("down", "up")
        },
    }

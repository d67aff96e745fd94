"""A batch that does not fit into memory: the same update, by parts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.events import Events
from lightning_modules.halving import train_within_memory
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.network import Batch, Ranker, initial, to_batch, to_ranker
from lightning_modules.recommendation.sources import InMemory
from lightning_modules.schedule import Schedule
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
    with_rows,
)

pytestmark = pytest.mark.fault(30)
SCHEDULE = Schedule(
    learning_rate=0.01, embedding_learning_rate=0.01, batch_size=8, epochs=2, optimizer="sgd"
)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.fixture(scope="module")
def lists() -> Lists:
    """Twenty-one: the last batch of eight is of five, and of its halves one is of one."""
    day = FIRST.replace(day=5)
    found = seasoned(4).examples(shop_day(day_of_trade(day), no_items(), day), whole=False)
    found = found.take(found.hit)
    return found.take(np.resize(np.arange(len(found)), 21))


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Room for so many lists at once."""
    loss = Ranker.loss

    def holding(most: int, error: RuntimeError = ERRORS[0]) -> None:
        def limited(self: Ranker, batch: Any) -> torch.Tensor:
            if batch.lists > most:
                raise error
            return loss(self, batch)

        monkeypatch.setattr(Ranker, "loss", limited)

    return holding


def taught(
    lists: Lists, schedule: Schedule = SCHEDULE, source: type[InMemory] = InMemory
) -> tuple[Parameters, Any]:
    before = with_rows(initial([len(FEATURES), 8], 2, seed=1), 12, 60)
    events = Events(source(lists), schedule.batch_size, 1)
    return train_within_memory(to_ranker(before), before, events, schedule)


def assert_close(found: Parameters, expected: Parameters) -> None:
    for name, array in expected.weights.items():
        assert np.allclose(found.weights[name], array, atol=1e-6), name


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("most", "parts"), [(4, 2.0), (3, 4.0)])
def test_in_parts_it_is_the_same_update(
    lists: Lists, small_memory: Any, error: RuntimeError, most: int, parts: float
) -> None:
    even = lists.take(np.arange(16))
    whole, curve = taught(even)
    small_memory(most, error)
    found, told = taught(even)
    assert_close(found, whole)
    assert {point["parts"] for point in told} == {parts}
    assert "parts" not in curve[0]
    assert [point["step"] for point in told] == [point["step"] for point in curve]
    assert [p["loss"] for p in told] == pytest.approx([p["loss"] for p in curve], abs=1e-5)
    again, _ = taught(even)
    for name, array in found.weights.items():
        assert np.array_equal(again.weights[name], array)


class EightAndFour(InMemory):
    """Twelve lists in the order of InMemory, as batches of eight and four."""

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        order = generator.permutation(12)
        yield to_batch(self.lists.take(order[:8]))
        yield to_batch(self.lists.take(order[8:]))


def test_an_epochs_last_update_is_no_smaller_for_its_missing_parts(
    lists: Lists, small_memory: Any
) -> None:
    """Three parts of four: the second update has one of its two."""
    twelve = lists.take(np.arange(12))
    whole, curve = taught(twelve, source=EightAndFour)
    small_memory(4)
    found, told = taught(twelve)
    assert [point["parts"] for point in told] == [2, 1, 2, 1]
    assert len(curve) == 4
    assert_close(found, whole)


def test_uneven_halves_come_near(lists: Lists, small_memory: Any) -> None:
    """The batches of the epoch are others, and of almost the same size."""
    whole, _ = taught(lists)
    small_memory(4)
    found, _ = taught(lists)
    moved = [np.abs(found.weights[name] - whole.weights[name]).max() for name in whole.weights]
    assert 0 < max(moved) < 0.01


def test_moments_and_clipping_are_those_of_whole_updates(lists: Lists, small_memory: Any) -> None:
    adam = replace(SCHEDULE, optimizer="adam", clip=0.01, cosine=True)
    even = lists.take(np.arange(16))
    whole, curve = taught(even, adam)
    small_memory(4)
    found, _ = taught(even, adam)
    assert found.optimizer["step/mlp.0.weight"][0] == len(curve) == 4
    name = "exp_avg/mlp.0.weight"
    assert np.allclose(found.optimizer[name], whole.optimizer[name], atol=1e-6)


def test_where_one_example_is_too_many_the_error_is_raised(
    lists: Lists, small_memory: Any
) -> None:
    small_memory(0)
    with pytest.raises(torch.OutOfMemoryError, match="2 GiB"):
        taught(lists)


@pytest.mark.parametrize("rule", [{"rule": "online", "epochs": 1}, {"cache": 2}])
def test_rules_whose_steps_are_batches_are_not_halved(
    rule: dict[str, Any], lists: Lists, small_memory: Any
) -> None:
    small_memory(4)
    with pytest.raises(torch.OutOfMemoryError):
        taught(lists, replace(SCHEDULE, **rule))


def test_other_errors_are_none_of_memory(lists: Lists, small_memory: Any) -> None:
    small_memory(4, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        taught(lists)

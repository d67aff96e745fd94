"""Learn A, save, load in a new process, learn B: the bits of learning A and B in this one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.events import Events
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.network import Batch, initial, to_ranker
from lightning_modules.schedule import Schedule
from lightning_modules.training import train
from tests.lightning_modules.recommendation.tiny_shop import with_rows

FEATURES, USERS, ITEMS = 5, 6, 9
RULES: dict[str, dict[str, Any]] = {
    "synchronous": {},
    "averaged": {"cache": 4},
    "asynchronous": {"rule": "asynchronous", "cache": 2, "most_stale": 1},
    "online": {"rule": "online", "tau": 5.0},
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": name} for name in ("adam", "adamw", "sgd", "adagrad", "rmsprop")},
    "sgd, momentum": {"optimizer": "sgd", "momentum": 0.9},
    "rmsprop, momentum": {"optimizer": "rmsprop", "momentum": 0.9},
}
RETENTIONS: dict[str, dict[str, Any]] = {
    "": {},
    "ewc": {"retention": {"ewc": 10.0, "ewc_decay": 0.5}},
    "average": {"retention": {"average": 0.8}},
}
# Each rule with each optimizer; what is retained with each rule, and with each optimizer.
CASES: dict[str, dict[str, Any]] = {
    " ".join(filter(None, (rule, optimizer, kept))): {
        **RULES[rule],
        **OPTIMIZERS[optimizer],
        **RETENTIONS[kept],
    }
    for rule in RULES
    for optimizer in OPTIMIZERS
    for kept in RETENTIONS
    if not kept or rule == "synchronous" or optimizer == "adam"
}


class Lists:
    """Made-up lists of four candidates, one of them bought."""

    def steps(self, batch_size: int) -> int:
        return 6

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        owner = torch.arange(batch_size).repeat_interleave(4)
        for _ in range(self.steps(batch_size)):
            rows = len(owner)
            yield Batch(
                features=torch.from_numpy(generator.normal(size=(rows, FEATURES))).float(),
                users=torch.from_numpy(generator.integers(0, USERS, rows)),
                items=torch.from_numpy(generator.integers(0, ITEMS, rows)),
                labels=torch.arange(rows) % 4 == 0,
                owner=owner,
                lists=batch_size,
                negative_share=0.5,
            )


def learned(before: Parameters, told: dict[str, Any], night: int) -> Parameters:
    """One night's training by a rule."""
    rates = {"learning_rate": 0.01, "embedding_learning_rate": 0.02, "weight_decay": 0.001}
    schedule = Schedule.read({**rates, "batch_size": 3, **told})
    after, _ = train(to_ranker(before), before, Events(Lists(), 3, night), schedule)
    return after


def go_on(folder: Path) -> None:
    """The second night of every case, from the files of the first; runs in the new process."""
    for number, told in enumerate(CASES.values()):
        before = Parameters.load(folder / "first" / str(number))
        place = folder / "second" / str(number)
        place.mkdir(parents=True)
        learned(before, told, 2).save(place)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Parameters]]:
    """The files of both nights, the second one learned by another process; the first, by case."""
    folder = tmp_path_factory.mktemp("resume")
    start = with_rows(initial([FEATURES, 4], 2, seed=1), USERS, ITEMS)
    first = {case: learned(start, told, 1) for case, told in CASES.items()}
    for number, once in enumerate(first.values()):
        place = folder / "first" / str(number)
        place.mkdir(parents=True)
        once.save(place)
    code = f"from pathlib import Path; from {__name__} import go_on; go_on(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True)
    return folder, first


@pytest.mark.parametrize("case", CASES)
def test_a_night_between_two_processes_changes_no_bit(
    nights: tuple[Path, dict[str, Parameters]], case: str
) -> None:
    folder, first = nights
    straight = learned(first[case], CASES[case], 2)
    resumed = Parameters.load(folder / "second" / str(list(CASES).index(case)))
    assert resumed.online_steps == straight.online_steps
    for there, here in (
        (resumed.weights, straight.weights),
        (resumed.optimizer, straight.optimizer),
    ):
        assert there.keys() == here.keys()
        for name, array in here.items():
            assert np.array_equal(there[name], array), name
    name = "mlp.0.weight"
    assert not np.array_equal(straight.weights[name], first[case].weights[name])
    if case.split()[-1] == "sgd" and "online" not in case:
        assert first[case].optimizer == {}
        return
    # All that goes on is in the two files: the weights alone would learn something else.
    bare = learned(Parameters(first[case].weights), CASES[case], 2)
    assert not np.array_equal(straight.weights[name], bare.weights[name])

"""A slow worker that is simulated, gradients that are noted, and figures of made-up runs."""

import multiprocessing
import time
from typing import Any

import numpy as np
import pytest
from lightning import Trainer

from benchmarks import asynchronous_figures as told
from benchmarks.asynchronous_figures import CASES, EVEN, SLOW, Case, LostGradientError, Runs
from benchmarks.findings import Finding
from benchmarks.slow_worker import Applied, Delay, Noting, Slowed, in_slow_worker
from lightning_modules.events import Events
from lightning_modules.gradients import Alone
from lightning_modules.parameters import Parameters
from lightning_modules.schedule import Schedule
from lightning_modules.updates import Cache, Cached
from tests.lightning_modules.lines import Line, Points

RULE = Schedule(learning_rate=0.1, embedding_learning_rate=0.1, batch_size=10, optimizer="sgd")
TWO, LATE, ANY = Cache(2, workers=2), Cache(2, 2, 2), Cache(2, 2, 2, in_order=False)


def applied(rate: float, stale: list[int]) -> Applied:
    """Gradients that come at an even rate."""
    numbers = list(range(len(stale)))
    return Applied(numbers, stale, [number / rate for number in numbers])


def made_up() -> list[Runs]:
    """Late gradients are half as fast, and with a slow worker twice as fast, in any order."""
    found = []
    for delay, rates in ((EVEN, (100.0, 50.0, 100.0)), (SLOW, (20.0, 20.0, 40.0))):
        for cache, rate in zip((TWO, LATE, ANY), rates, strict=True):
            runs = Runs(Case(cache), delay)
            stale = [cache.most_stale] * 30 + [0] * 10
            runs.applied = [applied(rate, stale), applied(rate, stale)]
            if delay == EVEN or not cache.in_order:
                runs.quality = [np.array([0.2, 0.3])]
                runs.loss = [np.array([2.0, 2.2])]
            found.append(runs)
    return found


def by_name(found: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(one.method, one.measure): one for one in found}


def slowed() -> Slowed:
    """Nobody in this process waits for that minute."""
    return Slowed(Line(), Parameters(), RULE, Delay(60.0, 1))


def fitted(module: Cached) -> float:
    """The line's slope."""
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=Events(Points(190), 10, seed=3))
    return float(dict(module.named_parameters())["module.network.w"].detach())


def noting(cache: Cache) -> Noting:
    module = slowed()
    return Noting(module, cache, Alone(module, cache.most_stale + 1))


def test_every_gradient_is_noted_with_its_staleness() -> None:
    module = noting(Cache(2, most_stale=1))
    fitted(module)
    found = module.applied
    told.refuse_lost(found, 19)
    assert found.numbers == list(range(19))
    assert found.stale == [0, 0] + [1] * 17
    assert found.histogram() == pytest.approx({0: 2 / 19, 1: 17 / 19})
    assert found.at == sorted(found.at)


def test_noting_changes_no_bit() -> None:
    cache = Cache(2, most_stale=1)
    assert fitted(noting(cache)) == fitted(Cached(slowed(), cache, lambda update: None)) != 0


@pytest.mark.parametrize(
    ("name", "slow"),
    [("SpawnProcess-1", False), ("SpawnProcess-2", True), ("MainProcess", False)],
)
def test_one_of_two_workers_is_slow(name: str, slow: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "name", name)
    assert in_slow_worker() is slow


def test_the_slow_worker_sleeps_at_every_so_manieth_batch(monkeypatch: Any) -> None:
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    monkeypatch.setattr(multiprocessing.current_process(), "name", "SpawnProcess-4")
    module = Slowed(Line(), Parameters(), RULE, Delay(0.5, 3))
    batch = next(iter(Points(10).batches(10, np.random.default_rng(1))))
    for number in range(7):
        module.training_step(batch, number)
    assert naps == [0.5, 0.5]


@pytest.mark.parametrize("numbers", [[0, 1, 1, 2], [0, 2]])
def test_a_lost_gradient_and_one_applied_twice_are_refused(numbers: list[int]) -> None:
    with pytest.raises(LostGradientError, match="there were 3"):
        told.refuse_lost(Applied(numbers), 3)


def test_throughput_is_told_in_terms_of_the_synchronous_rule_under_the_same_delay() -> None:
    found = by_name(told.figures(made_up()))
    late = found[Case(LATE).name, f"throughput, of synchronous, {EVEN}"]
    assert late.value == pytest.approx(0.5)
    assert (late.bar, late.met) == (1.0, False)
    quick = found[Case(ANY).name, f"throughput, of synchronous, {SLOW}"]
    assert quick.value == pytest.approx(2)
    assert quick.met is True
    assert (Case(TWO).name, f"throughput, of synchronous, {EVEN}") not in found
    assert found[Case(ANY).name, f"gradients applied once, {SLOW}"].value == 80


def test_staleness_is_a_histogram_of_gradients_and_held_against_its_bound() -> None:
    found = by_name(told.figures(made_up()))
    assert found[Case(LATE).name, f"2 updates stale, {EVEN}"].value == pytest.approx(0.75)
    assert found[Case(LATE).name, f"0 updates stale, {EVEN}"].value == pytest.approx(0.25)
    stalest = found[Case(LATE).name, f"stalest, {EVEN}"]
    assert (stalest.value, stalest.bar, stalest.met) == (2.0, 2.0, True)


def test_quality_under_a_delay_is_beside_the_synchronous_rule_that_was_judged() -> None:
    found = by_name(told.figures(made_up()))
    share = found[Case(ANY).name, f"ndcg@20, of synchronous, {SLOW}"]
    assert share.value == pytest.approx(1)
    assert share.met is True
    assert (Case(LATE).name, f"ndcg@20, {SLOW}") not in found


def test_the_table_says_what_was_lost() -> None:
    lines = told.table(made_up()).splitlines()
    late = next(line for line in lines if line.startswith(f"| {Case(LATE).name} "))
    assert "0.50 (0.50 to 0.50) lost" in late
    assert "25% 0% 75%" in late


def test_a_case_has_a_name_of_its_own_and_the_first_gradients_are_left_out_of_all() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.cache.size * (case.cache.most_stale + 1) < told.SKIP

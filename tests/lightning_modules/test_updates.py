"""The update rules: what is learned, who computes it, and that each gradient counts once."""

import os
import signal
from typing import Any

import pytest
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from lightning_modules.events import Events
from lightning_modules.updates import Cache, Cached, Online, Update
from tests.lightning_modules.lines import Fitting, Points, points

SGD = torch.optim.SGD


def fitted(
    module: Fitting,
    source: Points,
    size: int,
    *,
    epochs: int = 1,
    cache: Cache | None = None,
    callbacks: tuple[Callback, ...] = (),
) -> tuple[dict[str, float], list[Update]]:
    """The line's weights, and the updates if there was a cache."""
    updates: list[Update] = []
    cached = Cached(module, cache, updates.append) if cache else None
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )
    try:
        trainer.fit(cached or module, datamodule=Events(source, size, seed=3))
    finally:
        if cached:
            cached.close()
    return {name: float(weight.detach()) for name, weight in module.named_parameters()}, updates


def test_each_rule_finds_the_line_that_the_article_was_after() -> None:
    source = Points(4000)
    late = Cache(size=4, most_stale=2)
    by_rule = {
        "synchronous": fitted(Fitting(SGD, 0.1), source, 40, epochs=4)[0],
        "averaged": fitted(Fitting(SGD, 0.1), source, 10, epochs=4, cache=Cache(size=4))[0],
        "asynchronous": fitted(Fitting(SGD, 0.1), source, 10, epochs=4, cache=late)[0],
        "online": fitted(Fitting(SGD, 0.5), source, 5, callbacks=(Online(tau=100, power=0.5),))[0],
    }
    for line in by_rule.values():
        assert line["line.w"] == pytest.approx(2, abs=0.15)
        assert line["line.b"] == pytest.approx(1.5, abs=0.08)


def test_gradients_that_are_averaged_are_those_of_one_large_batch() -> None:
    whole = fitted(Fitting(SGD, 0.1), Points(320), 40, epochs=2)[0]
    parts, updates = fitted(Fitting(SGD, 0.1), Points(320), 10, epochs=2, cache=Cache(size=4))
    assert parts == pytest.approx(whole, rel=1e-5)
    assert [update["stalest"] for update in updates] == [0.0] * 16


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("most_stale", [0, 1, 2])
def test_every_gradient_is_applied_once_and_none_is_too_stale(size: int, most_stale: int) -> None:
    cache = Cache(size=size, most_stale=most_stale)
    _, updates = fitted(Fitting(SGD, 0.05), Points(190), 10, epochs=2, cache=cache)
    assert sum(update["gradients"] for update in updates) == 2 * 19
    each = -(-19 // size)
    assert len(updates) == 2 * each  # what an epoch leaves in the cache is an update of its own
    ramp = [float(min(number, most_stale)) for number in range(each)]
    assert [update["stalest"] for update in updates] == ramp * 2


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [SGD, torch.optim.Adam, torch.optim.Adagrad])
def test_the_result_has_the_same_bits_however_many_workers_compute(optimizer: Any) -> None:
    alone, curve = fitted(
        Fitting(optimizer, 0.05), Points(200), 10, cache=Cache(size=3, most_stale=1)
    )
    crew, same = fitted(
        Fitting(optimizer, 0.05, slow=3),
        Points(200),
        10,
        cache=Cache(size=3, most_stale=1, workers=2),
    )
    assert crew == alone
    assert same == curve


class Killer(Callback):
    """Kills a worker that is at work, now and then."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.killed = 0

    def on_train_batch_end(
        self, trainer: Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx % self.every == 0:
            busy = [worker for worker in module.crew.workers if worker.job]
            os.kill(busy[0].process.pid, signal.SIGKILL)
            self.killed += 1


def test_a_dead_worker_loses_nothing_and_nothing_is_done_twice() -> None:
    alone, _ = fitted(Fitting(SGD, 0.05), Points(120), 10, cache=Cache(size=2, most_stale=1))
    killer = Killer(every=5)
    crew, updates = fitted(
        Fitting(SGD, 0.05, slow=1),
        Points(120),
        10,
        cache=Cache(size=2, most_stale=1, workers=2),
        callbacks=(killer,),
    )
    assert killer.killed == 3
    assert crew == alone
    assert sum(update["gradients"] for update in updates) == 12


@pytest.mark.slow
def test_out_of_order_a_slow_batch_holds_up_nobody_until_it_is_too_stale() -> None:
    cache = Cache(size=1, most_stale=3, workers=2, in_order=False)
    line, updates = fitted(Fitting(SGD, 0.05, slow=8), Points(400), 10, cache=cache)
    assert sum(update["gradients"] for update in updates) == 40
    stalest = [update["stalest"] for update in updates]
    assert 1 < max(stalest) <= 3
    assert 0 < line["line.w"] < 3


@pytest.mark.slow
def test_what_a_batch_raises_at_a_worker_is_raised_here() -> None:
    source = Points(60)
    source.x[30] = torch.nan
    with pytest.raises(ZeroDivisionError, match="is not to be learned"):
        fitted(Fitting(SGD, 0.05), source, 10, cache=Cache(size=2, workers=1))


def test_the_online_step_goes_on_from_day_to_day() -> None:
    rates: list[float] = []

    class Watch(Callback):
        def on_train_batch_end(self, trainer: Trainer, *rest: Any, **named: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    first = Online(tau=4, power=0.5)
    fitted(Fitting(SGD, 0.4), Points(40), 10, callbacks=(first, Watch()))
    second = Online(tau=4, power=0.5)
    second.load_state_dict(first.state_dict())
    fitted(Fitting(SGD, 0.4), Points(40), 10, callbacks=(second, Watch()))
    assert rates == pytest.approx([0.4 * (1 + t / 4) ** -0.5 for t in range(8)])
    assert second.taken == 8


def test_the_articles_listings_solve_another_problem() -> None:
    """4.2 goes along x - y' and runs away; 5.2 has no intercept, so its best w is 4.25, not 2."""
    x, y = (values.numpy() for values in points(2000))
    w = 0.0
    for each in x[:1000]:
        w -= 0.1 * (each - w * each)
    assert abs(w) > 100
    best = float((x * y).sum() / (x * x).sum())
    assert best == pytest.approx(4.25, abs=0.1)
    assert float(((y - best * x) ** 2).mean()) > 0.5

"""A training with one slow worker, and a cache that notes what became of every gradient."""

import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lightning import LightningModule
from torch import Tensor, nn

from lightning_modules.gradients import Crew
from lightning_modules.parameters import Parameters
from lightning_modules.schedule import Schedule
from lightning_modules.training import Training
from lightning_modules.updates import Cache, Cached


@dataclass(frozen=True)
class Delay:
    """What is added to every so manieth batch of the slow worker; 0 of them: nothing is."""

    seconds: float = 0.0
    every: int = 0


class Slowed(Training):
    """A training whose batches take longer in every second worker process.

    The worker sleeps: its core is free meanwhile, as if it were another machine's that is slow.
    """

    def __init__(
        self, network: nn.Module, before: Parameters, schedule: Schedule, delay: Delay
    ) -> None:
        super().__init__(network, before, schedule, steps=1)
        self.delay = delay
        self.begun = 0  # batches of this process

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The batch's loss, late."""
        self.begun += 1
        if self.delay.every and self.begun % self.delay.every == 0 and in_slow_worker():
            time.sleep(self.delay.seconds)
        return super().training_step(batch, batch_idx)


def in_slow_worker() -> bool:
    """Whether this is every second worker process that was started: one of each two.

    Their names end in their number; the process that started them has none.
    """
    number = multiprocessing.current_process().name.rpartition("-")[2]
    return number.isdigit() and int(number) % 2 == 0


@dataclass
class Applied:
    """The gradients that were applied, in order, and when.

    `numbers` are those of their batches, `stale` how many updates older the weights were that
    each was computed on, `at` the seconds after which each was applied.
    """

    numbers: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def rate(self, skip: int) -> float:
        """Gradients a second, the first `skip` left out: workers come at different times."""
        return (len(self.at) - 1 - skip) / (self.at[-1] - self.at[skip])

    def histogram(self) -> dict[int, float]:
        """The share of the gradients by staleness in updates."""
        counts = Counter(self.stale)
        return {stale: counts[stale] / len(self.stale) for stale in sorted(counts)}


class Noting(Cached):
    """Gradients from a cache, each noted when it is applied; `crew` computes them, and stays."""

    def __init__(self, module: LightningModule, cache: Cache, crew: Crew) -> None:
        super().__init__(module, cache, updated=lambda update: None)
        self.crew = crew
        self.applied = Applied()

    def on_fit_start(self) -> None:
        """Begin with the module's weights as version 0."""
        self._publish()

    def _update(self, numbers: list[int]) -> None:
        stale = [self.version - self.cached[number].version for number in numbers]
        super()._update(numbers)
        now = time.perf_counter()
        self.applied.numbers += numbers
        self.applied.stale += stale
        self.applied.at += [now] * len(numbers)

"""The update rules: how gradients become steps. Each goes with any LightningModule and optimizer.

synchronous: the gradients of N batches are computed on the same weights, averaged, applied.
asynchronous: they are computed on weights that may be older, lie in a cache until N are in it,
    and are applied together. How much older is bounded, and reported.
online: one pass with a step that decays as 1 / (1 + t / tau)^p, where t goes on from day to day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from lightning_modules.gradients import Alone, Crew, Gradient, Job

Update = dict[str, float]


@dataclass(frozen=True)
class Cache:
    """When cached gradients are applied, and how old the weights they were computed on may be.

    `size` gradients (N) make an update; `most_stale` is the most updates between the weights a
    gradient was computed on and those it is applied to: 0 is the synchronous rule. `workers`
    processes compute; 0 is this one. In order, the gradients of update u are those of the N
    batches after the ones of update u - 1, computed on the weights of update u - `most_stale`
    (of the epoch's first ones, if there are none so old): the result has the same bits for any
    number of workers, however fast each is. Out of order, an update takes the N that arrive
    first, which a slow worker cannot hold up until it is `most_stale` updates behind (stale
    synchronous parallel: Ho et al., 2013), and no two runs are the same.
    """

    size: int = 1
    most_stale: int = 0
    workers: int = 0
    in_order: bool = True

    def crew(self, module: LightningModule) -> Crew:
        """Who computes the gradients of a module; processes start at once."""
        if not self.workers:
            return Alone(module, self.most_stale + 1)
        from lightning_modules.workers import Workers

        return Workers(module, self.most_stale + 1, self.workers)


class Cached(LightningModule):
    """Trains another LightningModule by gradients from a cache.

    Takes the place of that module in a Trainer. It needs a `training_step` that needs no Trainer;
    buffers that change while training (those of batch norm) are not shared with workers. Every
    batch becomes one gradient and every gradient part of one update; those still in the cache at
    the end of an epoch are applied together. `updated` is told of each update: its mean loss, how
    many gradients it took, and their mean and highest staleness in updates.
    """

    def __init__(
        self, module: LightningModule, cache: Cache, updated: Callable[[Update], None]
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.module = module
        self.cache = cache
        self.updated = updated
        self.crew: Crew | None = None
        self.cached: dict[int, Gradient] = {}
        self.version = 0  # updates so far
        self.sent = 0  # batches so far
        self.begun = (0, 0)  # version and sent when the epoch began

    def configure_optimizers(self) -> Any:
        """Those of the module."""
        return self.module.configure_optimizers()

    def on_train_epoch_start(self) -> None:
        """Let the workers come, at first."""
        if self.crew is None:
            self.crew = self.cache.crew(self.module)
            self._publish()
        self.begun = (self.version, self.sent)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Whatever the module does then; rates, it may be."""
        self.module.on_train_batch_start(batch, batch_idx)

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Send the batch, as soon as its weights are there and somebody is free."""
        crew = self._crew()
        version = self._due_version()
        while self.version < version or not crew.free() or self._held_up():
            self._receive()
        crew.send(Job(self.sent, version if self.cache.in_order else self.version, batch))
        self.sent += 1

    def on_train_epoch_end(self) -> None:
        """Wait for all, and apply what is left."""
        while self._crew().jobs():
            self._receive()
        if self.cached:
            self._update(sorted(self.cached))

    def close(self) -> None:
        """Let the workers go."""
        if self.crew is not None:
            self.crew.close()
            self.crew = None

    def _due_version(self) -> int:
        """The version on which the next batch is due, in order; the present one otherwise."""
        if not self.cache.in_order:
            return self.version
        version, sent = self.begun
        return version + max(0, (self.sent - sent) // self.cache.size - self.cache.most_stale)

    def _receive(self) -> None:
        gradient = self._crew().receive()
        self.cached[gradient.number] = gradient
        while numbers := self._next():
            self._update(numbers)

    def _next(self) -> list[int]:
        """The gradients of the next update, if all are here."""
        if not self.cache.in_order:
            return [] if self._held_up() or not self._full() else list(self.cached)
        version, sent = self.begun
        first = sent + (self.version - version) * self.cache.size
        numbers = list(range(first, first + self.cache.size))
        return numbers if all(number in self.cached for number in numbers) else []

    def _full(self) -> bool:
        return len(self.cached) >= self.cache.size

    def _held_up(self) -> bool:
        """Whether an update is due that would make a gradient too stale that is not yet here."""
        if self.cache.in_order or not self._full():
            return False
        oldest = min((job.version for job in self._crew().jobs()), default=self.version)
        return self.version + 1 - oldest > self.cache.most_stale

    def _update(self, numbers: list[int]) -> None:
        """One update by these gradients, added up in this order."""
        gradients = [self.cached.pop(number) for number in numbers]
        for name, parameter in self.module.named_parameters():
            arrays = [g.arrays[name] for g in gradients if name in g.arrays]
            total = sum(arrays[1:], start=arrays[0]) / len(gradients) if arrays else None
            parameter.grad = None if total is None else total.to(parameter.device)
        optimizer = self.optimizers()
        self.module.configure_gradient_clipping(optimizer.optimizer)  # type: ignore[union-attr]
        optimizer.step()  # type: ignore[union-attr]
        stale = [float(self.version - gradient.version) for gradient in gradients]
        self.version += 1
        self._publish()
        loss = sum(gradient.loss for gradient in gradients) / len(gradients)
        count = float(len(stale))
        self.updated(
            {"loss": loss, "gradients": count, "stale": sum(stale) / count, "stalest": max(stale)}
        )

    def _publish(self) -> None:
        self._crew().publish(self.version, dict(self.module.named_parameters()))

    def _crew(self) -> Crew:
        if self.crew is None:
            raise LookupError("there is nobody to compute gradients before the first epoch")
        return self.crew


class Online(Callback):
    """Sets each step's rate to its first one times (1 + t / tau)^-p (Zinkevich, 2003: p = 1/2).

    `taken` is t, the steps of all increments so far; it is part of the callback's state.
    """

    def __init__(self, tau: float, power: float, taken: int = 0) -> None:
        self.tau = tau
        self.power = power
        self.taken = taken
        self.rates: list[float] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the rates that the optimizer was given."""
        self.rates = [group["lr"] for group in trainer.optimizers[0].param_groups]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rates of this step."""
        factor = (1 + self.taken / self.tau) ** -self.power
        for group, rate in zip(trainer.optimizers[0].param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count it."""
        self.taken += 1

    def state_dict(self) -> dict[str, Any]:
        """The steps taken."""
        return {"taken": self.taken}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.taken = int(state_dict["taken"])

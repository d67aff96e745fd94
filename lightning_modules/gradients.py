"""Gradients of batches on stated versions of the weights, and who computes them."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch
from lightning import LightningModule
from torch import Tensor

Weights = Mapping[str, Tensor]


class Gradient(NamedTuple):
    """Of one batch: its number, the version of the weights, its loss, and the arrays by weight.

    Weights that the loss does not depend on are not in `arrays`.
    """

    number: int
    version: int
    loss: float
    arrays: dict[str, Tensor]


class Job(NamedTuple):
    """A batch to be done on a version of the weights."""

    number: int
    version: int
    batch: Any


class Crew(Protocol):
    """Who computes gradients."""

    def free(self) -> bool:
        """Whether a batch can be sent."""
        ...

    def jobs(self) -> list[Job]:
        """What was sent and is not yet received."""
        ...

    def publish(self, version: int, weights: Weights) -> None:
        """Make a version of the weights known; the oldest one known is forgotten."""
        ...

    def send(self, job: Job) -> None:
        """Have one batch done; only when `free`, on a version that is known."""
        ...

    def receive(self) -> Gradient:
        """A finished gradient, once each; waits for one. Raises what the batch raised."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class Alone:
    """Computes in this process, as workers would: the same bits."""

    def __init__(self, module: LightningModule, versions: int) -> None:
        self.module = copy.deepcopy(module).cpu()
        self.versions: list[Weights] = [{} for _ in range(versions)]
        self.done: tuple[Job, Gradient] | None = None

    def free(self) -> bool:
        """Whether the last gradient was received."""
        return self.done is None

    def jobs(self) -> list[Job]:
        """The batch whose gradient lies ready."""
        return [self.done[0]] if self.done else []

    def publish(self, version: int, weights: Weights) -> None:
        """Keep a copy."""
        known = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        self.versions[version % len(self.versions)] = known

    def send(self, job: Job) -> None:
        """Compute at once."""
        put(self.module, self.versions[job.version % len(self.versions)])
        loss = backward(self.module, job)
        self.done = (job, Gradient(job.number, job.version, loss, found(self.module)))

    def receive(self) -> Gradient:
        """The gradient that lies ready."""
        if self.done is None:
            raise LookupError("no batch was sent")
        gradient, self.done = self.done[1], None
        return gradient

    def close(self) -> None:
        """Nothing to let go."""


def put(module: LightningModule, weights: Weights) -> None:
    """Let the module's parameters be these tensors, without a copy."""
    for name, parameter in module.named_parameters():
        if name in weights:
            parameter.data = weights[name]


def backward(module: LightningModule, job: Job) -> float:
    """The loss of the job's batch; its gradient is left on the module's parameters.

    What the loss draws at random (dropout) depends on the batch's number, not on who computes it.
    """
    module.zero_grad(set_to_none=True)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(job.number)
        outcome: Any = module.training_step(job.batch, job.number)
        loss: Tensor = outcome["loss"] if isinstance(outcome, dict) else outcome
        loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


def found(module: LightningModule) -> dict[str, Tensor]:
    """Copies of the gradients on a module."""
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}

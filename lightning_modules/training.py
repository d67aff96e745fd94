"""The LightningModule around a network that knows its loss, and one call that trains it."""

import copy
import logging
import warnings
from collections.abc import Container
from datetime import timedelta
from typing import Any, Protocol

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from lightning_modules.events import Events
from lightning_modules.freezing import as_before, freeze
from lightning_modules.learner import Curve, DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.progress import Progress, refuse_unless_finite
from lightning_modules.retention import (
    Average,
    distilled,
    elastic,
    fisher_information,
    remembered,
    within,
)
from lightning_modules.schedule import WITH_MOMENTUM, Schedule, cosine_factor
from lightning_modules.updates import Cache, Cached, Online

OPTIMIZERS: dict[str, Any] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
# For small layers one kernel per step is quicker than one per weight.
FUSED = ("adam", "adamw", "sgd", "adagrad")


class Network(Protocol):
    """An nn.Module with a loss of its own; `tables` are the names of its rows of ids."""

    tables: tuple[str, ...]

    def loss(self, batch: Any) -> Tensor:
        """The mean loss of a batch, one number."""
        ...


class Training(LightningModule):
    """Lowers a network's loss by a schedule, going on with the optimizer's state it had."""

    def __init__(
        self, network: nn.Module, before: Parameters, schedule: Schedule, steps: int
    ) -> None:
        super().__init__()
        self.network = network
        self.before = before
        self.schedule = schedule
        self.steps = steps
        # In a list, so that it is no part of the module: nothing of it is learned or saved.
        self.parent: list[nn.Module] = []
        if schedule.retention.ewc or schedule.retention.distill:
            self.parent = [copy.deepcopy(network).requires_grad_(False)]
        self.fisher = {name: torch.tensor(array) for name, array in before.part("fisher").items()}

    def on_fit_start(self) -> None:
        """Bring along what is no part of the module."""
        for parent in self.parent:
            parent.to(self.device)
        self.fisher = {name: tensor.to(self.device) for name, tensor in self.fisher.items()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The schedule's optimizer, with the state of `before` if it was the same one's."""
        rule = self.schedule
        tables: tuple[str, ...] = self.network.tables  # type: ignore[assignment]
        named = [(n, p) for n, p in self.network.named_parameters() if p.requires_grad]
        groups = [
            {
                "params": [p for n, p in named if not n.startswith(tables)],
                "lr": rule.learning_rate,
                "weight_decay": 0.0,  # AdamW has one of its own otherwise
            },
            {
                "params": [p for n, p in named if n.startswith(tables)],
                "lr": rule.embedding_learning_rate,
                "weight_decay": rule.weight_decay,
            },
        ]
        more: dict[str, Any] = {"fused": True} if rule.optimizer in FUSED else {}
        if rule.optimizer in WITH_MOMENTUM:
            more["momentum"] = rule.momentum
        optimizer: torch.optim.Optimizer = OPTIMIZERS[rule.optimizer](groups, **more)
        for name, parameter in named:
            state = {
                part: torch.tensor(arrays[name], device=parameter.device)
                for part in rule.kept
                if name in (arrays := self.before.part(part))
            }
            if state and state.keys() == rule.kept:
                if "step" in state:
                    state["step"] = state["step"][0]
                optimizer.state[parameter] = state
        return optimizer

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the rates of this step."""
        if self.schedule.cosine:
            factor = cosine_factor(self.trainer.global_step, self.steps)
            rates = (self.schedule.learning_rate, self.schedule.embedding_learning_rate)
            for group, rate in zip(self.trainer.optimizers[0].param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The batch's loss."""
        loss: Tensor = self.network.loss(batch)  # type: ignore[operator]
        keep = self.schedule.retention
        if keep.ewc and self.fisher:
            loss = loss + keep.ewc * elastic(self.network, self.parent[0], self.fisher)
        if keep.distill:
            loss = loss + keep.distill * distilled(self.network, self.parent[0], batch)
        refuse_unless_finite(loss, "loss", batch_idx)
        if self.schedule.parts > 1:
            loss = loss * self.schedule.weight(batch_idx, int(self.trainer.num_training_batches))
        return loss

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient's norm; the rule is the schedule's, not the Trainer's."""
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.clip)
        refuse_unless_finite(norm, "gradient", self.trainer.global_step)


def train(
    network: nn.Module, before: Parameters, events: Events, schedule: Schedule
) -> tuple[Parameters, Curve]:
    """New parameters, trained from the ones before, which stay as they are.

    `network` holds a copy of the weights of `before` and has the form of `Network`. On a CPU the
    same inputs give the same bits, unless the schedule says that they do not.

    Raises:
        DivergedError: if a loss, gradient, weight or moment is not finite, or the loss runs away.
    """
    frozen = freeze(network, schedule.train)
    steps = -(-events.steps * schedule.epochs // (schedule.cache * schedule.parts))
    module = Training(network, before, schedule, steps)
    progress, online = Progress(schedule), _online(schedule, before)
    average = _average(network, schedule, before, frozen)
    cached = Cached(module, _cache(schedule), progress.updated) if schedule.cached else None
    callbacks: list[Callback] = [progress, *online, *average]
    try:
        trainer = _fitted(cached or module, events, schedule, callbacks)
    finally:
        if cached is not None:
            cached.close()
    after = read_back(network, trainer.optimizers[0], schedule.kept)
    after.online_steps = online[0].taken if online else 0
    after.generations = before.generations
    _keep(after, before, schedule, average)
    if schedule.retention.ewc:
        now = fisher_information(network, events.train_dataloader())
        known = before.part("fisher")
        after.put("fisher", remembered(known, now, schedule.retention.ewc_decay))
    after = as_before(after, before, frozen, schedule) if frozen else after
    if not after.finite():
        raise DivergedError("a weight or moment is not finite after training: nothing was learned")
    return after, progress.curve


def _fitted(
    module: LightningModule, events: Events, schedule: Schedule, callbacks: list[Callback]
) -> Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's hints about loggers and workers
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=schedule.precision,  # type: ignore[arg-type]
            max_epochs=schedule.epochs,
            accumulate_grad_batches=schedule.parts,
            max_steps=schedule.max_steps or -1,
            max_time=timedelta(seconds=schedule.max_seconds) if schedule.max_seconds else None,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
        trainer.fit(module, datamodule=events)
    return trainer


def _cache(schedule: Schedule) -> Cache:
    stale = schedule.most_stale if schedule.rule == "asynchronous" else 0
    return Cache(schedule.cache, stale, schedule.workers, not schedule.any_order)


def _online(schedule: Schedule, before: Parameters) -> list[Online]:
    if schedule.rule != "online":
        return []
    return [Online(schedule.tau, schedule.power, before.online_steps)]


def _average(
    network: nn.Module, schedule: Schedule, before: Parameters, frozen: Container[str]
) -> list[Average]:
    """The average of the weights that are served; the network goes on from those that learn."""
    decay = schedule.retention.average
    if not decay:
        return []
    weights = {name: torch.tensor(array) for name, array in before.weights.items()}
    raw = {n: torch.tensor(a) for n, a in before.part("raw").items() if n not in frozen}
    network.load_state_dict({**network.state_dict(), **raw})
    return [Average(network, decay, weights)]


def _keep(
    after: Parameters, before: Parameters, schedule: Schedule, average: list[Average]
) -> None:
    """Serve the average if there is one, and go no farther than the trusted way."""
    for callback in average:
        after.put("raw", after.weights)
        after.weights = {name: tensor.numpy() for name, tensor in callback.weights.items()}
    if (trust := schedule.retention.trust) is not None:
        after.weights = within(before.weights, after.weights, trust)


def read_back(
    network: nn.Module, optimizer: torch.optim.Optimizer, kept: Container[str]
) -> Parameters:
    """The weights and what is kept of the optimizer's state, as arrays of their own."""
    found = Parameters()
    for name, parameter in network.named_parameters():
        found.weights[name] = parameter.detach().float().cpu().numpy().copy()
        for part, value in optimizer.state[parameter].items():
            if part in kept:
                array = torch.as_tensor(value).float().cpu().numpy()
                found.optimizer[f"{part}/{name}"] = array.reshape(array.shape or (1,)).copy()
    return found

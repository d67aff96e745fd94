"""The LightningModule around a network that knows its loss, and one call that trains it."""

import logging
import warnings
from collections.abc import Container
from typing import Any, Protocol

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from lightning_modules.events import Events
from lightning_modules.learner import Curve, DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.schedule import WITH_MOMENTUM, Schedule

logger = logging.getLogger(__name__)
LAST_RATE = 0.05
WARM_UP = 0.03
RECENT = 50  # steps whose mean loss is compared with the target and for a plateau
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

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The schedule's optimizer, with the state of `before` if it was the same one's."""
        rule = self.schedule
        tables: tuple[str, ...] = self.network.tables  # type: ignore[assignment]
        named = list(self.network.named_parameters())
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
                key.split("/", 1)[0]: torch.tensor(array, device=parameter.device)
                for key, array in self.before.optimizer.items()
                if key.split("/", 1)[1] == name
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
        refuse_unless_finite(loss, "loss", batch_idx)
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


class Progress(Callback):
    """Keeps the loss of every step, says now and then how far it is, and ends in time."""

    def __init__(self, schedule: Schedule, every: int = 500) -> None:
        self.curve: Curve = []
        self.schedule = schedule
        self.every = every
        self.best = np.inf
        self.best_step = 0

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the step's loss; stop at the target or on a plateau."""
        step = len(self.curve) + 1
        self.curve.append({"step": float(step), "loss": float(outputs["loss"])})
        if step % self.every == 0:
            logger.info("step %d: loss %.4f", step, self._recent(self.every))
        if step >= RECENT:
            loss = self._recent(RECENT)
            if loss < self.best:
                self.best, self.best_step = loss, step
            trainer.should_stop |= self._done(step, loss)

    def _done(self, step: int, loss: float) -> bool:
        target, patience = self.schedule.target_loss, self.schedule.patience
        reached = target is not None and loss <= target
        return reached or (patience is not None and step - self.best_step >= patience)

    def _recent(self, steps: int) -> float:
        return float(np.mean([point["loss"] for point in self.curve[-steps:]]))


def refuse_unless_finite(value: Tensor, what: str, step: int) -> None:
    """Raise DivergedError on NaN or infinity."""
    if not bool(torch.isfinite(value)):
        raise DivergedError(f"the {what} of step {step} is {float(value)}: nothing was learned")


def cosine_factor(step: int, steps: int) -> float:
    """The share of the full rate at a step."""
    rest = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * min(step / steps, 1)))
    return float(rest * min(1.0, (step + 1) / max(1.0, WARM_UP * steps)))


def train(
    network: nn.Module, before: Parameters, events: Events, schedule: Schedule
) -> tuple[Parameters, Curve]:
    """New parameters, trained from the ones before, which stay as they are.

    `network` holds a copy of the weights of `before` and has the form of `Network`. On a CPU the
    same inputs give the same bits.

    Raises:
        DivergedError: if a loss, a gradient or a weight is not finite.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    module = Training(network, before, schedule, events.steps * schedule.epochs)
    progress = Progress(schedule)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's hints about loggers and workers
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=schedule.precision,  # type: ignore[arg-type]
            max_epochs=schedule.epochs,
            max_steps=schedule.max_steps or -1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[progress],
        )
        trainer.fit(module, datamodule=events)
    after = read_back(module.network, trainer.optimizers[0], schedule.kept)
    if not after.finite():
        raise DivergedError("a weight is not finite after training: nothing was learned")
    return after, progress.curve


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

"""The learning curve, and when a training has gone far enough or wrong."""

import logging
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lightning_modules.learner import Curve, DivergedError
from lightning_modules.schedule import Schedule

logger = logging.getLogger(__name__)
RECENT = 50  # updates whose mean loss is compared with the target, for a plateau and divergence


def refuse_unless_finite(value: Tensor, what: str, step: int) -> None:
    """Raise DivergedError on NaN or infinity."""
    if not bool(torch.isfinite(value)):
        raise DivergedError(f"the {what} of step {step} is {float(value)}: nothing was learned")


class Progress(Callback):
    """Keeps the loss of every update, says now and then how far it is, and ends in time."""

    def __init__(self, schedule: Schedule, every: int = 500) -> None:
        self.curve: Curve = []
        self.schedule = schedule
        self.every = every
        self.best = np.inf
        self.best_step = 0
        self.done = False
        self.parts: list[float] = []  # losses of the parts of the update at work

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the step's loss, unless it is told of updates; stop when it is time."""
        if module.automatic_optimization:
            self.parts.append(float(outputs["loss"]))
            if trainer.global_step > len(self.curve):
                several = {"parts": float(len(self.parts))} if self.schedule.parts > 1 else {}
                self.updated({"loss": sum(self.parts), **several})  # Lightning has divided them
                self.parts = []
        trainer.should_stop |= self.done

    def updated(self, update: dict[str, float]) -> None:
        """Note an update; raises DivergedError on a mean loss far above the first one."""
        step = len(self.curve) + 1
        self.curve.append({"step": float(step), **update})
        if step % self.every == 0:
            logger.info("step %d: loss %.4f", step, self._mean(self.curve[-self.every :]))
        if step < RECENT:
            return
        loss = self._mean(self.curve[-RECENT:])
        self._refuse_far_above_the_first(loss, step)
        if loss < self.best:
            self.best, self.best_step = loss, step
        target, patience = self.schedule.target_loss, self.schedule.patience
        self.done |= target is not None and loss <= target
        self.done |= patience is not None and step - self.best_step >= patience

    def _refuse_far_above_the_first(self, loss: float, step: int) -> None:
        if (most := self.schedule.divergence) is None:
            return
        first = self._mean(self.curve[:RECENT])
        if loss > most * first > 0:
            raise DivergedError(
                f"the mean loss of {RECENT} steps was {first:.4g} at first and is {loss:.4g} at "
                f"step {step}, more than divergence = {most} times that: nothing was learned"
            )

    def _mean(self, points: Curve) -> float:
        return float(np.mean([point["loss"] for point in points]))

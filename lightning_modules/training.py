"""The LightningModule around the ranker, and one call that trains it."""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lightning_modules.events import Events
from lightning_modules.learner import Curve, DivergedError
from lightning_modules.network import Batch, Ranker, list_losses, to_ranker
from lightning_modules.parameters import Parameters

logger = logging.getLogger(__name__)
LAST_RATE = 0.05
WARM_UP = 0.03


@dataclass(frozen=True)
class Schedule:
    """How fast to learn: rates of network and embeddings, decay, clipping, epochs.

    `cosine` warms up over the first steps and then lowers the rates to a twentieth.
    """

    learning_rate: float
    embedding_learning_rate: float
    lists_per_step: int
    clip: float
    epochs: int = 1
    weight_decay: float = 0.0
    cosine: bool = False


class RankerTraining(LightningModule):
    """Learns to rank what was bought above what was not, list by list."""

    def __init__(self, ranker: Ranker, before: Parameters, schedule: Schedule, steps: int) -> None:
        super().__init__()
        self.ranker = ranker
        self.before = before
        self.schedule = schedule
        self.steps = steps

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, going on with the moments it had."""
        rule = self.schedule
        tables = [p for n, p in self.ranker.named_parameters() if not n.startswith("mlp.")]
        optimizer = torch.optim.Adam(
            [
                {"params": list(self.ranker.mlp.parameters()), "lr": rule.learning_rate},
                {
                    "params": tables,
                    "lr": rule.embedding_learning_rate,
                    "weight_decay": rule.weight_decay,
                },
            ],
            fused=True,
        )
        for name, parameter in self.ranker.named_parameters():
            if name in self.before.first:
                moments = {
                    "step": self.before.steps[name][0],
                    "exp_avg": self.before.first[name],
                    "exp_avg_sq": self.before.second[name],
                }
                optimizer.state[parameter] = {
                    key: torch.tensor(array, device=parameter.device)
                    for key, array in moments.items()
                }
        return optimizer

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the rates of this step."""
        if self.schedule.cosine:
            factor = cosine_factor(self.trainer.global_step, self.steps)
            rates = (self.schedule.learning_rate, self.schedule.embedding_learning_rate)
            for group, rate in zip(self.trainer.optimizers[0].param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean loss of the batch's lists."""
        scores = self.ranker(batch.features, batch.users, batch.items)
        loss = list_losses(scores, batch).mean()
        refuse_unless_finite(loss, "loss", batch_idx)
        return loss

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient's norm; the rule is the schedule's, not the Trainer's."""
        norm = torch.nn.utils.clip_grad_norm_(self.ranker.parameters(), self.schedule.clip)
        refuse_unless_finite(norm, "gradient", self.trainer.global_step)


class Progress(Callback):
    """Keeps the loss of every step and says now and then how far it is."""

    def __init__(self, every: int = 500) -> None:
        self.curve: Curve = []
        self.every = every

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the step's loss."""
        self.curve.append({"step": float(trainer.global_step), "loss": float(outputs["loss"])})
        if trainer.global_step % self.every == 0:
            recent = np.mean([point["loss"] for point in self.curve[-self.every :]])
            logger.info("step %d: loss %.4f", trainer.global_step, recent)


def refuse_unless_finite(value: Tensor, what: str, step: int) -> None:
    """Raise DivergedError on NaN or infinity."""
    if not bool(torch.isfinite(value)):
        raise DivergedError(f"the {what} of step {step} is {float(value)}: nothing was learned")


def cosine_factor(step: int, steps: int) -> float:
    """The share of the full rate at a step."""
    rest = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * min(step / steps, 1)))
    return float(rest * min(1.0, (step + 1) / max(1.0, WARM_UP * steps)))


def train(before: Parameters, events: Events, schedule: Schedule) -> tuple[Parameters, Curve]:
    """New parameters, trained on the events from the ones before, which stay as they are.

    On a CPU the same inputs give the same bits.

    Raises:
        DivergedError: if a loss, a gradient or a weight is not finite.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    module = RankerTraining(to_ranker(before), before, schedule, events.steps * schedule.epochs)
    progress = Progress()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's hints about loggers and workers
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            max_epochs=schedule.epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[progress],
        )
        trainer.fit(module, datamodule=events)
    after = read_back(module.ranker, trainer.optimizers[0])
    if not after.finite():
        raise DivergedError("a weight is not finite after training: nothing was learned")
    return after, progress.curve


def read_back(ranker: Ranker, optimizer: torch.optim.Optimizer) -> Parameters:
    """The weights and moments as arrays of their own."""
    found = Parameters()
    for name, parameter in ranker.named_parameters():
        moments = optimizer.state[parameter]
        found.weights[name] = parameter.detach().cpu().numpy().copy()
        found.first[name] = moments["exp_avg"].cpu().numpy().copy()
        found.second[name] = moments["exp_avg_sq"].cpu().numpy().copy()
        found.steps[name] = moments["step"].cpu().numpy().reshape(1).copy()
    return found

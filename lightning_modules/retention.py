"""What keeps old knowledge while new rows are learned. All are optional and go together."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor, nn

Tensors = dict[str, Tensor]
Arrays = dict[str, NDArray[np.float32]]
FISHER_BATCHES = 32
TINY = 1e-30


def elastic(network: nn.Module, parent: nn.Module, fisher: Tensors) -> Tensor:
    """Half the squared way from the parent's weights, each by its Fisher information.

    Elastic weight consolidation (Kirkpatrick et al., 2017) with one decayed sum for all past days
    (Huszar, 2018; Schwarz et al., 2018).
    """
    total = torch.zeros(())
    there = dict(parent.named_parameters())
    for name, weight in network.named_parameters():
        if name in fisher:
            total = total + (fisher[name] * (weight - there[name]) ** 2).sum()
    return total / 2


def distilled(network: nn.Module, parent: nn.Module, batch: Any) -> Tensor:
    """Mean squared distance of the network's predictions from the parent's on the same rows.

    Distillation (Hinton et al., 2015) by the values before the softmax, as in Dark Experience
    Replay (Buzzega et al., 2020). Raises ValueError for a network without `predictions`.
    """
    if not hasattr(network, "predictions"):
        raise ValueError(f"retention.distill asks {type(network).__name__} for `predictions`")
    with torch.no_grad():
        wanted = parent.predictions(batch)  # type: ignore[operator]
    loss: Tensor = ((network.predictions(batch) - wanted) ** 2).mean()  # type: ignore[operator]
    return loss


def fisher_information(network: nn.Module, batches: Iterable[Any]) -> Arrays:
    """Mean squared gradient of each weight over at most FISHER_BATCHES batches' mean losses.

    The empirical Fisher information's diagonal but for a factor of the batch size, since what is
    squared is a batch's gradient.
    """
    total: Arrays = {}
    count = 0
    for batch in islice(batches, FISHER_BATCHES):
        network.zero_grad(set_to_none=True)
        with torch.enable_grad():
            network.loss(batch).backward()  # type: ignore[operator]
        for name, weight in network.named_parameters():
            if weight.grad is not None:
                total[name] = total.get(name, 0) + weight.grad.float().cpu().numpy() ** 2
        count += 1
    network.zero_grad(set_to_none=True)
    return {name: array / np.float32(count) for name, array in total.items()}


def remembered(before: Arrays, now: Arrays, decay: float) -> Arrays:
    """`now` with what is remembered of `before`, weight by weight."""
    factor = np.float32(decay)
    return {n: now[n] + factor * before[n] if n in before else now[n] for n in now}


def within(before: Arrays, after: Arrays, trust: float) -> Arrays:
    """`after`, or as far on the way to it as `trust` times the length of `before` allows.

    Weights that nothing trains, as the mean of a feature, do not count.
    """
    way = {name: after[name] - before[name] for name in after}
    longest = trust * _length({name: before[name] for name, step in way.items() if step.any()})
    share = min(1.0, longest / max(_length(way), TINY))
    if share == 1:
        return after
    return {name: before[name] + np.float32(share) * step for name, step in way.items()}


def _length(arrays: Arrays) -> float:
    return float(np.sqrt(sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays.values())))


class Average(Callback):
    """An exponential moving average of the weights (Polyak & Juditsky, 1992), step by step.

    It goes on from `weights`, the average so far, of weights that `network` has learned up to now.
    """

    def __init__(self, network: nn.Module, decay: float, weights: Tensors) -> None:
        self.network = network
        self.decay = decay
        self.weights = weights
        self.begun = False

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        """Take in the step before; what the network began with is in the average already."""
        if self.begun:
            self._take()
        self.begun = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take in the last step."""
        if self.begun:
            self._take()

    @torch.no_grad()
    def _take(self) -> None:
        for name, weight in self.network.named_parameters():
            mean = self.weights[name]
            mean.lerp_(weight.to(mean.device), 1 - self.decay)

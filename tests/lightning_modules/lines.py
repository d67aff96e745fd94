"""A straight line through made-up points: y = 2 x + 1 + U(0, 1), so w is near 2, b near 1.5."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]


def points(count: int, seed: int = 7) -> Batch:
    generator = np.random.default_rng(seed)
    x = generator.uniform(size=count)
    y = 2 * x + 1 + generator.uniform(size=count)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class Points:
    """A source of batches of points, as `events` asks for it."""

    def __init__(self, count: int, seed: int = 7) -> None:
        self.x, self.y = points(count, seed)

    def steps(self, batch_size: int) -> int:
        return -(-len(self.x) // batch_size)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        order = torch.tensor(generator.permutation(len(self.x)))
        for rows in torch.split(order, batch_size):
            yield self.x[rows], self.y[rows]


class Line(nn.Module):
    """w x + b, as a network with a loss of its own."""

    tables: tuple[str, ...] = ("none.",)

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))

    def predictions(self, batch: Batch) -> Tensor:
        found: Tensor = self.w * batch[0] + self.b
        return found

    def loss(self, batch: Batch) -> Tensor:
        loss: Tensor = ((self.predictions(batch) - batch[1]) ** 2).mean()
        return loss


class Fitting(LightningModule):
    """Anyone's LightningModule: it knows nothing of our rules; `slow` batches take long."""

    def __init__(self, optimizer: type[torch.optim.Optimizer], rate: float, slow: int = 0) -> None:
        super().__init__()
        self.line = Line()
        self.drop = nn.Dropout(0.1)
        self.optimizer = optimizer
        self.rate = rate
        self.slow = slow

    def configure_optimizers(self) -> Any:
        return self.optimizer(self.parameters(), lr=self.rate)  # type: ignore[call-arg]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if self.slow and batch_idx % self.slow == 0:
            time.sleep(0.2)
        if bool(batch[0].isnan().any()):
            raise ZeroDivisionError(f"batch {batch_idx} is not to be learned")
        loss: Tensor = self.line.loss(batch) + 0 * self.drop(self.line.w).sum()
        return loss

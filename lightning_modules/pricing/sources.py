"""Where training rows come from: from memory or from spooled days, in batches of rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lightning_modules.hashing import fraction, mixed
from lightning_modules.pricing.features import RATIO
from lightning_modules.pricing.item_days import TrainingRows, joined, unspool
from lightning_modules.pricing.network import Batch
from lightning_modules.pricing.shelf import week_of


@dataclass(frozen=True)
class Bag:
    """What share of an item's weeks each of the members learns from."""

    members: int
    share: float

    def weights(self, rows: TrainingRows) -> NDArray[np.float32]:
        """(n, members): the draw is a hash of item, week and member; their mean is about 1.

        Members that learn from other weeks disagree as fits to other samples would (Breiman
        1996, "Bagging predictors"); whole weeks, as days of a week are much alike.
        """
        if self.share == 1:
            return np.ones((len(rows), self.members), np.float32)
        block = rows.item.astype(np.uint64) << np.uint64(32) | week_of(rows.day).astype(np.uint64)
        member = mixed(np.arange(self.members, dtype=np.uint64))
        kept = fraction(mixed(mixed(block)[:, None] ^ member)) < self.share
        return (kept / self.share).astype(np.float32)


@dataclass(frozen=True)
class InMemory:
    """Rows that are in memory already."""

    rows: TrainingRows
    bag: Bag

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch."""
        return -(-len(self.rows) // batch_size)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """All of them, in a random order."""
        yield from _batches(self.rows, self.bag, batch_size, generator)


class SpooledDays:
    """Days on disk, `days_at_once` of them in memory, in a new order each epoch."""

    def __init__(
        self, spool: Path, days_at_once: int, without: NDArray[np.uint64], bag: Bag
    ) -> None:
        self.paths = sorted(spool.glob("*.safetensors"))
        self.days_at_once = days_at_once
        self.without = without
        self.bag = bag
        self.counts = [len(self._read(path)) for path in self.paths]
        if not sum(self.counts):
            raise ValueError(f"{spool}: no spooled day with a row to learn; spool some days first")

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch, at most: the last batch of a window may be small."""
        return sum(self.counts) // batch_size + -(-len(self.paths) // self.days_at_once)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """The batches of window after window."""
        order = generator.permutation(len(self.paths))
        for begin in range(0, len(order), self.days_at_once):
            chosen = order[begin : begin + self.days_at_once]
            rows = joined([self._read(self.paths[place]) for place in chosen])
            if len(rows):
                yield from _batches(rows, self.bag, batch_size, generator)

    def scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and spread of each feature over all rows; the price ratio stays as it is.

        The spread of a constant is 1: of what has not been seen to move, no step is a large one.
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        for path in self.paths:
            features = self._read(path).features.astype(np.float64)
            count, total = count + len(features), total + features.sum(axis=0)
            squares = squares + (features**2).sum(axis=0)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        spread = np.where(deviation < 1e-6, 1, deviation + 0.05)
        mean[RATIO], spread[RATIO] = 0, 1
        return mean.astype(np.float32), spread.astype(np.float32)

    def _read(self, path: Path) -> TrainingRows:
        rows = unspool(path)
        return rows.take(~np.isin(rows.keys, self.without))


def to_batch(rows: TrainingRows, bag: Bag) -> Batch:
    """The rows as tensors."""
    return Batch(
        features=torch.from_numpy(rows.features.astype(np.float32)),
        item=torch.from_numpy(rows.item.astype(np.int64)),
        category=torch.from_numpy(rows.category.astype(np.int64)),
        labels=torch.from_numpy(rows.labels),
        censored=torch.from_numpy(rows.censored),
        weights=torch.from_numpy(bag.weights(rows)),
    )


def _batches(
    rows: TrainingRows, bag: Bag, batch_size: int, generator: np.random.Generator
) -> Iterator[Batch]:
    whole = to_batch(rows, bag)
    order = torch.from_numpy(generator.permutation(len(rows)))
    # Even parts: a small last batch would be as long a step, and mostly noise.
    for chosen in torch.tensor_split(order, -(-len(order) // batch_size)):
        yield Batch(*(part[chosen] for part in whole))

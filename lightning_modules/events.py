"""The LightningDataModule: streams lists, from memory or from spooled days, in whole-list batches.

Rows are gathered by array indexing; a DataLoader that collates row by row is ten times slower.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning import LightningDataModule
from numpy.typing import NDArray

from lightning_modules.learner import Examples
from lightning_modules.lists import joined, unspool
from lightning_modules.network import Batch, to_batch


@dataclass(frozen=True)
class ListStream:
    """Batches of one epoch, anew each time it is iterated; `windows` yields the lists."""

    windows: Callable[[np.random.Generator], Iterator[Examples]]
    steps: int
    lists_per_step: int
    seed: int
    epoch: Callable[[], int]

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Batch]:
        generator = np.random.default_rng([self.seed, self.epoch()])
        for window in self.windows(generator):
            order = generator.permutation(len(window))
            # Even parts: a last batch of two lists would be as long a step, and mostly noise.
            for chosen in np.array_split(order, -(-len(order) // self.lists_per_step)):
                yield to_batch(window.take(chosen))


class Events(LightningDataModule):
    """Training lists for a Trainer. At most one window of lists is in memory."""

    def __init__(self, source: "Lists | SpooledDays", lists_per_step: int, seed: int) -> None:
        super().__init__()
        self.source = source
        self.lists_per_step = lists_per_step
        self.seed = seed

    @property
    def steps(self) -> int:
        """Most optimizer steps in an epoch."""
        return self.source.steps(self.lists_per_step)

    def train_dataloader(self) -> ListStream:
        """The epoch's batches; each epoch has an order of its own."""
        trainer = self.trainer
        return ListStream(
            self.source.windows,
            self.steps,
            self.lists_per_step,
            self.seed,
            lambda: trainer.current_epoch if trainer else 0,
        )


@dataclass(frozen=True)
class Lists:
    """Lists that are in memory already."""

    lists: Examples

    def steps(self, lists_per_step: int) -> int:
        """Steps of one epoch."""
        return -(-len(self.lists) // lists_per_step)

    def windows(self, generator: np.random.Generator) -> Iterator[Examples]:
        """All of them at once."""
        yield self.lists


class SpooledDays:
    """Days on disk, read a few at a time in a new order each epoch."""

    def __init__(self, spool: Path, days_at_once: int, without: NDArray[np.uint64]) -> None:
        self.paths = sorted(spool.glob("*.safetensors"))
        self.days_at_once = days_at_once
        self.without = without
        counts = np.array([len(self._read(path)) for path in self.paths], np.int64)
        self.paths = [path for path, count in zip(self.paths, counts, strict=True) if count]
        self.counts = counts[counts > 0]
        if not self.paths:
            raise ValueError(
                f"{spool}: no spooled day with a list to learn; spool some days first"
            )

    def steps(self, lists_per_step: int) -> int:
        """Steps of one epoch, at most: the last batch of a window may be small."""
        windows = -(-len(self.paths) // self.days_at_once)
        return int(self.counts.sum() // lists_per_step) + windows

    def windows(self, generator: np.random.Generator) -> Iterator[Examples]:
        """The days in a random order, `days_at_once` joined."""
        order = generator.permutation(len(self.paths))
        for begin in range(0, len(order), self.days_at_once):
            chosen = order[begin : begin + self.days_at_once]
            yield joined([self._read(self.paths[place]) for place in chosen])

    def _read(self, path: Path) -> Examples:
        lists = unspool(path)
        return lists.take(lists.hit & ~np.isin(lists.keys, self.without))

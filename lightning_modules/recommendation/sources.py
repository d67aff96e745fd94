"""Where training lists come from: from memory or from spooled days, in whole-list batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.lists import Lists, joined, unspool
from lightning_modules.recommendation.network import Batch, to_batch
from lightning_modules.vocabulary import Vocabulary


@dataclass(frozen=True)
class InMemory:
    """Lists that are in memory already."""

    lists: Lists

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch."""
        return -(-len(self.lists) // batch_size)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """All of them, in a random order."""
        yield from _batches(self.lists, batch_size, generator)


class SpooledDays:
    """Days on disk, read a few at a time in a new order each epoch.

    Rows that are another id's by now, as `names` tell, are left out.
    """

    def __init__(
        self,
        spool: Path,
        days_at_once: int,
        without: NDArray[np.uint64],
        names: Vocabulary | None = None,
    ) -> None:
        self.names = names
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

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch, at most: the last batch of a window may be small."""
        windows = -(-len(self.paths) // self.days_at_once)
        return int(self.counts.sum() // batch_size) + windows

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """The batches of window after window."""
        for window in self.windows(generator):
            yield from _batches(window, batch_size, generator)

    def windows(self, generator: np.random.Generator) -> Iterator[Lists]:
        """The days in a random order, `days_at_once` joined."""
        order = generator.permutation(len(self.paths))
        for begin in range(0, len(order), self.days_at_once):
            chosen = order[begin : begin + self.days_at_once]
            yield joined([self._read(self.paths[place]) for place in chosen])

    def _read(self, path: Path) -> Lists:
        lists = unspool(path, self.names)
        return lists.take(lists.hit & ~np.isin(lists.keys, self.without))


def _batches(lists: Lists, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
    order = generator.permutation(len(lists))
    # Even parts: a last batch of two lists would be as long a step, and mostly noise.
    for chosen in np.array_split(order, -(-len(order) // batch_size)):
        yield to_batch(lists.take(chosen))

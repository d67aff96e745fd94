"""Where training gets its batches from: units in memory, or days spooled to disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays, joined_units
from lightning_modules.behavior.files import OF_UNITS, training_units
from lightning_modules.behavior.network import Batch
from lightning_modules.behavior.views import read_views, user_days, write_views
from lightning_modules.behavior.weights import to_batch

LEAST_SPREAD = 0.01


class Units:
    """Units that are in memory already; a batch is `batch_size` of them."""

    def __init__(self, units: UserDays) -> None:
        self.units = units

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch."""
        return -(-len(self.units) // batch_size)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """Even parts of a random order."""
        if len(self.units):
            yield from shuffled(self.units, batch_size, generator)


class SpooledDays:
    """Days on disk, read a few at a time in a new order each epoch, without some units.

    Of `without` neither the units are read nor their views that come back with late labels.
    """

    def __init__(self, spool: Path, days_at_once: int, without: UserDays) -> None:
        self.days_at_once = days_at_once
        self.without = without
        paths = sorted(spool.glob("*.safetensors"))
        counts = [len(self.read(path)) for path in paths]
        self.counts = [count for count in counts if count]
        self.paths = [path for path, count in zip(paths, counts, strict=True) if count]
        if not self.paths:
            raise ValueError(
                f"{spool}: no spooled day with a user to learn; spool some days first"
            )

    def steps(self, batch_size: int) -> int:
        """Steps of one epoch, at most."""
        windows = -(-len(self.paths) // self.days_at_once)
        return sum(self.counts) // batch_size + windows

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """The days in a random order, `days_at_once` of them mixed."""
        order = generator.permutation(len(self.paths))
        for begin in range(0, len(order), self.days_at_once):
            chosen = order[begin : begin + self.days_at_once]
            units = joined_units([self.read(self.paths[place]) for place in chosen])
            yield from shuffled(units, batch_size, generator)

    def read(self, path: Path) -> UserDays:
        """One day's units."""
        units = unspool(path)
        units = units.take(~np.isin(units.keys, self.without.keys))
        left_out = np.isin(user_days(units.views), user_days(self.without.views))
        return units.with_views(~left_out)

    def scales(self) -> dict[str, NDArray[np.float32]]:
        """Mean and spread of the inputs of views and of the features of rows."""
        sums: dict[str, list[NDArray[np.float64]]] = {}
        for path in self.paths:
            views = self.read(path).views
            for name, array in (("", views.inputs), ("row_", views.features)):
                values = array.astype(np.float64)
                found = [np.full(1, len(values)), values.sum(0), (values**2).sum(0)]
                before = sums.get(name, [np.zeros(1)] * 3)
                sums[name] = [a + b for a, b in zip(before, found, strict=True)]
        scales = {}
        for name, (count, total, squares) in sums.items():
            centre = total / count
            spread = np.sqrt(np.maximum(squares / count - centre**2, 0)) + LEAST_SPREAD
            scales[f"{name}centre"] = centre.astype(np.float32)
            scales[f"{name}spread"] = spread.astype(np.float32)
        return scales


def shuffled(units: UserDays, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
    """Even parts of a random order: a last batch of two units would be mostly noise."""
    order = generator.permutation(len(units))
    for chosen in np.array_split(order, -(-len(order) // batch_size)):
        yield to_batch(units.take(chosen).views)


def spool(units: UserDays, path: Path) -> None:
    """Write the training part of a day's units for `Learner.fit`."""
    part = units.training_part()
    of_units = {name: getattr(part, name) for name in OF_UNITS}
    write_views(path, {"views": part.views}, **of_units)


def unspool(path: Path) -> UserDays:
    """Read a spooled day; the user ids are left empty."""
    parts, arrays = read_views(path, ["views"])
    return training_units(parts["views"], arrays, np.zeros(0, object))

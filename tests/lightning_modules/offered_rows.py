"""Made-up rows that ask for a place in a memory, at once or day by day."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.replay import Moments, Offered, kept, moments

Rows = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]


def rows_of(keys: list[int]) -> Rows:
    """Rows of some five classes, a few much larger than others, and of three features."""
    generator = np.random.default_rng(len(keys))
    classes = np.minimum(generator.geometric(0.4, len(keys)), 5)
    features = generator.normal(classes[:, None], [1.0, 5.0, 0.1], (len(keys), 3))
    return np.array(keys, np.uint64), classes, features


def offered(rows: Rows, new: int | None = None, before: Moments | None = None) -> Offered:
    keys, classes, features = rows
    new = len(keys) if new is None else new
    return Offered(keys, new, lambda: classes, lambda: features, before)


def chosen(policy: str, size: int, rows: Rows) -> list[int]:
    """The keys that are kept of rows offered at once."""
    keys: list[int] = rows[0][kept(policy, size, offered(rows))].tolist()
    return keys


def by_day(policy: str, size: int, days: list[Rows]) -> tuple[Rows, Moments | None]:
    """What is remembered after rows were offered day by day, and the policy's moments."""
    nothing = days[0][0][:0], days[0][1][:0], days[0][2][:0]
    remembered: Rows = nothing
    before = None
    for day in days:
        rows = parted(remembered, day)
        asking = offered(rows, len(day[0]), before)
        remembered, before = at(rows, kept(policy, size, asking)), moments(policy, asking)
    return remembered, before


def parted(*parts: Rows) -> Rows:
    keys, classes, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    return keys, classes, features


def at(rows: Rows, places: NDArray[Any]) -> Rows:
    keys, classes, features = rows
    return keys[places], classes[places], features[places]


def days_of(rows: Rows, ends: list[int]) -> list[Rows]:
    """The rows parted at some places."""
    parts = np.split(np.arange(len(rows[0])), sorted(end % (len(rows[0]) + 1) for end in ends))
    return [at(rows, part) for part in parts]

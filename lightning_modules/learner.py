"""What the daily loop asks of a learner, whatever it learns."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Curve = list[dict[str, float]]


class DivergedError(RuntimeError):
    """Training met a loss, gradient or weight that is not a finite number."""


class LearnerFileError(ValueError):
    """A learner's file is missing or does not fit the others; the message names it."""


@dataclass(frozen=True)
class ShopDay:
    """One day of the shop: its events, the items first seen on it, the offers that begin on it.

    `events`, `items` and `prices` have the canonical columns; each may have zero rows.
    """

    day: date
    events: pd.DataFrame
    items: pd.DataFrame
    prices: pd.DataFrame


class Examples(Protocol):
    """What a learner sees of a day: L units (a user's or an item's day each), with their rows."""

    @property
    def unit_ids(self) -> NDArray[np.object_]:
        """Who or what each unit is about, (L,): values of the events' column `Learner.unit`."""
        ...

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The name of each unit's day, (L,): decides what is held out. See `hashing.list_keys`."""
        ...

    def __len__(self) -> int: ...

    def take(self, units: NDArray[Any]) -> Self:
        """Some of the units with their rows, by a mask (L,) or by positions in any order."""
        ...


class Learner(Protocol):
    """A model with its optimizer, its state and its memory, in one hand.

    A team brings its own model by writing this class. Everything is deterministic on a CPU.
    `unit` is the event column that names what is judged, held out and compared in pairs
    ("user_id" or "item_id"); `metric` is the column of `quality` that decides,
    `higher_is_better` its direction, and `shown` the columns that a person looks at first.
    """

    unit: ClassVar[str]
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    shown: ClassVar[tuple[str, ...]]

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner, untrained; raises ValueError on an unknown setting."""
        ...

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        """What `save` wrote; raises LearnerFileError on a missing or unfit file."""
        ...

    def save(self, directory: Path) -> None:
        """Write everything: parameters, optimizer, state, memory. Same content, same bytes."""
        ...

    def load_parameters(self, directory: Path) -> None:
        """Put other parameters (a challenger's, an older version's) on this state."""
        ...

    def save_parameters(self, directory: Path) -> None:
        """Write the parameters and the optimizer only: what a challenger is."""
        ...

    def examples(self, day: ShopDay) -> Any:
        """The day's units: features from the state as it was before, labels known by its end.

        Raises ValueError on a day that the state has taken in: its features would know its labels.
        """
        ...

    def scores(self, examples: Any) -> NDArray[np.float32]:
        """What the current parameters predict: the first axis is the examples' rows."""
        ...

    def naive_scores(self, examples: Any) -> NDArray[np.float32]:
        """The predictions of the simple rival that every model must beat."""
        ...

    def quality(self, examples: Any, scores: NDArray[np.float32]) -> pd.DataFrame:
        """One row per unit that can be judged: `unit` (its id) and the metrics."""
        ...

    def unit_scores(self, examples: Any, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """One number for each unit (L,), whose distribution is watched for drift."""
        ...

    def loss(self, examples: Any) -> NDArray[np.float32]:
        """The training loss of each unit (L,); NaN where there is nothing to learn."""
        ...

    def frozen(self) -> Any:
        """Past held-out units that no training has seen or will see: they show forgetting."""
        ...

    def fine_tune(
        self, new: Any, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """Train on the units not held out and on replayed ones; raises DivergedError."""
        ...

    def absorb(
        self, day: ShopDay, examples: Any | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        """Take the day into state and memory, once.

        `examples` are the day's whole ones, or None where the day is only counted. Raises
        ValueError on a day not after the last.
        """
        ...

    def spool(self, examples: Any, path: Path) -> None:
        """Write the training part of a day's examples to one file, for `fit`."""
        ...

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Train from the beginning on a folder of spooled days; raises DivergedError."""
        ...

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        """What the shop reads on `day`, the first one after the state's last: tables by name."""
        ...

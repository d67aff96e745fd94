"""What the daily loop asks of a learner, whatever it learns."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.sampling import sampled

Curve = list[dict[str, float]]


class DivergedError(RuntimeError):
    """Training met a loss, gradient or weight that is not a finite number."""


class LearnerFileError(ValueError):
    """A learner's file is missing or does not fit the others; the message names it."""


@dataclass(frozen=True)
class Examples:
    """Ranked lists to be: L user-days with N candidate rows, list after list.

    `features` is float16 (N, F); `items` (N,) and `users` (L,) are vocabulary rows; `offsets`
    (L + 1,) says where a list begins. `labels` and `personal` (N,) say whether a candidate was
    bought that day and ever before. `bought` and `bought_again` (L,) count the distinct items
    of the day, candidates or not, and those among them that the user had bought before.
    `negative_share` is the share of the not bought candidates that the lists still hold.
    """

    user_ids: NDArray[np.object_]
    keys: NDArray[np.uint64]
    users: NDArray[np.int32]
    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    features: NDArray[np.float16]
    labels: NDArray[np.bool_]
    personal: NDArray[np.bool_]
    bought: NDArray[np.int32]
    bought_again: NDArray[np.int32]
    negative_share: float = 1.0
    sampling_share: float = 0.12

    def __len__(self) -> int:
        return len(self.users)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Candidates of each list, (L,)."""
        return np.diff(self.offsets)

    def rows_of(self, lists: NDArray[np.int64]) -> NDArray[np.int64]:
        """The candidate rows of some lists, in the order the lists are asked for."""
        return spans(self.offsets[lists], self.lengths[lists])

    def take(self, lists: NDArray[Any]) -> "Examples":
        """Some of the lists, by a mask (L,) or by positions in any order."""
        chosen = np.flatnonzero(lists) if lists.dtype == np.bool_ else lists.astype(np.int64)
        rows = self.rows_of(chosen)
        return replace(
            self,
            user_ids=self.user_ids[chosen],
            keys=self.keys[chosen],
            users=self.users[chosen],
            offsets=starts(self.lengths[chosen]),
            items=self.items[rows],
            features=self.features[rows],
            labels=self.labels[rows],
            personal=self.personal[rows],
            bought=self.bought[chosen],
            bought_again=self.bought_again[chosen],
        )

    def training_part(self) -> "Examples":
        """All that was bought and a fixed sample of the rest, chosen by hash; idempotent."""
        if self.negative_share < 1:
            return self
        owner = np.repeat(np.arange(len(self)), self.lengths)
        keep = sampled(self.keys[owner], self.items, self.labels, self.sampling_share)
        kept = np.bincount(owner[keep], minlength=len(self))
        return replace(
            self,
            offsets=starts(kept),
            items=self.items[keep],
            features=self.features[keep],
            labels=self.labels[keep],
            personal=self.personal[keep],
            negative_share=self.sampling_share,
        )

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Which lists (L,) have something to learn: a bought item among the candidates."""
        so_far = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.labels)])
        found: NDArray[np.bool_] = np.diff(so_far[self.offsets]) > 0
        return found


def starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets (L + 1,) of lists with these lengths."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def spans(begin: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers begin, begin + 1, ... of each span, one span after the other."""
    offsets = starts(lengths)
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1] - begin, lengths)


class Learner(Protocol):
    """A model with its optimizer, its state and its memory, in one hand.

    A team brings its own model by writing this class. Everything is deterministic on a CPU.
    """

    metric: ClassVar[str]

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner, untrained."""
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

    def examples(self, events: pd.DataFrame, items: pd.DataFrame, day: date) -> Examples:
        """Lists of the day: features from the state as it was before, labels from the day."""
        ...

    def scores(self, examples: Examples) -> NDArray[np.float32]:
        """One score per candidate row, by the current parameters."""
        ...

    def naive_scores(self, examples: Examples) -> NDArray[np.float32]:
        """The scores of the simple rival that every model must beat."""
        ...

    def quality(self, examples: Examples, scores: NDArray[np.float32]) -> pd.DataFrame:
        """One row per user-day: `user_id` and the metrics, NaN where one is undefined."""
        ...

    def loss(self, lists: Examples) -> NDArray[np.float32]:
        """The training loss of each list."""
        ...

    def frozen_lists(self) -> Examples:
        """Past held-out lists that no training has seen or will see: they show forgetting."""
        ...

    def fine_tune(
        self, new: Examples, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """Train on the lists not held out and on replayed ones; raises DivergedError."""
        ...

    def absorb(
        self,
        events: pd.DataFrame,
        items: pd.DataFrame,
        examples: Examples | None,
        holdout: NDArray[np.bool_] | None,
        day: date,
    ) -> None:
        """Take the day into the state, once; raises ValueError on a day not after the last."""
        ...

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Train from the beginning on days spooled to disk; raises DivergedError."""
        ...

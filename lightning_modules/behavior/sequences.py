"""The last events of every user, oldest first, and the first ones of a day."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays

MINUTES_A_DAY = 1440

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """Events in numbers (..., n): rows of type and category, minute since 1970, terms (..., n, T).

    Row 0 of a type says that there is no event, or none any more.
    """

    kind: NDArray[np.int32]
    category: NDArray[np.int32]
    minute: NDArray[np.int32]
    term: NDArray[np.int32]

    def take(self, at: Any) -> "Steps":
        """The events at an index."""
        return Steps(**{part.name: getattr(self, part.name)[at] for part in fields(self)})


def no_steps(*shape: int, terms: int) -> Steps:
    """Places without an event."""
    empty = np.zeros(shape, np.int32)
    return Steps(empty, empty.copy(), empty.copy(), np.zeros((*shape, terms), np.int32))


@dataclass
class Sequences:
    """The last `length` events of each user (H, length); empty places come first."""

    length: int
    terms: int
    past: Steps = field(init=False)

    def __post_init__(self) -> None:
        self.past = no_steps(0, self.length, terms=self.terms)

    def grow(self, users: int) -> None:
        """Append users without events."""
        missing = users - len(self.past.kind)
        if missing > 0:
            fresh = no_steps(missing, self.length, terms=self.terms)
            self.past = _joined(self.past, fresh)

    def absorb(self, today: Steps, user: Ints) -> None:
        """Take in events in order of time (E,), each with its user row."""
        rows, starts, counts, order = _by_user(user)
        place = np.arange(self.length) + counts[:, None]
        old = np.minimum(place, self.length - 1)
        new = starts[:, None] + np.maximum(place - self.length, 0)
        stays = place < self.length
        for part in fields(Steps):
            kept = getattr(self.past, part.name)
            events = getattr(today, part.name)[order]
            wide = stays if kept.ndim == 2 else stays[:, :, None]
            if len(rows):
                kept[rows] = np.where(wide, kept[rows[:, None], old], events[new])

    def save(self, path: Path) -> None:
        """Write the events."""
        arrays = {part.name: getattr(self.past, part.name) for part in fields(Steps)}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        self.past = Steps(**read_arrays(path))


def first_steps(today: Steps, user: Ints, users: int, length: int) -> Steps:
    """The day's first `length` events of each user row below `users` (H, length), then nothing."""
    found = no_steps(users, length, terms=today.term.shape[1])
    rows, starts, counts, order = _by_user(user)
    known = (rows >= 0) & (rows < users)
    rows, starts, counts = rows[known], starts[known], counts[known]
    there = np.arange(length) < counts[:, None]
    at = starts[:, None] + np.where(there, np.arange(length), 0)
    for part in fields(Steps):
        events = getattr(today, part.name)[order]
        wide = there if events.ndim == 1 else there[:, :, None]
        if len(rows):
            getattr(found, part.name)[rows] = np.where(wide, events[at], 0)
    return found


def _by_user(user: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """The distinct users, where each one's events start, how many, in which order of all."""
    order = np.argsort(user, kind="stable")
    rows, starts, counts = np.unique(user[order], return_index=True, return_counts=True)
    return rows, starts, counts, order


def _joined(one: Steps, other: Steps) -> Steps:
    parts = (part.name for part in fields(Steps))
    return Steps(**{n: np.concatenate([getattr(one, n), getattr(other, n)]) for n in parts})

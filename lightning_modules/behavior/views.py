"""Users as they were seen before a day: the form of everything that is scored or learned from."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.behavior.features import FEATURES, USER
from lightning_modules.behavior.settings import Settings
from lightning_modules.files import read_arrays
from lightning_modules.learner import LearnerFileError

UNKNOWN = -1  # a label that is not known yet, or that was learned before


@dataclass(frozen=True)
class Views:
    """G user-days, each with its row of `users` and its judged categories as rows (N,).

    Per view: user row, day, `inputs` (G, U + 2 C), `visits` (bits of the last days), the past
    events and the day's first ones (`past_*`, `next_*`; a minute is kept as a gap, see
    `examples`), and `watched`: whether the next events are still to be learned. Per row: column
    of the category, `features` (N, F), `bits` of the days it was bought on, `share` (the
    probability with which the row is trained on), `frequency` (the naive rival's), and the labels
    `buy_1`, `buy_7`: 1, 0 or UNKNOWN.
    """

    user: NDArray[np.int32]
    day: NDArray[np.uint16]
    inputs: NDArray[np.float16]
    visits: NDArray[np.uint32]
    past_kind: NDArray[np.int32]
    past_category: NDArray[np.int32]
    past_term: NDArray[np.int32]
    past_gap: NDArray[np.float16]
    next_kind: NDArray[np.int32]
    next_category: NDArray[np.int32]
    next_term: NDArray[np.int32]
    watched: NDArray[np.bool_]
    rows: NDArray[np.int32]  # how many each view has
    column: NDArray[np.int16]
    features: NDArray[np.float16]
    bits: NDArray[np.uint32]
    share: NDArray[np.float32]
    frequency: NDArray[np.float32]
    buy_1: NDArray[np.int8]
    buy_7: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def view(self) -> NDArray[np.int64]:
        """The view of each row (N,)."""
        return np.repeat(np.arange(len(self)), self.rows)

    def take(self, views: NDArray[Any]) -> Self:
        """Some views with their rows, by a mask or by positions in any order."""
        chosen = np.flatnonzero(views) if views.dtype == np.bool_ else views
        starts = np.cumsum(self.rows, dtype=np.int64) - self.rows
        at = spans(starts[chosen], self.rows[chosen])
        return self._with(chosen, at)

    def take_rows(self, kept: NDArray[np.bool_]) -> Self:
        """All views with some of their rows, by a mask (N,)."""
        some = self._with(np.arange(len(self)), np.flatnonzero(kept))
        rows = np.bincount(self.view[kept], minlength=len(self)).astype(np.int32)
        return some.but(rows=rows)

    def but(self, **columns: NDArray[Any]) -> Self:
        """The same with other columns."""
        return type(self)(**{**self.arrays(), **columns})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def _with(self, views: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        return type(self)(
            **{n: a[rows if n in PER_ROW else views] for n, a in self.arrays().items()}
        )


PER_ROW = ("column", "features", "bits", "share", "frequency", "buy_1", "buy_7")


def spans(starts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.int64]:
    """The positions starts[i] .. starts[i] + lengths[i] - 1 of each i, one after the other."""
    lengths = lengths.astype(np.int64)
    before = np.cumsum(lengths) - lengths
    found: NDArray[np.int64] = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return found


def user_days(views: Views) -> NDArray[np.int64]:
    """One number for the user and the day of each view (G,)."""
    return (views.user.astype(np.int64) << 16) | views.day


def joined(parts: Sequence[Views]) -> Views:
    """The views of all parts, in order."""
    names = [column.name for column in fields(Views)]
    return Views(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


def no_views(settings: Settings, categories: int) -> Views:
    """Views of a learner with these settings, none of them there yet."""
    past, coming, terms = settings.past_events, settings.next_events, settings.terms
    shapes: dict[str, tuple[int, ...]] = {
        "inputs": (len(USER) + 2 * categories,),
        "past_kind": (past,),
        "past_category": (past,),
        "past_term": (past, terms),
        "past_gap": (past, 2),
        "next_kind": (coming,),
        "next_category": (coming,),
        "next_term": (coming, terms),
        "features": (len(FEATURES),),
    }
    return Views(
        **{
            column.name: np.zeros((0, *shapes.get(column.name, ())), DTYPES[column.name])
            for column in fields(Views)
        }
    )


DTYPES: dict[str, Any] = {
    **dict.fromkeys(("user", "rows"), np.int32),
    **{
        f"{when}_{what}": np.int32
        for when in ("past", "next")
        for what in ("kind", "category", "term")
    },
    **dict.fromkeys(("inputs", "past_gap", "features"), np.float16),
    **dict.fromkeys(("visits", "bits"), np.uint32),
    **dict.fromkeys(("share", "frequency"), np.float32),
    **dict.fromkeys(("buy_1", "buy_7"), np.int8),
    "day": np.uint16,
    "column": np.int16,
    "watched": np.bool_,
}


def write_views(path: Path, parts: dict[str, Views], **more: NDArray[Any]) -> None:
    """Write views under their names, and other arrays, to one file."""
    arrays = {f"{part}/{n}": a for part, views in parts.items() for n, a in views.arrays().items()}
    arrays |= more
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def read_views(path: Path, parts: Sequence[str]) -> tuple[dict[str, Views], dict[str, Any]]:
    """What `write_views` wrote; raises LearnerFileError on another form."""
    arrays = read_arrays(path)
    try:
        found = {
            part: Views(
                **{column.name: arrays.pop(f"{part}/{column.name}") for column in fields(Views)}
            )
            for part in parts
        }
    except KeyError as error:
        raise LearnerFileError(f"{path}: lacks {error}; restore the bundle") from error
    return found, arrays

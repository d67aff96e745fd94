"""Arrays of one length that grow together."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


def empty(dtype: Any, *columns: int) -> Callable[[], NDArray[Any]]:
    """A maker of arrays (0, *columns)."""
    return lambda: np.zeros((0, *columns), dtype)


def blanked(
    array: NDArray[Any], rows: NDArray[np.int64], size: int, value: float = 0
) -> NDArray[Any]:
    """The first `size` rows, with `value` in some of them."""
    kept = array[:size].copy()
    kept[rows[rows < len(kept)]] = value
    return kept


@dataclass
class Table:
    """Arrays of one length; row i of each is about the same thing."""

    def grow(self, rows: int) -> None:
        """Append rows of zeros until there are this many."""
        for column in fields(self):
            old = getattr(self, column.name)
            if len(old) < rows:
                fresh = np.zeros((rows - len(old), *old.shape[1:]), old.dtype)
                setattr(self, column.name, np.concatenate([old, fresh]))

    def clear(self, rows: NDArray[np.int64], size: int) -> None:
        """Set some rows to zero, and keep the first `size`."""
        for column in fields(self):
            setattr(self, column.name, blanked(getattr(self, column.name), rows, size))

    def take(self, rows: NDArray[np.bool_]) -> None:
        """Keep some rows, by a mask."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name)[rows])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

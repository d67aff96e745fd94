"""Arrays of one length that grow together."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


def empty(dtype: Any, *columns: int) -> Callable[[], NDArray[Any]]:
    """A maker of arrays (0, *columns)."""
    return lambda: np.zeros((0, *columns), dtype)


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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

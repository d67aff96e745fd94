"""A ranker's weights and its optimizer's moments as arrays that grow and fit in two files."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.hashing import fraction, mixed
from lightning_modules.learner import LearnerFileError
from lightning_modules.lists import read_arrays

MODEL_FILE = "model.safetensors"
LEARNER_FILE = "learner.safetensors"
USER_TABLE = "user.weight"
ITEM_TABLE = "item.weight"
ITEM_BIAS = "bias.weight"
EMBEDDING_SCALE = 0.05

Arrays = dict[str, NDArray[np.float32]]


@dataclass
class Parameters:
    """Weights by name; Adam's first and second moments and step count, by the same names."""

    weights: Arrays = field(default_factory=dict)
    first: Arrays = field(default_factory=dict)
    second: Arrays = field(default_factory=dict)
    steps: Arrays = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.weights)

    def grown(self, users: int, items: int) -> "Parameters":
        """The same with rows for new users and items; old rows and moments are as they were.

        New embedding rows are small, and a function of their number alone; new biases and
        moments are zero.
        """
        wider = Parameters(*(dict(part) for part in self._parts()))
        for name, rows in ((USER_TABLE, users), (ITEM_TABLE, items), (ITEM_BIAS, items)):
            old = self.weights[name]
            if rows <= len(old):
                continue
            cold = np.zeros((rows - len(old), old.shape[1]), np.float32)
            fresh = cold if name == ITEM_BIAS else embedding_rows(name, len(old), *cold.shape)
            wider.weights[name] = np.concatenate([old, fresh])
            for moment in (wider.first, wider.second):
                if name in moment:
                    moment[name] = np.concatenate([moment[name], cold])
        return wider

    def _parts(self) -> tuple[Arrays, Arrays, Arrays, Arrays]:
        return self.weights, self.first, self.second, self.steps

    def finite(self) -> bool:
        """Whether every weight is a number."""
        return all(bool(np.isfinite(array).all()) for array in self.weights.values())

    def save(self, directory: Path) -> None:
        """Write both files."""
        optimizer = {
            f"{part}/{name}": array
            for part, arrays in (
                ("first", self.first),
                ("second", self.second),
                ("steps", self.steps),
            )
            for name, array in arrays.items()
        }
        save_file(self.weights, directory / MODEL_FILE)
        save_file(optimizer, directory / LEARNER_FILE)

    @classmethod
    def load(cls, directory: Path) -> "Parameters":
        """Read both files.

        Raises:
            LearnerFileError: if a moment has no weight of its shape.
        """
        weights = read_arrays(directory / MODEL_FILE)
        parts: dict[str, Arrays] = {"first": {}, "second": {}, "steps": {}}
        for key, array in read_arrays(directory / LEARNER_FILE).items():
            part, name = key.split("/", 1)
            fits = name in weights and (part == "steps" or array.shape == weights[name].shape)
            if part not in parts or not fits:
                raise LearnerFileError(
                    f"{directory / LEARNER_FILE}: {key} fits no weight of {MODEL_FILE}; "
                    "take both files from one version"
                )
            parts[part][name] = array
        return cls(weights, **parts)


def embedding_rows(name: str, begin: int, count: int, width: int) -> NDArray[np.float32]:
    """Initial rows of a table from `begin` on: uniform, with standard deviation 0.05."""
    salt = mixed(np.frombuffer(name.encode()[:8].ljust(8), np.uint64))
    cells = np.arange(begin * width, (begin + count) * width, dtype=np.uint64)
    centred = fraction(mixed(cells ^ salt)) * 2 - 1
    rows = centred * EMBEDDING_SCALE * np.sqrt(3)
    table: NDArray[np.float32] = rows.reshape(count, width).astype(np.float32)
    return table

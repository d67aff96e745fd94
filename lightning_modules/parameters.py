"""A network's weights and its optimizer's state as arrays that grow and fit in two files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import part, read_arrays
from lightning_modules.hashing import fraction, mixed
from lightning_modules.learner import LearnerFileError

MODEL_FILE = "model.safetensors"
LEARNER_FILE = "learner.safetensors"
GENERATION = "generation"
ONLINE = "online_steps"
EMBEDDING_SCALE = 0.05

Arrays = dict[str, NDArray[np.float32]]


@dataclass
class Parameters:
    """Weights by name, and the optimizer's state as `<part>/<weight>`.

    The parts are torch's own (`exp_avg`, `exp_avg_sq`, `step`, ...): of a weight's shape, or one
    number, kept as (1,); and what retention keeps: `fisher`, and `raw`, the weights that learn
    where their average is served. `online_steps` have lowered the step of the online rule.
    `generations` (rows,) tell of a table whose ids were they are, see `vocabulary`: no array is
    zeros.
    """

    weights: Arrays = field(default_factory=dict)
    optimizer: Arrays = field(default_factory=dict)
    online_steps: int = 0
    generations: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    def part(self, name: str) -> Arrays:
        """A part of the optimizer's state, by weight."""
        return part(self.optimizer, name)

    def put(self, name: str, arrays: Arrays) -> None:
        """Set a part of it."""
        self.optimizer.update({f"{name}/{weight}": array for weight, array in arrays.items()})

    def generation(self, table: str) -> NDArray[np.int32]:
        """The generation of each row of a table (rows,)."""
        told = self.generations.get(table, np.zeros(0, np.int32))
        return np.concatenate([told, np.zeros(len(self.weights[table]) - len(told), np.int32)])

    def copied(self) -> "Parameters":
        """The same arrays, by name, in dicts of its own."""
        parts = dict(self.weights), dict(self.optimizer), self.online_steps
        return Parameters(*parts, dict(self.generations))

    def __bool__(self) -> bool:
        return bool(self.weights)

    def grown(self, rows: Mapping[str, int], *, scale: float = EMBEDDING_SCALE) -> "Parameters":
        """The same with more rows in the tables named; old rows and moments are as they were.

        New embedding rows are small, and a function of table and number alone; those of a table
        one column wide, which are biases, and new moments are zero.
        """
        wider = self.copied()
        for name, count in rows.items():
            old = self.weights[name]
            if count <= len(old):
                continue
            cold = np.zeros((count - len(old), old.shape[1]), np.float32)
            bias = old.shape[1] == 1
            fresh = cold if bias else embedding_rows(name, len(old), *cold.shape, scale)
            wider.weights[name] = np.concatenate([old, fresh])
            for key, array in self.optimizer.items():
                if key.split("/", 1)[1] == name and array.shape == old.shape:
                    begun = fresh if key.startswith("raw/") else cold
                    wider.optimizer[key] = np.concatenate([array, begun])
        return wider

    def finite(self) -> bool:
        """Whether every weight is a number, and all that is kept of the optimizer."""
        arrays = (*self.weights.values(), *self.optimizer.values())
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def save(self, directory: Path) -> None:
        """Write both files."""
        save_file(self.weights, directory / MODEL_FILE)
        taken = {ONLINE: np.array([self.online_steps])} if self.online_steps else {}
        rows = {f"{GENERATION}/{n}": a for n, a in self.generations.items() if a.any()}
        save_file({**self.optimizer, **taken, **rows}, directory / LEARNER_FILE)

    @classmethod
    def load(cls, directory: Path) -> "Parameters":
        """Read both files.

        Raises:
            LearnerFileError: if a moment has no weight of its shape.
        """
        weights = read_arrays(directory / MODEL_FILE)
        optimizer = read_arrays(directory / LEARNER_FILE)
        taken = int(optimizer.pop(ONLINE, np.zeros(1))[0])
        generations = part(optimizer, GENERATION)
        for name in generations:
            del optimizer[f"{GENERATION}/{name}"]
        shapes = {key: array.shape for key, array in weights.items()}
        for key, array in optimizer.items():
            if array.shape not in ((1,), shapes.get(key.partition("/")[2])):
                raise _unfit(directory, key)
        for name, rows in generations.items():
            if rows.shape != shapes.get(name, ())[:1]:
                raise _unfit(directory, f"{GENERATION}/{name}")
        return cls(weights, optimizer, taken, generations)


def _unfit(directory: Path, key: str) -> LearnerFileError:
    return LearnerFileError(
        f"{directory / LEARNER_FILE}: {key} fits no weight of {MODEL_FILE}; "
        "take both files from one version"
    )


def embedding_rows(
    name: str, begin: int, count: int, width: int, scale: float = EMBEDDING_SCALE
) -> NDArray[np.float32]:
    """Initial rows of a table from `begin` on: uniform, with standard deviation `scale`."""
    salt = mixed(np.frombuffer(name.encode()[:8].ljust(8), np.uint64))
    cells = np.arange(begin * width, (begin + count) * width, dtype=np.uint64)
    centred = fraction(mixed(cells ^ salt)) * 2 - 1
    rows = centred * scale * np.sqrt(3)
    table: NDArray[np.float32] = rows.reshape(count, width).astype(np.float32)
    return table

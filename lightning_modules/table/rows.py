"""Units of a day with their numbers, in memory and in Parquet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from lightning_modules.hashing import list_keys

UNIT, KEY, TARGET = "unit", "key", "target"  # a table's columns, before the features


@dataclass(frozen=True)
class Rows:
    """L units in a table: `unit`, `key` (both of `learner.Examples`), `target`, then features."""

    table: pd.DataFrame

    @property
    def unit_ids(self) -> NDArray[np.object_]:
        """The units' ids (L,)."""
        return self.table[UNIT].to_numpy(object)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The names of their days (L,)."""
        return self.table[KEY].to_numpy(np.uint64)

    @property
    def target(self) -> NDArray[np.float32]:
        """What is to be predicted (L,)."""
        return self.table[TARGET].to_numpy(np.float32)

    @property
    def features(self) -> pd.DataFrame:
        """The columns to predict from."""
        return self.table.drop(columns=[UNIT, KEY, TARGET])

    def __len__(self) -> int:
        return len(self.table)

    def take(self, units: NDArray[Any]) -> "Rows":
        """Some of them, by a mask or by positions."""
        places = np.flatnonzero(units) if units.dtype == bool else units
        return Rows(self.table.iloc[places].reset_index(drop=True))

    def steps(self, batch_size: int) -> int:
        """Optimizer steps of one epoch."""
        return -(-len(self) // batch_size)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Any]:
        """All of them in a random order: features (B, F) and targets (B,), both float32."""
        import torch

        features, target = self.features.to_numpy(np.float32), self.target
        for places in np.array_split(generator.permutation(len(self)), self.steps(batch_size)):
            yield torch.from_numpy(features[places]), torch.from_numpy(target[places])


def joined(parts: list[Rows]) -> Rows:
    """One after the other; those without a row do not decide about types."""
    full = [part.table for part in parts if len(part)] or [parts[0].table]
    return Rows(pd.concat(full, ignore_index=True))


def no_rows() -> Rows:
    """A table without a row, and without features."""
    return Rows(pd.DataFrame({UNIT: [], KEY: np.zeros(0, np.uint64), TARGET: []}))


def rows_of(day: date, features: pd.DataFrame, target: Any) -> Rows:
    """A row for each unit in the features' index.

    Raises:
        ValueError: a unit that is there twice, or a feature or target that is no finite number.
    """
    if not features.index.is_unique:
        twice = features.index[features.index.duplicated()][0]
        raise ValueError(f"{day}: features() has more than one row of {twice!r}")
    table = features.astype(np.float32).reset_index(drop=True)
    units = features.index.astype(str).to_list()
    table.insert(0, TARGET, np.asarray(target, np.float32))
    for name, column in table.items():
        if len(bad := np.flatnonzero(~np.isfinite(column))):
            first = units[bad[0]]
            raise ValueError(f"{day}: {name} of {first!r} is no finite number, {len(bad)} in all")
    table.insert(0, KEY, list_keys(day, units))
    table.insert(0, UNIT, np.array(units, object))
    return Rows(table)


def read_rows(path: Path) -> Rows:
    """What `write_table` wrote of rows."""
    return Rows(read_table(path))


def read_table(path: Path) -> pd.DataFrame:
    """One thread: the pool of Arrow can outlive the interpreter and abort it at exit."""
    table: pd.DataFrame = parquet.read_table(path, use_threads=False).to_pandas()
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """The same content gives the same bytes: pandas' own metadata name its version."""
    bare = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(bare, path, compression="zstd")


def checked_state(state: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """The state in the order of its units, its `columns` of the types that they tell.

    Raises ValueError if it has other columns, a null, or a unit twice.
    """
    if list(state.columns) != list(columns):
        raise ValueError(f"the state has {list(state.columns)}, `columns` {list(columns)}")
    if state.isna().any(axis=None) or not state.index.is_unique:
        raise ValueError("the state has a null, or a unit twice: count() must fill every cell")
    return state.astype(dict(columns)).sort_index()

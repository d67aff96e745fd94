"""An item's days as arrays: what was known, what became of it, what had been forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
from lightning_modules.hashing import mixed

# A unit's rows: the item today, and as it was one and seven days ago.
TODAY, DAY_AGO, WEEK_AGO = range(3)
SLOTS = 3
# What becomes of a row: units that day, units through the end of the price's week, and the
# logarithm of the price one and seven days later over the price that day.
LABELS = ("units", "rest_of_week", "move_1", "move_7")
UNITS, REST_OF_WEEK, MOVE_1, MOVE_7 = range(4)
# What is forecast of a row: both units, and for one and seven days ahead the 10%, 50% and 90%
# quantiles of the price's move and the chance that it changes.
OUTPUTS = (
    *("units", "rest_of_week"),
    *("low_1", "median_1", "high_1", "chance_1"),
    *("low_7", "median_7", "high_7", "chance_7"),
)
COLUMN = {name: place for place, name in enumerate(OUTPUTS)}

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingRows:
    """Rows (n,) to train on; a label that is NaN is not known and teaches nothing.

    `item` is a tracked row, `day` counts since 1970, `labels` is (n, 4); where `censored`, at
    least the units were wanted.
    """

    keys: NDArray[np.uint64]
    day: NDArray[np.int32]
    item: NDArray[np.int32]
    category: NDArray[np.int32]
    features: NDArray[np.float16]
    labels: Floats
    censored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: NDArray[Any]) -> "TrainingRows":
        """Some of the rows, by mask or position."""
        return TrainingRows(*(getattr(self, part.name)[rows] for part in fields(self)))


@dataclass(frozen=True)
class ItemDays:
    """L items' days, each with SLOTS rows of F features.

    `features` is float16 (L, SLOTS, F), `labels` float32 (L, SLOTS, 4) with NaN where not known
    yet or never, `forecasts` float32 (L, SLOTS, outputs) what was forecast of each row on its
    own day, NaN where nothing was. `censored` (L,) says that today's units are a lower bound.
    """

    item_ids: NDArray[np.object_]
    keys: NDArray[np.uint64]
    day: NDArray[np.int32]
    item: NDArray[np.int32]
    category: NDArray[np.int32]
    features: NDArray[np.float16]
    labels: Floats
    forecasts: Floats
    censored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.item)

    @property
    def unit_ids(self) -> NDArray[np.object_]:
        """The item of each unit, (L,)."""
        return self.item_ids

    @property
    def units(self) -> Floats:
        """Units sold today, (L,)."""
        return self.labels[:, TODAY, UNITS]

    def take(self, units: NDArray[Any]) -> Self:
        """Some of the units, by mask or position."""
        chosen = {part.name: getattr(self, part.name)[units] for part in fields(self)}
        return replace(self, **chosen)

    def training_rows(self) -> TrainingRows:
        """The rows with a label, unit after unit."""
        unit, slot = np.nonzero(np.isfinite(self.labels).any(axis=2))
        return TrainingRows(
            keys=mixed(self.keys[unit] + slot.astype(np.uint64)),
            day=self.day[unit],
            item=self.item[unit],
            category=self.category[unit],
            features=self.features[unit, slot],
            labels=self.labels[unit, slot],
            censored=self.censored[unit] & (slot == TODAY),
        )


Part = TypeVar("Part", ItemDays, TrainingRows)


def no_item_days(features: int) -> ItemDays:
    """Zero units with rows of this many features."""
    return ItemDays(
        item_ids=np.zeros(0, object),
        keys=np.zeros(0, np.uint64),
        day=np.zeros(0, np.int32),
        item=np.zeros(0, np.int32),
        category=np.zeros(0, np.int32),
        features=np.zeros((0, SLOTS, features), np.float16),
        labels=np.zeros((0, SLOTS, len(LABELS)), np.float32),
        forecasts=np.zeros((0, SLOTS, len(OUTPUTS)), np.float32),
        censored=np.zeros(0, bool),
    )


def joined(parts: Sequence[Part]) -> Part:
    """One after another; at least one part is needed."""
    first = parts[0]
    arrays = {
        part.name: np.concatenate([getattr(one, part.name) for one in parts])
        for part in fields(first)
    }
    return replace(first, **arrays)


def to_arrays(part: ItemDays | TrainingRows, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays by name for a file; item ids stay out, `item` says the same."""
    return {
        f"{prefix}/{name}": np.ascontiguousarray(getattr(part, name))
        for name in _stored(type(part))
    }


def item_days_from(
    arrays: dict[str, NDArray[Any]], prefix: str, ids: NDArray[np.object_]
) -> ItemDays:
    """What `to_arrays` gave; `ids` names the tracked rows."""
    found = {name: arrays[f"{prefix}/{name}"] for name in _stored(ItemDays)}
    return ItemDays(item_ids=ids[found["item"]], **found)


def training_rows_from(arrays: dict[str, NDArray[Any]], prefix: str) -> TrainingRows:
    """What `to_arrays` gave."""
    return TrainingRows(**{name: arrays[f"{prefix}/{name}"] for name in _stored(TrainingRows)})


def spool(examples: ItemDays, path: Path) -> None:
    """Write the training rows of a day to one file."""
    save_file(to_arrays(examples.training_rows(), "rows"), path)


def unspool(path: Path) -> TrainingRows:
    """Read what `spool` wrote."""
    return training_rows_from(read_arrays(path), "rows")


def _stored(kind: type) -> list[str]:
    return [part.name for part in fields(kind) if part.name != "item_ids"]

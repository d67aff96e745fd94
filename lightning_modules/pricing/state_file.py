"""The state's two files: ids as text, everything else as arrays."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import part, read_arrays
from lightning_modules.pricing.history import History
from lightning_modules.pricing.queue import Queue
from lightning_modules.pricing.state import (
    Categories,
    PricingState,
    Seen,
    Shelf,
    Shop,
    Watched,
)
from lightning_modules.tables import Table
from lightning_modules.vocabulary import Rows

TABLES: dict[str, type[Table]] = {
    "seen": Seen,
    "watched": Watched,
    "shelf": Shelf,
    "categories": Categories,
}


@dataclass
class Kept:
    """All that a learner keeps beside parameters, memory and ids.

    `stretch` (2,) is how much wider than learned the price intervals are, one and seven days
    ahead, as logarithms.
    """

    state: PricingState
    queue: Queue
    history: History
    stretch: NDArray[np.float32]

    @classmethod
    def empty(cls, features: int, outputs: int, history_days: int) -> "Kept":
        """Nothing yet."""
        queue, history = Queue.empty(features, outputs), History.empty(history_days)
        return cls(PricingState(), queue, history, np.zeros(2, np.float32))


def save_kept(kept: Kept, path: Path) -> None:
    """Write everything to one file."""
    state = kept.state
    parts: dict[str, Any] = {name: getattr(state, name).arrays() for name in TABLES}
    parts["shop"] = {
        "counts": np.array([state.shop.day, state.shop.open_days, state.shop.channels], np.int32),
        "sold": state.shop.sold,
        "weekday": state.shop.weekday,
    }
    parts["queue"], parts["history"] = vars(kept.queue), vars(kept.history)
    arrays = {
        f"{part}/{key}": array for part, found in parts.items() for key, array in found.items()
    }
    arrays |= {"tracked": state.tracked, "stretch": kept.stretch}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load_kept(path: Path) -> Kept:
    """Read what `save_kept` wrote; raises KeyError if a column is missing."""
    arrays = read_arrays(path)
    shop = part(arrays, "shop")
    day, open_days, channels = shop["counts"].tolist()
    state = PricingState(
        shop=Shop(day, open_days, channels, shop["sold"], shop["weekday"]),
        tracked=arrays["tracked"],
        **{name: _table(kind, part(arrays, name)) for name, kind in TABLES.items()},  # type: ignore[arg-type]
    )
    return Kept(
        state,
        Queue(**part(arrays, "queue")),
        History(**part(arrays, "history")),
        arrays["stretch"],
    )


def _table(kind: type[Table], found: dict[str, NDArray[Any]]) -> Table:
    return kind(**{column.name: found[column.name] for column in fields(kind)})


def save_ids(items: Rows, groups: Rows, path: Path) -> None:
    """Write the ids in row order."""
    ids = {"items": list(items.row_of), "groups": list(groups.row_of)}
    path.write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")


def load_ids(path: Path) -> tuple[Rows, Rows]:
    """Read what `save_ids` wrote."""
    ids = json.loads(path.read_text(encoding="utf-8"))
    return Rows(ids["items"]), Rows(ids["groups"])

"""The state's file: the tables, packed.

A key of two rows is kept as its second row, with the number of keys of each first row beside it.
The counters of a pair bought once follow from that, so only those of the others are kept.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
from lightning_modules.recommendation.offers import Offers
from lightning_modules.recommendation.pairs import Pairs
from lightning_modules.recommendation.state import Items, ShopState, Users
from lightning_modules.recommendation.tables import ITEM_BITS, item_of, pair_keys
from lightning_modules.recommendation.together import Together

ONCE = {"faded": 1, "recent": 1, "gap": 0, "spread": 0}  # of a pair bought once, on its last day


def save_state(state: ShopState, path: Path) -> None:
    """Write the tables."""
    tables = (
        ("users", state.users),
        ("items", state.items),
        ("pairs", state.pairs),
        ("offers", state.offers),
    )
    arrays = {
        f"{name}/{column}": array
        for name, table in tables
        for column, array in table.arrays().items()
        if column != "key" and not (name == "pairs" and column in ONCE)
    }
    again = state.pairs.count > 1
    for column in ONCE:
        arrays[f"pairs/{column}"] = getattr(state.pairs, column)[again]
    for name, key in (("pairs", state.pairs.key), ("offers", state.offers.key)):
        arrays[f"{name}/item"] = item_of(key).astype(np.int32)
        arrays[f"{name}/of_owner"] = np.bincount(key >> ITEM_BITS).astype(np.int32)
    for name, array in state.together.arrays().items():
        arrays[f"together/{name}"] = array
    arrays["day"] = np.array([state.day], np.int32)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load_state(path: Path) -> ShopState:
    """Read what `save_state` wrote."""
    arrays = read_arrays(path)
    day = int(arrays.pop("day")[0])
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        table, column = name.split("/")
        parts.setdefault(table, {})[column] = array
    for table in ("pairs", "offers"):
        of_owner = parts[table].pop("of_owner")
        owner = np.repeat(np.arange(len(of_owner)), of_owner)
        parts[table]["key"] = pair_keys(owner, parts[table].pop("item"))
    again = parts["pairs"]["count"] > 1
    for column, once in ONCE.items():
        kept = parts["pairs"][column]
        whole = np.full((len(again), *kept.shape[1:]), once, kept.dtype)
        whole[again] = kept
        parts["pairs"][column] = whole
    return ShopState(
        users=Users(**parts["users"]),
        items=Items(**parts["items"]),
        pairs=Pairs(**parts["pairs"]),
        offers=Offers(**parts["offers"]),
        together=Together.of(parts["together"]),
        day=day,
    )

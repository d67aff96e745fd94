"""The state's file: the three tables, packed.

A pair's key is kept as its item, with the number of pairs of each user beside it. The counters
of a pair bought once are all one on its last day, so only those of the others are kept.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
from lightning_modules.recommendation.state import (
    ITEM_BITS,
    Items,
    Pairs,
    ShopState,
    Users,
    pair_keys,
)


def save_state(state: ShopState, path: Path) -> None:
    """Write the tables."""
    arrays = {
        f"{name}/{column}": array
        for name, table in (("users", state.users), ("items", state.items), ("pairs", state.pairs))
        for column, array in table.arrays().items()
        if column not in ("key", "faded")
    }
    user = state.pairs.key >> ITEM_BITS
    arrays["pairs/item"] = state.pairs.item.astype(np.int32)
    arrays["pairs/of_user"] = np.bincount(user, minlength=len(state.users.last)).astype(np.int32)
    arrays["pairs/faded_again"] = state.pairs.faded[state.pairs.count > 1]
    arrays["day"] = np.array([state.day], np.int32)
    save_file(arrays, path)


def load_state(path: Path) -> ShopState:
    """Read what `save_state` wrote."""
    arrays = read_arrays(path)
    of_user = arrays.pop("pairs/of_user")
    user = np.repeat(np.arange(len(of_user)), of_user)
    arrays["pairs/key"] = pair_keys(user, arrays.pop("pairs/item"))
    again = arrays.pop("pairs/faded_again")
    faded = np.ones((len(user), again.shape[1]), np.float32)
    faded[arrays["pairs/count"] > 1] = again
    arrays["pairs/faded"] = faded
    tables = {
        name: kind(**{k.split("/")[1]: v for k, v in arrays.items() if k.startswith(name + "/")})
        for name, kind in (("users", Users), ("items", Items), ("pairs", Pairs))
    }
    return ShopState(day=int(arrays["day"][0]), **tables)  # type: ignore[arg-type]

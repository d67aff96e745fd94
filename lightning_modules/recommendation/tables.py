"""Tables of counters that fade by days, and the numbers that name a pair of rows.

A faded counter is a sum of exp(-age / tau) over past events, age and tau in days. It is kept as
it was on the row's last day and brought to another day when read, so a day costs only the rows
it touches and a closed day costs nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ITEM_BITS = 32

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def pair_keys(owners: Ints, items: Ints) -> Ints:
    """One sortable number for each (row of a user, channel or item; row of an item)."""
    return (owners.astype(np.int64) << ITEM_BITS) | items.astype(np.int64)


def item_of(keys: Ints) -> Ints:
    """The item row in each number that `pair_keys` made."""
    return keys & ((1 << ITEM_BITS) - 1)


def contains(wanted: Ints, keys: Ints) -> NDArray[np.bool_]:
    """Which keys are among the sorted wanted ones."""
    if len(wanted) == 0:
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == keys
    return found


def fade(values: Floats, last: NDArray[Any], day: int, taus: Any) -> Floats:
    """Counters (n,) or (n, T) kept as of `last`, as they are on `day`."""
    age = (day - last.astype(np.int32)).astype(np.float32)
    if values.ndim == 2:
        age = age[:, None]
    faded: Floats = values * np.exp(-age / taus)
    return faded

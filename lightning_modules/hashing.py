"""Random choices that need no generator state: a row's luck is a function of what it is."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

SCALE = 2.0**-64


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Well-mixed 64-bit words, one for each input word (the finaliser of SplitMix64)."""
    x = values + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def fraction(values: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The words as numbers in [0, 1)."""
    return values.astype(np.float64) * SCALE


def list_keys(day: date, user_ids: Sequence[str]) -> NDArray[np.uint64]:
    """The name of each user-day: the first 64 bits of sha256("<day>:<user_id>")."""
    digests = (hashlib.sha256(f"{day}:{user}".encode()).digest()[:8] for user in user_ids)
    return np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.uint64)


def days_of(
    keys: NDArray[np.uint64], user_ids: NDArray[np.object_], days: Iterable[date]
) -> list[date | None]:
    """The day of each user-day (L,): the first of `days` that gives it its name, or None."""
    found: list[date | None] = [None] * len(keys)
    left = np.arange(len(keys))
    for day in days:
        if not len(left):
            break
        named = list_keys(day, user_ids[left].tolist()) == keys[left]
        for place in left[named]:
            found[place] = day
        left = left[~named]
    return found


def in_holdout(keys: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Which user-days are held out of training, for a share in [0, 1]."""
    return fraction(keys) < share

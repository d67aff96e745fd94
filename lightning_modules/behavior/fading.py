"""Counters that fade by days, not by steps, and the last days bit by bit.

A faded counter is a sum of exp(-age / tau) over past days, age and tau in days. Of recent days,
bit k says what happened k days before.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TAUS = np.array([7, 30, 90], np.float32)
WEEKDAY_TAU = np.float32(60)
BASKET_TAU = np.float32(30)
INTEREST_TAU = np.float32(7)
SOLD_TAUS = np.array([1, 7, 28], np.float32)
SOLD_WEEKDAY_TAU = np.float32(24)
PRICE_TAUS = np.array([3, 60], np.float32)
WINDOW = 32

Floats = NDArray[np.float32]


def fade(values: Floats, days: int, taus: Any) -> Floats:
    """Counters as they are `days` later; `taus` is one number or one for each last column."""
    faded: Floats = values * np.exp(-np.float32(days) / taus).astype(np.float32)
    return faded


def shifted(bits: NDArray[np.uint32], days: int) -> NDArray[np.uint32]:
    """The last days' bits as they are `days` later."""
    return np.zeros_like(bits) if days >= WINDOW else bits << np.uint32(days)

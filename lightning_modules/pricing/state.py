"""What is known of items, categories and the shop: counters that fade by open days.

A faded counter is a sum of exp(-age / tau) over past days on which the shop was open. Every item
ever sold has a household-day count; items sold often enough are watched in detail; those that
entered the top are tracked, which means forecast.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.tables import Table, empty

SOLD_TAUS = np.array([3, 7, 28, 84], np.float32)
BUYER_TAUS = np.array([7, 28], np.float32)
CATEGORY_TAUS = np.array([7, 28], np.float32)
STEADY_TAU = 28.0
PROMOTION_TAU = 84.0
RECENT_TAU = 56.0
ERROR_TAU = 56.0
WEEKDAY_KEPT = 0.85  # of a weekday's counter, by each later one
PAST_WEEKS = 8
STEADY_SLOPE = 1.5  # price elasticity that evens out sales before anything is learned
EVER = 0

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass
class Seen(Table):
    """Per item ever sold or listed: household-days, recent ones (faded), category row."""

    days: NDArray[np.uint32] = field(default_factory=empty(np.uint32))
    recent: Floats = field(default_factory=empty(np.float32))
    category: Ints = field(default_factory=empty(np.int32))


@dataclass
class Watched(Table):
    """Per watched item: its row among the seen, days watched, and its sales.

    `sold` and `buyers` fade by SOLD_TAUS and BUYER_TAUS; `weekday` and `latest` have a column
    for Monday to Sunday: the faded units of that weekday and the units of its latest one.
    `steady` are faded units and what a constant demand would have sold at the prices of those
    days (per unit of demand). `promotion` and `plain` are faded units and days with and without
    a price cut. `spell` counts units and days since the price last changed. `error` are the
    faded squared miss and mean of forecasts.
    """

    item: Ints = field(default_factory=empty(np.int32))
    age: Ints = field(default_factory=empty(np.int32))
    sold: Floats = field(default_factory=empty(np.float32, len(SOLD_TAUS)))
    buyers: Floats = field(default_factory=empty(np.float32, len(BUYER_TAUS)))
    weekday: Floats = field(default_factory=empty(np.float32, 7))
    latest: Floats = field(default_factory=empty(np.float32, 7))
    steady: Floats = field(default_factory=empty(np.float32, 2))
    promotion: Floats = field(default_factory=empty(np.float32, 2))
    plain: Floats = field(default_factory=empty(np.float32, 2))
    spell: Floats = field(default_factory=empty(np.float32, 2))
    error: Floats = field(default_factory=empty(np.float32, 2))
    last_sold: Ints = field(default_factory=empty(np.int32))
    paid: Floats = field(default_factory=empty(np.float32))


@dataclass
class Shelf(Table):
    """Per watched item: price, regular price and their last day, last week's, eight weeks'.

    `display` and `mailer` are shares of the channels; `past` holds regular prices, latest week
    first, zero where there was none. `cost` is the last one stated of a unit, zero where none was.
    """

    price: Floats = field(default_factory=empty(np.float32))
    regular: Floats = field(default_factory=empty(np.float32))
    until: Ints = field(default_factory=empty(np.int32))
    before: Floats = field(default_factory=empty(np.float32))
    past: Floats = field(default_factory=empty(np.float32, PAST_WEEKS))
    display: Floats = field(default_factory=empty(np.float32))
    mailer: Floats = field(default_factory=empty(np.float32))
    display_before: Floats = field(default_factory=empty(np.float32))
    mailer_before: Floats = field(default_factory=empty(np.float32))
    promoted_until: Ints = field(default_factory=empty(np.int32))
    cost: Floats = field(default_factory=empty(np.float32))


@dataclass
class Categories(Table):
    """Per category: faded units of the items watched, by CATEGORY_TAUS."""

    sold: Floats = field(default_factory=empty(np.float32, len(CATEGORY_TAUS)))


@dataclass
class Shop:
    """The shop as a whole: last day taken in (since 1970; 0 is never), open days, channels.

    `sold` are faded units by CATEGORY_TAUS, `weekday` as in `Watched`.
    """

    day: int = 0
    open_days: int = 0
    channels: int = 0
    sold: Floats = field(default_factory=lambda: np.zeros(len(CATEGORY_TAUS), np.float32))
    weekday: Floats = field(default_factory=lambda: np.zeros(7, np.float32))


@dataclass
class PricingState:
    """All tables; `tracked` (T,) are rows of `watched`, in the order of their admission."""

    shop: Shop = field(default_factory=Shop)
    seen: Seen = field(default_factory=Seen)
    watched: Watched = field(default_factory=Watched)
    shelf: Shelf = field(default_factory=Shelf)
    categories: Categories = field(default_factory=Categories)
    tracked: Ints = field(default_factory=empty(np.int32))


def weekday_of(day: int) -> int:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


def kept(tau: Any) -> Any:
    """What a day leaves of a faded counter."""
    return np.exp(-1.0 / tau)


def mass(days: NDArray[Any], tau: Any) -> NDArray[Any]:
    """The faded count of `days` days in a row: a mean is a faded sum over it; at least 1e-6."""
    left = kept(tau)
    total: NDArray[Any] = np.maximum((1 - left**days) / (1 - left), 1e-6)
    return total

"""A made-up shop whose tastes drift in four known ways; nobody's data, and never called real.

Customers like a few of the groups, and within a group some items more than others (a Zipf law). A
taste is what a customer makes of a group and a group of its items; a drift is another taste.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from tasks.sources.canonical import empty, typed, with_event_ids

FIRST_DAY = dt.date(2024, 1, 1)
LEARNED = 60  # days before the first one that is scored
SUDDEN, GRADUAL, GRADUAL_END = 74, 95, 116
RECURRING, RECURRING_END = 130, 144  # the first taste is back for so long
CATALOGUE = 158
DAYS = 180
DRIFTS = {
    "sudden": FIRST_DAY + dt.timedelta(SUDDEN),
    "gradual": FIRST_DAY + dt.timedelta(GRADUAL),
    "recurring": FIRST_DAY + dt.timedelta(RECURRING),
    "new catalogue": FIRST_DAY + dt.timedelta(CATALOGUE),
}
GROUPS, ITEMS_A_GROUP, CUSTOMERS = 20, 15, 400
NEW_SHARE = 0.3  # of the items that a new catalogue replaces
VISITS, BASKET = 0.3, 4.0  # a customer's chance to come on a day; items bought then, at the mean
FAVOURITES, LOYALTY = 3, 0.85  # groups a customer likes, and the share of purchases from these
TASTES = 3


@dataclass(frozen=True)
class Tastes:
    """Chances that customer u buys from group g (K, U, G), and g its i-th item (K, G, I)."""

    groups: NDArray[np.float64]
    items: NDArray[np.float64]

    @classmethod
    def drawn(cls, generator: np.random.Generator) -> "Tastes":
        """K tastes that have nothing to do with each other."""
        groups = np.full((TASTES, CUSTOMERS, GROUPS), (1 - LOYALTY) / GROUPS)
        items = np.empty((TASTES, GROUPS, ITEMS_A_GROUP))
        law = 1 / np.arange(1, ITEMS_A_GROUP + 1)
        for taste in range(TASTES):
            for customer in range(CUSTOMERS):
                liked = generator.choice(GROUPS, FAVOURITES, replace=False)
                groups[taste, customer, liked] += LOYALTY / FAVOURITES
            for group in range(GROUPS):
                items[taste, group] = generator.permutation(law) / law.sum()
        return cls(groups, items)


def mix(number: int) -> NDArray[np.float64]:
    """How much of each taste (K,) there is on a day, counted from the first."""
    if number < SUDDEN:
        return np.array([1.0, 0.0, 0.0])
    if number < GRADUAL:
        return np.array([0.0, 1.0, 0.0])
    if RECURRING <= number < RECURRING_END:
        return np.array([1.0, 0.0, 0.0])
    gone = min((number - GRADUAL) / (GRADUAL_END - GRADUAL), 1.0)
    return np.array([0.0, 1 - gone, gone])


def shop_days(seed: int = 1, days: int = DAYS) -> Iterator[ShopDay]:
    """The shop's days from FIRST_DAY on; the same seed gives the same days."""
    tastes = Tastes.drawn(np.random.default_rng(seed))
    replaced = np.random.default_rng(seed + 1).random((GROUPS, ITEMS_A_GROUP)) < NEW_SHARE
    for number in range(days):
        day = FIRST_DAY + dt.timedelta(number)
        names = _names(replaced & (number >= CATALOGUE))
        fresh = np.full(replaced.shape, number == 0) | (replaced & (number == CATALOGUE))
        generator = np.random.default_rng([seed, number])
        events = _events(day, mix(number), tastes, names, generator)
        yield ShopDay(day, events, _catalogue(day, names, fresh), empty("prices"))


def _names(new: NDArray[np.bool_]) -> NDArray[np.object_]:
    """The id of each group's items (G, I)."""
    names = [
        [f"{'new' if new[g, i] else 'item'}-{g:02d}-{i:02d}" for i in range(ITEMS_A_GROUP)]
        for g in range(GROUPS)
    ]
    return np.array(names, object)


def _catalogue(day: dt.date, names: NDArray[np.object_], fresh: NDArray[np.bool_]) -> pd.DataFrame:
    group = np.nonzero(fresh)[0]
    rows = {
        "item_id": names[fresh],
        "date": [day] * len(group),
        "department": "all",
        "category": [f"group-{g:02d}" for g in group],
        "subcategory": "all",
    }
    return typed("items", pd.DataFrame(rows)) if len(group) else empty("items")


def _events(
    day: dt.date,
    share: NDArray[np.float64],
    tastes: Tastes,
    names: NDArray[np.object_],
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Who came, and what they bought by the taste that each purchase is drawn from."""
    came = np.flatnonzero(generator.random(CUSTOMERS) < VISITS)
    customer = np.repeat(came, 1 + generator.poisson(BASKET - 1, len(came)))
    taste = generator.choice(TASTES, len(customer), p=share)
    group = _drawn(tastes.groups[taste, customer], generator)
    item = _drawn(tastes.items[taste, group], generator)
    opening = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=8)
    frame = pd.DataFrame(
        {
            "event_time": opening + pd.to_timedelta(customer, unit="min"),
            "event_type": "purchase",
            "user_id": [f"customer-{number:03d}" for number in customer],
            "session_id": [f"{day}-{number:03d}" for number in customer],
            "item_id": names[group, item],
            "price": 1.0 + group % 7,
            "quantity": 1.0,
            "discount": 0.0,
        }
    )
    return with_event_ids(frame)


def _drawn(chances: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.intp]:
    """A column of each row (N, C) of chances."""
    found: NDArray[np.intp] = (
        (chances.cumsum(axis=1) < generator.random((len(chances), 1)) * chances.sum(1)[:, None])
        .sum(axis=1)
        .clip(max=chances.shape[1] - 1)
    )
    return found

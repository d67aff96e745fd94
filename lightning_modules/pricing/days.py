"""A day's units: one for each tracked item, by what was known before the day and is posted."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import list_keys
from lightning_modules.learner import ShopDay
from lightning_modules.pricing.absorb import entering
from lightning_modules.pricing.features import FEATURES, Scene, feature_matrix
from lightning_modules.pricing.item_days import LABELS, OUTPUTS, SLOTS, TODAY, UNITS, ItemDays
from lightning_modules.pricing.offers import posted, promoted, sold_out
from lightning_modules.pricing.queue import Queue
from lightning_modules.pricing.sales import Sales, sales
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.shelf import in_force, shelf_on
from lightning_modules.pricing.state import PricingState, Shelf
from lightning_modules.vocabulary import Rows

EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Known:
    """What a learner knows before a day; `items` are the rows of `state.seen`."""

    state: PricingState
    items: Rows
    queue: Queue
    settings: Settings

    @property
    def ids(self) -> NDArray[np.object_]:
        """The id of each tracked item, those included that enter with the next day."""
        seen = self.state.watched.item[tracked_on(self)]
        found: NDArray[np.object_] = np.array(list(self.items.row_of), object)[seen]
        return found


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_DAY


def shelf_of(known: Known, day: ShopDay) -> Shelf:
    """The shelf on the day, with the offers that begin on it."""
    state = known.state
    posts, promotions = posted(day.prices, known.items), promoted(day.prices, known.items)
    number = day_number(day.day)
    return shelf_on(
        state.shelf,
        state.watched,
        state.shop,
        posts,
        promotions,
        number,
        carry_prices=known.settings.carry_prices,
    )


def tracked_on(known: Known) -> NDArray[np.int32]:
    """The tracked items as the next day has them: newcomers to the top are added at the end."""
    entered = entering(known.state, known.settings.items)
    return np.concatenate([known.state.tracked, entered]).astype(np.int32)


def units_of_day(known: Known, day: ShopDay, *, ahead: bool = False) -> ItemDays:
    """One unit for each tracked item that sold within `dormant_days`.

    A day without any sale was a closed one and has no units, unless it lies `ahead`.

    Raises ValueError on a day that the state has taken in: its features would know its labels.
    """
    state, number, sold = known.state, day_number(day.day), sales(day.events)
    if number <= state.shop.day:
        raise ValueError(f"{day.day} is in the state already: load the version from before it")
    tracked = tracked_on(known)
    awake = state.watched.last_sold[tracked] >= number - known.settings.dormant_days
    awake &= ahead or len(sold.item_ids) > 0
    item = np.flatnonzero(awake).astype(np.int32)
    rows = tracked[item].astype(np.int64)
    shelf = shelf_of(known, day)
    seen = state.watched.item[rows]
    ids = np.array(list(known.items.row_of), object)[seen]
    count = len(item)
    features = np.zeros((count, SLOTS, len(FEATURES)), np.float16)
    features[:, TODAY] = feature_matrix(Scene(state, shelf, number, known.settings), rows)
    labels = np.full((count, SLOTS, len(LABELS)), np.nan, np.float32)
    labels[:, TODAY, UNITS] = _units(known, sold, seen)
    found = ItemDays(
        item_ids=ids,
        keys=list_keys(day.day, ids.tolist()),
        day=np.full(count, number, np.int32),
        item=item,
        category=state.seen.category[seen],
        features=features,
        labels=labels,
        forecasts=np.full((count, SLOTS, len(OUTPUTS)), np.nan, np.float32),
        censored=np.isin(ids, sold_out(day.prices)),
    )
    price = shelf.price[rows]
    if known.settings.carry_prices:  # a price that is only carried is one that nobody observed
        price = np.where(in_force(shelf, rows, number), price, np.float32(np.nan))
    known.queue.fill(found, number, price)
    return found


def _units(known: Known, sold: Sales, seen: NDArray[np.int32]) -> NDArray[np.float32]:
    units = np.zeros(len(known.items), np.float32)
    row = known.items.find(sold.item_ids)
    units[row[row >= 0]] = sold.units[row >= 0]
    found: NDArray[np.float32] = units[seen]
    return found

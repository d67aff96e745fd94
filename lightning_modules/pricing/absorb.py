"""One day into the state, once."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.pricing.sales import Sales
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.shelf import CHANGE, references
from lightning_modules.pricing.state import (
    BUYER_TAUS,
    CATEGORY_TAUS,
    PROMOTION_TAU,
    RECENT_TAU,
    SOLD_TAUS,
    STEADY_SLOPE,
    STEADY_TAU,
    WEEKDAY_KEPT,
    PricingState,
    Shelf,
    kept,
    weekday_of,
)

CUT = 0.05  # a price at least this share below the regular one is a price cut


def absorb_day(
    state: PricingState,
    day: int,
    shelf: Shelf,
    items: NDArray[np.int64],
    sold: Sales,
    settings: Settings,
    excluded: NDArray[np.bool_],
) -> None:
    """Take in a day's sales at the day's shelf.

    `items` are the seen rows of `sold.item_ids`, `excluded` says of each category row whether
    its items are left out. A day without sales was a closed one: only the shelf and the date
    move. Raises ValueError if the day is not after the last one.
    """
    if day <= state.shop.day:
        raise ValueError(f"day {day} was taken in already (last: {state.shop.day}): skip it")
    before = state.shelf.price.copy()
    state.shelf, state.shop.day = shelf, day
    if len(items) == 0:
        return
    state.shop.open_days += 1
    state.seen.days[items] += sold.buyers.astype(np.uint32)
    state.seen.recent *= kept(RECENT_TAU)
    state.seen.recent[items] += sold.buyers
    _count(state, day, before, items, sold)
    _watch(state, day, items, sold, settings, excluded)


def _count(
    state: PricingState,
    day: int,
    before: NDArray[np.float32],
    items: NDArray[np.int64],
    sold: Sales,
) -> None:
    table, weekday = state.watched, weekday_of(day)
    units = np.zeros(len(state.seen.days), np.float32)
    buyers, paid = units.copy(), np.full(len(units), np.nan, np.float32)
    units[items], buyers[items], paid[items] = sold.units, sold.buyers, sold.paid
    units, buyers, paid = units[table.item], buyers[table.item], paid[table.item]
    table.age += 1
    table.sold[:] = table.sold * kept(SOLD_TAUS) + units[:, None]
    table.buyers[:] = table.buyers * kept(BUYER_TAUS) + buyers[:, None]
    table.weekday[:, weekday] = table.weekday[:, weekday] * WEEKDAY_KEPT + units
    table.latest[:, weekday] = units
    table.last_sold[units > 0] = day
    table.paid[np.isfinite(paid)] = paid[np.isfinite(paid)]
    _count_by_price(state, before, units)
    category = state.seen.category[table.item]
    total = np.bincount(category, units, minlength=len(state.categories.sold))
    state.categories.sold[:] = state.categories.sold * kept(CATEGORY_TAUS) + total[:, None]
    shop = state.shop
    shop.sold = (shop.sold * kept(CATEGORY_TAUS) + units.sum()).astype(np.float32)
    shop.weekday[weekday] = shop.weekday[weekday] * WEEKDAY_KEPT + units.sum()


def _count_by_price(
    state: PricingState, before: NDArray[np.float32], units: NDArray[np.float32]
) -> None:
    """Sales at the day's price: since it began, with and without a cut, evened out."""
    table, shelf = state.watched, state.shelf
    rows = np.arange(len(table.item))
    ratio = price_ratio(shelf, rows)
    expected = np.exp(-STEADY_SLOPE * ratio)
    steady = np.stack([units, expected], axis=1)
    table.steady[:] = table.steady * kept(STEADY_TAU) + steady
    cut = shelf.price < shelf.regular * (1 - CUT)
    today = np.stack([units, np.ones_like(units)], axis=1)
    table.promotion[cut] = table.promotion[cut] * kept(PROMOTION_TAU) + today[cut]
    table.plain[~cut] = table.plain[~cut] * kept(PROMOTION_TAU) + today[~cut]
    table.spell[moved(before, shelf.price)] = 0
    table.spell += today


def _watch(
    state: PricingState,
    day: int,
    items: NDArray[np.int64],
    sold: Sales,
    settings: Settings,
    excluded: NDArray[np.bool_],
) -> None:
    """Watch what has sold often enough, from now on; it starts with the price paid today."""
    enough = state.seen.days[items] >= settings.watch_after
    enough &= ~np.isin(items, state.watched.item) & ~excluded[state.seen.category[items]]
    new = items[enough]
    begin, count = len(state.watched.item), len(new)
    state.watched.grow(begin + count)
    state.shelf.grow(begin + count)
    state.watched.item[begin:] = new
    state.watched.last_sold[begin:] = day
    state.watched.paid[begin:] = np.nan_to_num(sold.paid[enough])


def entering(state: PricingState, count: int) -> NDArray[np.int32]:
    """Watched rows not tracked yet that are among the `count` with most household-days.

    Of all time or lately: an old favourite counts from the first day, a new one soon enough.
    """
    item = state.watched.item
    chosen = np.zeros(len(item), bool)
    for measure in (state.seen.days[item].astype(np.float64), state.seen.recent[item]):
        chosen[np.argsort(-measure, kind="stable")[:count]] = True
    chosen[state.tracked] = False
    return np.flatnonzero(chosen).astype(np.int32)


def moved(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which prices changed by more than CHANGE; one that was not known did not."""
    changed: NDArray[np.bool_] = (before > 0) & (np.abs(after - before) > CHANGE * before)
    return changed


def price_ratio(shelf: Shelf, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """log(price / reference), cut off at -1.5 and 1; zero where no price is known."""
    price = shelf.price[rows]
    reference = references(shelf, rows)
    ratio = np.log(np.where(price > 0, price, reference) / reference)
    cut: NDArray[np.float32] = np.clip(ratio, -1.5, 1).astype(np.float32)
    return cut

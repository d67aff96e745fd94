"""What each watched item costs on a day, beside its past: posted prices, promotions, references.

A posted price is carried until another is posted, or, where `carry_prices` is off, holds through
its last day; after it the item is back at its regular price. Where the shop never posted one, the
last price paid stands for both.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.pricing.offers import Posted, Promoted
from lightning_modules.pricing.state import Shelf, Shop, Watched

MONDAY = 4  # 1970-01-05, the first Monday, was day 4
CHANGE = 0.01  # a price that moved by less than this share did not change

Floats = NDArray[np.float32]


def week_of(day: Any) -> Any:
    """The number of a day's week, or of many days'; weeks begin on Monday."""
    return (day - MONDAY) // 7


def shelf_on(
    shelf: Shelf,
    watched: Watched,
    shop: Shop,
    posts: Posted,
    promotions: Promoted,
    day: int,
    *,
    carry_prices: bool,
) -> Shelf:
    """The shelf as it is on `day`, from the one of the last day taken in; changes nothing.

    On the first day of a week the regular price, or the last price paid where none was posted,
    joins the eight that the reference is made of. `carry_prices`: see `Settings`.
    """
    now = replace(shelf, **{name: array.copy() for name, array in shelf.arrays().items()})
    if week_of(day) != week_of(shop.day):
        now.before[:] = now.price
        now.display_before[:], now.mailer_before[:] = now.display, now.mailer
        now.past[:, 1:] = now.past[:, :-1]
        now.past[:, 0] = np.where(now.regular > 0, now.regular, now.price)
    if not carry_prices:
        over = now.until < day
        now.price[over] = now.regular[over]
    never = ~(now.regular > 0)
    now.price[never] = watched.paid[never]
    place = np.full(int(watched.item.max(initial=-1)) + 1, -1)
    place[watched.item] = np.arange(len(watched.item))
    row, known = _places(place, posts.item)
    now.price[row], now.regular[row] = posts.price[known], posts.regular[known]
    now.until[row] = posts.until[known]
    stated = posts.cost[known] > 0
    now.cost[row[stated]] = posts.cost[known][stated]
    _promote(now, promotions, *_places(place, promotions.item), shop, day)
    return now


def _places(
    place: NDArray[np.int64], items: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The watched row of each item that has one, and which have one."""
    inside = items < len(place)
    found = np.full(len(items), -1)
    found[inside] = place[items[inside]]
    known: NDArray[np.bool_] = found >= 0
    return found[known], known


def _promote(
    now: Shelf,
    promotions: Promoted,
    row: NDArray[np.int64],
    known: NDArray[np.bool_],
    shop: Shop,
    day: int,
) -> None:
    over = now.promoted_until < day
    now.display[over] = now.mailer[over] = 0
    channels = max(promotions.channels, int(shop.channels), 1)
    now.display[row] = promotions.display[known] / channels
    now.mailer[row] = promotions.mailer[known] / channels
    now.promoted_until[row] = promotions.until[known]


def in_force(shelf: Shelf, rows: NDArray[np.int64], day: int) -> NDArray[np.bool_]:
    """Whether each price (n,) is known on `day`: posted for it.

    In a shop that has never posted any, the last price paid is all there is to know, and counts.
    """
    if not (shelf.regular > 0).any():
        return np.ones(len(rows), bool)
    known: NDArray[np.bool_] = shelf.until[rows] >= day
    return known


def references(shelf: Shelf, rows: NDArray[np.int64]) -> Floats:
    """The reference price of some rows: the median regular price of up to eight past weeks.

    Where none was ever posted, it is the median of the prices paid at the weeks' ends. Before the
    first week is over it is the regular price, then the price; 1 where nothing is known.
    """
    past = np.where(shelf.past[rows] > 0, shelf.past[rows], np.nan).astype(np.float64)
    known = shelf.regular[rows], shelf.price[rows], np.ones(len(rows))
    first = np.select([array > 0 for array in known], known)
    past[:, 0] = np.where(np.isnan(past).all(axis=1), first, past[:, 0])
    found: Floats = np.exp(np.nanmedian(np.log(past), axis=1)).astype(np.float32)
    return found

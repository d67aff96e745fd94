"""A session's prefix as a household: each item of it is a visit, and one place back a day ago.

So candidates and features of a session are those of a household's purchases, on another clock.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.pairs import MARKS, PAIR_TAUS, Pairs
from lightning_modules.recommendation.session_places import Places
from lightning_modules.recommendation.state import BASKET_TAU, ShopState, Users
from lightning_modules.recommendation.tables import Floats, Ints, pair_keys
from lightning_modules.vocabulary import NO_ROW


def prefix_state(
    shop: ShopState, places: Places, items: Ints, channels: Ints, day: int
) -> ShopState:
    """The shop's items, and the prefix of each place as a user's row.

    Args:
        shop: The state before the day, which is not changed.
        places: L places.
        items: Item row of each of `places.item_ids`. One that the shop does not have yet gets
            the row it will have, as an item never sold: a session may come back to it. One that
            gets no row yet is left out.
        channels: Channel row of each place (L,).
        day: Days since 1970-01-01; the item before the place was bought on the day before.
    """
    shelf = replace(shop.items)
    if len(shelf.last):  # a shop without items has no groups either: then nothing is known
        shelf.grow(int(items[items != NO_ROW].max(initial=-1)) + 1)
    order = np.lexsort((places.ago, items[places.item], places.owner))
    known = order[(items[places.item] < len(shelf.last))[order]]
    key = pair_keys(places.owner[known], items[places.item[known]])
    first = np.flatnonzero(np.diff(key, prepend=-1))
    pairs = _pairs(key, first, places.ago[known], day)
    pairs.visit = (places.before[pairs.user] - (day - pairs.last.astype(np.int64)) + 1).astype(
        np.uint16
    )
    users = _users(places, pairs, day)
    users.channel = channels.astype(np.uint16)
    return replace(shop, users=users, items=shelf, pairs=pairs)


def _pairs(key: Ints, first: Ints, ago: Ints, day: int) -> Pairs:
    """The pairs without their `visit`; rows (n,) are sorted by key, then by `ago`.

    `first` says at which row each pair begins.
    """
    count = np.diff(first, append=len(key))
    nearest = ago[first]
    since = ago - np.repeat(nearest, count)
    same = np.diff(key, prepend=-1) == 0
    gap = np.where(same, np.diff(ago, prepend=0), 0)
    marks = np.where(since < MARKS, 1 << np.minimum(since, MARKS - 1), 0).astype(np.uint32)
    faded = np.exp(-since[:, None] / PAIR_TAUS).astype(np.float32)
    last_gap = np.zeros(len(first), np.int64)
    last_gap[count > 1] = gap[first[count > 1] + 1]
    return Pairs(
        key=key[first],
        faded=_summed(faded, first),
        count=count.astype(np.uint16),
        first=(day - ago[first + count - 1]).astype(np.uint16),
        last=(day - nearest).astype(np.uint16),
        recent=np.bitwise_or.reduceat(marks, first) if len(first) else marks,
        gap=last_gap.astype(np.uint16),
        spread=_summed((gap**2).astype(np.float32)[:, None], first)[:, 0],
    )


def _users(places: Places, pairs: Pairs, day: int) -> Users:
    """A row for each place, with one item a visit."""
    size = len(places.before)

    def faded(owner: Ints, age: Ints, tau: np.float32) -> Floats:
        return np.bincount(owner, weights=np.exp(-age / tau), minlength=size).astype(np.float32)

    users = Users()
    users.grow(size)
    age = places.ago - 1
    users.visits = np.stack([faded(places.owner, age, tau) for tau in PAIR_TAUS], axis=1)
    users.basket = faded(places.owner, age, BASKET_TAU)
    users.firsts = faded(pairs.user, day - 1 - pairs.first.astype(np.int64), BASKET_TAU)
    users.count = places.before.astype(np.uint16)
    users.last = np.full(size, day - 1, np.uint16)
    return users


def _summed(values: Floats, first: Ints) -> Floats:
    """Sums (m, c) of the rows (n, c) from each `first` to the next."""
    if len(first) == 0:
        return np.zeros((0, values.shape[1]), np.float32)
    found: NDArray[np.float32] = np.add.reduceat(values, first, axis=0)
    return found

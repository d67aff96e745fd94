"""Which items are ranked for a user-day: all the user ever bought, and some new ones.

New ones come from the items that sell best, by P(group | user) x P(item | group).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.lists import spans, starts
from lightning_modules.recommendation.pairs import LASTING, PAIR_TAUS
from lightning_modules.recommendation.state import ITEM_TAUS, ShopState
from lightning_modules.recommendation.tables import Floats, Ints, fade, item_of, pair_keys

SMOOTHING_VISITS = 0.3
COMMON_TASTE = 3.0
LISTS_AT_ONCE = 512  # with a pool of 8,000, 80 MB whatever the day's length


@dataclass(frozen=True)
class Shelf:
    """The shop on a day: faded sales of every item (P, taus), of every group, and the pool."""

    day: int
    sold: Floats
    group: Ints
    group_sold: Floats
    appeal: Floats
    pool: Ints


@dataclass(frozen=True)
class Histories:
    """What the day's users bought before: one row per (list, item), list after list."""

    visits: Floats
    offsets: Ints
    owner: Ints
    pair: Ints
    item: Ints
    faded: Floats


@dataclass(frozen=True)
class Candidates:
    """N rows, list after list; `history` is the row in Histories, -1 for a new item."""

    offsets: Ints
    owner: Ints
    item: Ints
    history: Ints
    first_stage: Floats


def shelf(state: ShopState, day: int, groups: int, size: int) -> Shelf:
    """The shop before `day`: the `size` items with the highest recent sales are the pool."""
    table = state.items
    sold = fade(table.sold, table.last, day, ITEM_TAUS)
    group = table.group.astype(np.int64)
    group_sold = np.bincount(group, weights=sold[:, 2], minlength=groups).astype(np.float32)
    popularity = sold[:, 2] + 0.1 * sold[:, 3]
    pool = np.sort(np.argsort(-popularity, kind="stable")[:size])
    pool = pool[table.first[pool] > 0]
    within = (sold[:, 2] + 0.3 * sold[:, 1] + 0.05) / (group_sold[group] + 1)
    return Shelf(day, sold, group, group_sold, np.log(within), pool)


def histories(state: ShopState, users: Ints, day: int) -> Histories:
    """The pairs of these user rows, with counters faded to `day`; unknown users have none."""
    table = state.pairs
    begin = np.searchsorted(table.key, pair_keys(users, np.zeros_like(users)))
    end = np.searchsorted(table.key, pair_keys(users + 1, np.zeros_like(users)))
    pair = spans(begin, end - begin)
    visits = np.zeros((len(users), len(PAIR_TAUS)), np.float32)
    known = users < len(state.users.last)
    rows = users[known]
    visits[known] = fade(state.users.visits[rows], state.users.last[rows], day, PAIR_TAUS)
    return Histories(
        visits=visits,
        offsets=starts(end - begin),
        owner=np.repeat(np.arange(len(users)), end - begin),
        pair=pair,
        item=item_of(table.key[pair]),
        faded=fade(table.faded[pair], table.last[pair], day, PAIR_TAUS),
    )


def tastes(past: Histories, shop: Shelf) -> Floats:
    """Log P(group | user) up to a constant, (L, groups): own visits, drawn to the shop's mix."""
    lists, groups = len(past.visits), len(shop.group_sold)
    cell = past.owner * groups + shop.group[past.item]
    visits = np.bincount(cell, weights=past.faded[:, LASTING], minlength=lists * groups)
    own = visits.reshape(lists, groups) / np.maximum(past.visits[:, LASTING], 0.5)[:, None]
    common = shop.group_sold / max(float(shop.group_sold.sum()), 1e-9)
    mix = own * SMOOTHING_VISITS + common * COMMON_TASTE + 1e-6
    taste: Floats = np.log(mix.astype(np.float32))
    return taste


def candidates(past: Histories, shop: Shelf, taste: Floats, explore: int) -> Candidates:
    """All of a user's items, then up to `explore` new ones from the pool, each by item row."""
    return with_new(past, shop, taste, new_items(past, shop, taste, explore))


def with_new(past: Histories, shop: Shelf, taste: Floats, new: tuple[Ints, Ints]) -> Candidates:
    """All of a user's items, then the new ones: list and item row of each, list after list."""
    lists = len(past.visits)
    new_owner, new_item = new
    per_list = np.diff(past.offsets) + np.bincount(new_owner, minlength=lists)
    owner = np.concatenate([past.owner, new_owner])
    order = np.argsort(owner, kind="stable")
    item = np.concatenate([past.item, new_item])[order]
    history = np.concatenate([np.arange(len(past.item)), np.full(len(new_item), -1)])[order]
    owner = owner[order]
    first_stage = taste[owner, shop.group[item]] + shop.appeal[item]
    return Candidates(starts(per_list), owner, item, history, first_stage)


def new_items(past: Histories, shop: Shelf, taste: Floats, explore: int) -> tuple[Ints, Ints]:
    """List and item row of each new candidate, list after list; some lists at a time."""
    place = np.full(len(shop.group), -1)
    place[shop.pool] = np.arange(len(shop.pool))
    owners, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for begin in range(0, len(taste), LISTS_AT_ONCE):
        some = taste[begin : begin + LISTS_AT_ONCE]
        rows = slice(past.offsets[begin], past.offsets[begin + len(some)])
        appeal = some[:, shop.group[shop.pool]]
        appeal += shop.appeal[shop.pool]
        column = place[past.item[rows]]
        appeal[past.owner[rows][column >= 0] - begin, column[column >= 0]] = -np.inf
        owner, column = np.nonzero(_best(appeal, explore))
        owners.append(owner + begin)
        columns.append(column)
    return np.concatenate(owners), shop.pool[np.concatenate(columns)]


def _best(appeal: Floats, count: int) -> NDArray[np.bool_]:
    """Which columns (L, C) are among the `count` highest of their row and not -inf."""
    found: NDArray[np.bool_] = np.isfinite(appeal)
    if count < appeal.shape[1]:
        best = np.argpartition(-appeal, count, axis=1)[:, :count]
        chosen = np.zeros_like(found)
        np.put_along_axis(chosen, best, True, axis=1)
        found &= chosen
    return found

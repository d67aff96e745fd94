"""What a user's own purchases tell of an item: its own, those of its group and its category."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.candidates import Candidates
from lightning_modules.recommendation.habits import (
    GROUP_HABITS,
    HABITS,
    group_habits,
    habits,
)
from lightning_modules.recommendation.scene import Scene, columns
from lightning_modules.recommendation.tables import Floats, Ints

PERSONAL = (
    "is_personal",
    "rate_7",
    "rate_21",
    "rate_60",
    "rate_180",
    "rate_ever",
    "log_count",
    "recency",
    "visits_since",
    "mean_interval",
    "overdue",
    "bought_once",
    "bought_this_week",
    "share_of_group",
    *HABITS,
)
GROUP = (
    "group_rate_21",
    "group_rate_60",
    "group_rate_180",
    "group_recency",
    "group_overdue",
    *GROUP_HABITS,
)
CATEGORY = ("category_rate_21", "category_rate_180")
LONGEST_DAYS = 400
LONGEST_OVERDUE = 4.0


def personal_block(scene: Scene, marked: NDArray[np.uint32]) -> NDArray[np.float16]:
    """PERSONAL of each history row; `marked` is its `habits.marks`."""
    past, table = scene.past, scene.state.pairs
    owner, pair = past.owner, past.pair
    user = scene.users[owner]
    visits = past.visits[owner]
    last = table.last[pair].astype(np.float32)
    count = table.count[pair].astype(np.float32)
    total = scene.state.users.count[user].astype(np.float32)
    since = scene.shop.day - last
    interval, late = _overdue(since, last - table.first[pair], count)
    group = owner * len(scene.shop.group_sold) + scene.shop.group[past.item]
    _, cell = np.unique(group, return_inverse=True)
    own = np.bincount(cell, weights=past.faded[:, 3])[cell]
    rates = _rate(past.faded, visits, 0.05)
    return columns(
        np.ones(len(pair)),
        *rates.T,
        _rate(count, total, 1),
        np.log1p(count) / 2,
        np.log1p(since) / 3,
        np.log1p(total - table.visit[pair]) / 3,
        np.log1p(interval) / 3,
        late,
        count == 1,
        since <= 7,
        past.faded[:, 3] / (own + 0.3),
        *habits(scene.state, past, scene.shop.day, marked).T,
    )


def group_blocks(
    scene: Scene, rows: Candidates, marked: NDArray[np.uint32]
) -> tuple[tuple[NDArray[np.float16], Ints], tuple[NDArray[np.float16], Ints]]:
    """The two blocks of group and category rates, each with the block row of a candidate."""
    past, shop = scene.past, scene.shop
    groups = len(shop.group_sold)
    cells, owner, at = _cells(past.owner, shop.group[past.item], groups)
    visits = past.visits[owner]
    faded = _sums(at, past.faded, len(cells))
    last = np.zeros(len(cells), np.float32)
    first = np.full(len(cells), np.inf, np.float32)
    np.maximum.at(last, at, scene.state.pairs.last[past.pair].astype(np.float32))
    np.minimum.at(first, at, scene.state.pairs.first[past.pair].astype(np.float32))
    count = np.bincount(at, weights=scene.state.pairs.count[past.pair], minlength=len(cells))
    since = np.minimum(shop.day - last, LONGEST_DAYS)
    _, late = _overdue(since, last - first, count.astype(np.float32))
    rates = _rate(faded[:, 1:], visits[:, 1:], 0.3)
    visited = group_habits(marked, at, len(cells))
    block = columns(*rates.T, np.log1p(since) / 4, late, *visited.T)
    never = np.zeros((1, block.shape[1]), np.float16)
    never[0, 3:5] = np.log1p(LONGEST_DAYS) / 4, -1
    group_block = np.concatenate([block, never])
    group_row = _lookup(
        rows.owner * groups + shop.group[rows.item], cells, len(past.visits), groups
    )

    broad = int(scene.category.max(initial=0)) + 1
    cells, owner, at = _cells(past.owner, scene.category[shop.group[past.item]], broad)
    faded = _sums(at, past.faded, len(cells))
    rates = _rate(faded, past.visits[owner], 0.3)
    category_block = np.concatenate([columns(rates[:, 1], rates[:, 3]), np.zeros((1, 2), "f2")])
    key = rows.owner * broad + scene.category[shop.group[rows.item]]
    category_row = _lookup(key, cells, len(past.visits), broad)
    return (group_block, group_row), (category_block, category_row)


def _cells(owner: Ints, kind: Ints, kinds: int) -> tuple[Ints, Ints, Ints]:
    """The distinct (list, kind) cells, the list of each, and each row's cell."""
    cells, at = np.unique(owner * kinds + kind, return_inverse=True)
    return cells, cells // kinds, at


def _sums(at: Ints, values: Floats, size: int) -> Floats:
    columns = [np.bincount(at, weights=column, minlength=size) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _lookup(wanted: Ints, cells: Ints, lists: int, kinds: int) -> Ints:
    """The position of each wanted cell; the last, spare position where it is not there."""
    position = np.full(lists * kinds, len(cells), np.int64)
    position[cells] = np.arange(len(cells))
    return position[wanted]


def _rate(faded: Floats, visits: Floats, least: float) -> Floats:
    rate: Floats = np.sqrt(np.clip(faded / np.maximum(visits, least), 0, 1))
    return rate


def _overdue(since: Floats, span: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Mean days between purchases (0 if bought once) and days since, in such intervals."""
    several = count >= 2
    interval = np.where(several, span / np.maximum(count - 1, 1), 0)
    late = np.minimum(since / np.maximum(interval, 1), LONGEST_OVERDUE)
    return interval, np.where(several, late, -1)

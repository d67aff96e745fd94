"""What the ranker sees of a candidate: numbers known before the day, scaled to about one.

The blocks stand side by side in one float16 matrix. A new block (say, planned promotions) is one
more function and one more entry in BLOCKS; the ranker's width follows.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.candidates import Candidates, Histories, Shelf
from lightning_modules.recommendation.state import BASKET_TAU, Floats, Ints, ShopState, fade

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
)
GROUP = (
    "group_rate_21",
    "group_rate_60",
    "group_rate_180",
    "group_recency",
    "group_overdue",
)
CATEGORY = ("category_rate_21", "category_rate_180")
ITEM = (
    "sold_3",
    "sold_7",
    "sold_28",
    "sold_90",
    "trend",
    "repeat_share",
    "buyers",
    "age",
    "share_in_group",
)
USER = (
    "since_visit",
    "visits_21",
    "basket",
    "new_share",
    "log_visits",
    "weekend",
    "weekday_sine",
    "weekday_cosine",
)
FIRST_STAGE = ("first_stage",)
FEATURES = PERSONAL + GROUP + CATEGORY + ITEM + USER + FIRST_STAGE
COLUMN = {name: column for column, name in enumerate(FEATURES)}
LONGEST_DAYS = 400
LONGEST_OVERDUE = 4.0


@dataclass(frozen=True)
class Scene:
    """All that features are made from."""

    state: ShopState
    shop: Shelf
    past: Histories
    users: Ints
    category: Ints
    day: date


def feature_matrix(scene: Scene, rows: Candidates) -> NDArray[np.float16]:
    """One row of FEATURES per candidate, float16 (N, F)."""
    out = np.zeros((len(rows.item), len(FEATURES)), np.float16)
    group, category = _group_blocks(scene, rows)
    known = np.flatnonzero(rows.history >= 0)
    begin = 0
    out[known, : len(PERSONAL)] = _personal(scene)[rows.history[known]]
    begin += len(PERSONAL)
    for block, index in (
        group,
        category,
        (_item(scene), rows.item),
        (_user(scene), rows.owner),
    ):
        out[:, begin : begin + block.shape[1]] = block[index]
        begin += block.shape[1]
    out[:, begin] = np.maximum(rows.first_stage, -15) / 6 + 1
    return out


def _columns(*columns: NDArray[np.generic]) -> NDArray[np.float16]:
    return np.stack([column.astype(np.float16) for column in columns], axis=1)


def _rate(faded: Floats, visits: Floats, least: float) -> Floats:
    rate: Floats = np.sqrt(np.clip(faded / np.maximum(visits, least), 0, 1))
    return rate


def _overdue(since: Floats, span: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Mean days between purchases (0 if bought once) and days since, in such intervals."""
    several = count >= 2
    interval = np.where(several, span / np.maximum(count - 1, 1), 0)
    late = np.minimum(since / np.maximum(interval, 1), LONGEST_OVERDUE)
    return interval, np.where(several, late, -1)


def _personal(scene: Scene) -> NDArray[np.float16]:
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
    return _columns(
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
    )


def _group_blocks(
    scene: Scene, rows: Candidates
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
    block = _columns(*rates.T, np.log1p(since) / 4, late)
    never = np.array([[0, 0, 0, np.log1p(LONGEST_DAYS) / 4, -1]], np.float16)
    group_block = np.concatenate([block, never])
    group_row = _lookup(
        rows.owner * groups + shop.group[rows.item], cells, len(past.visits), groups
    )

    broad = int(scene.category.max(initial=0)) + 1
    cells, owner, at = _cells(past.owner, scene.category[shop.group[past.item]], broad)
    faded = _sums(at, past.faded, len(cells))
    rates = _rate(faded, past.visits[owner], 0.3)
    category_block = np.concatenate([_columns(rates[:, 1], rates[:, 3]), np.zeros((1, 2), "f2")])
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


def _item(scene: Scene) -> NDArray[np.float16]:
    table, sold = scene.state.items, scene.shop.sold
    first, buyers, repeats = (
        column.astype(np.float32) for column in (table.first, table.buyers, table.repeats)
    )
    group_sold = scene.shop.group_sold[scene.shop.group]
    return _columns(
        *(np.log1p(sold) / 4).T,
        np.log((sold[:, 1] / 7 + 0.05) / (sold[:, 2] / 28 + 0.05)),
        repeats / (repeats + buyers + 5),
        np.log1p(buyers) / 5,
        np.log1p(np.maximum(scene.shop.day - first, 0)) / 5,
        np.sqrt(sold[:, 2] / (group_sold + 1)),
    )


def _user(scene: Scene) -> NDArray[np.float16]:
    """One row per list; a user never seen is one who has not been there for long."""
    table, users = scene.state.users, scene.users
    known = users < len(table.last)
    rows = np.where(known, users, 0)
    size = np.zeros((len(users), 3), np.float32)
    if known.any():
        columns = np.stack([table.basket, table.firsts, table.count.astype(np.float32)], axis=1)
        size[known] = columns[rows[known]]
        last = table.last[rows[known]]
        size[known, :2] = fade(size[known, :2], last, scene.shop.day, BASKET_TAU)
    since = np.full(len(users), 200, np.float32)
    since[known] = np.minimum(scene.shop.day - table.last[rows[known]].astype(np.float32), 200)
    visits = scene.past.visits
    weekday = scene.day.weekday()
    turn = 2 * np.pi * weekday / 7
    ones = np.ones(len(users))
    return _columns(
        np.log1p(since) / 3,
        visits[:, 1] / 10,
        np.log1p(size[:, 0] / np.maximum(visits[:, 2], 0.2)) / 3,
        size[:, 1] / np.maximum(size[:, 0], 1),
        np.log1p(size[:, 2]) / 4,
        ones * (weekday >= 5),
        ones * np.sin(turn),
        ones * np.cos(turn),
    )

"""When a user buys an item or a group: the last visits one by one, and the days between.

ReCANet (Ariannezhad et al., SIGIR 2022) shows what such sequences tell of the next purchase.
"""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.candidates import Histories
from lightning_modules.recommendation.pairs import shifted
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import Floats, Ints

VISITS_BACK = 12
GROUP_VISITS_BACK = 8
HABITS = (
    *(f"bought_{visit}_visits_ago" for visit in range(1, VISITS_BACK + 1)),
    "last_gap",
    "gap_deviation",
    "late",
    "late_by_last_gap",
)
GROUP_HABITS = (
    *(f"group_{visit}_visits_ago" for visit in range(1, GROUP_VISITS_BACK + 1)),
    "items_of_group",
)
LATEST = 4.0
SPARE_DAYS = 3.0  # nobody is as regular as two equal gaps look


def marks(state: ShopState, users: Ints, past: Histories) -> NDArray[np.uint32]:
    """Bit k: bought k visits before the user's last one. One word for each history row."""
    now = state.users.count[users[past.owner]]
    return shifted(state.pairs.recent[past.pair], now - state.pairs.visit[past.pair])


def bits(words: NDArray[np.uint32], count: int) -> Floats:
    """The lowest bits of each word (n,), as zeros and ones (n, count)."""
    places = np.arange(count, dtype=np.uint32)
    return ((words[:, None] >> places) & np.uint32(1)).astype(np.float32)


def habits(state: ShopState, past: Histories, day: int, marked: NDArray[np.uint32]) -> Floats:
    """HABITS of each history row."""
    table = state.pairs
    count, last, first, gap = (
        column[past.pair].astype(np.float32)
        for column in (table.count, table.last, table.first, table.gap)
    )
    since = day - last
    gaps = np.maximum(count - 1, 1)
    mean = (last - first) / gaps
    deviation = np.sqrt(np.maximum(table.spread[past.pair] / gaps - mean**2, 0))
    late = np.clip((since - mean) / (deviation + SPARE_DAYS), -LATEST, LATEST)
    again = count >= 2
    columns = (
        np.where(again, np.log1p(gap) / 3, 0),
        np.where(count >= 3, np.log1p(deviation) / 3, -1),
        np.where(again, late, -LATEST),
        np.where(again, np.minimum(since / np.maximum(gap, 1), LATEST), -1),
    )
    block = [bits(marked, VISITS_BACK), *(column[:, None] for column in columns)]
    return np.concatenate(block, axis=1, dtype=np.float32)


def group_habits(marked: NDArray[np.uint32], cell: Ints, cells: int) -> Floats:
    """GROUP_HABITS of each (list, group) cell; `cell` says in which a history row is."""
    words = np.zeros(cells, np.uint32)
    np.bitwise_or.at(words, cell, marked)
    items = np.bincount(cell, minlength=cells).astype(np.float32)
    return np.concatenate([bits(words, GROUP_VISITS_BACK), np.log1p(items)[:, None] / 3], axis=1)

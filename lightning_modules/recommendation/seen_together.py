"""What is seen in one session with the items of a prefix: item-based nearest neighbours.

The cosine and the confidence of faded counts of pairs (Deshpande and Karypis, TOIS 2004), summed
over the prefix with a weight that falls by place, as nearest-neighbour methods for sessions do
(Jannach and Ludewig, RecSys 2017; Ludewig and Jannach, UMUAI 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lightning_modules.recommendation.candidates import Histories
from lightning_modules.recommendation.scene import Scene, columns
from lightning_modules.recommendation.tables import (
    ITEM_BITS,
    Floats,
    Ints,
    contains,
    item_of,
    pair_keys,
)
from lightning_modules.recommendation.together import PRIOR_BASKETS, Together

SEEN_TOGETHER = ("near_together", "all_together", "last_together", "lift_together")
NEAR, FAR = 0, 3  # columns of PAIR_TAUS: a week's memory counts places as it counts days
LEAST = 1e-4
SHRINK = 50.0  # sessions that every item is given: rare items are near to anything by chance


@dataclass(frozen=True)
class Ties:
    """How strongly items are tied to each of L prefixes: sparse (L, items), by SEEN_TOGETHER."""

    parts: tuple[sparse.csr_matrix, ...]

    def of(self, owner: Ints, item: Ints) -> NDArray[np.float16]:
        """SEEN_TOGETHER of some (prefix, item) rows (n,)."""
        wanted = pair_keys(owner, item)
        return columns(*(np.log(_at(part, wanted) + LEAST) / 4 + 1 for part in self.parts))

    def best(self, past: Histories, count: int) -> tuple[Ints, Ints]:
        """Prefix and item row of up to `count` items tied to each prefix that are not in it."""
        tied = self.parts[0]
        row = np.repeat(np.arange(tied.shape[0]), np.diff(tied.indptr))
        own = pair_keys(past.owner, past.item)
        free = ~contains(own, pair_keys(row, tied.indices.astype(np.int64)))
        row, item, value = row[free], tied.indices[free].astype(np.int64), tied.data[free]
        order = np.lexsort((item, -value, row))
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        chosen = np.sort(order[rank < count])
        return row[chosen], item[chosen]


def ties(scene: Scene) -> Ties:
    """The ties of the scene's prefixes on its day."""
    past, items = scene.past, len(scene.state.items.last)
    together = scene.state.together.faded(scene.shop.day)
    sold = np.zeros(items, np.float32)
    sold[: len(together.item_baskets)] = together.item_baskets
    cosine = _pairwise(together, items, 1 / np.sqrt(sold + SHRINK))
    last = scene.state.pairs.last[past.pair] == scene.shop.day - 1
    weights = (past.faded[:, NEAR], past.faded[:, FAR], last.astype(np.float32))
    near, far, newest = (_prefixes(past, weight, items) for weight in weights)
    # A cosine is the root of confidence times its reverse; the lift sets it off by the root of
    # how common both are, so rare partners stand out.
    lift = _pairwise(together, items, max(together.baskets, 1.0) ** 0.5 / (sold + PRIOR_BASKETS))
    found = (near @ cosine, far @ cosine, newest @ cosine, far @ lift)
    for part in found:
        part.sort_indices()
    return Ties(found)


def with_tied(new: tuple[Ints, Ints], tied: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Both kinds of new candidates, each (list, item) once, list after list."""
    keys = np.union1d(pair_keys(*new), pair_keys(*tied))
    return keys >> ITEM_BITS, item_of(keys)


def _pairwise(together: Together, items: int, scale: Floats) -> sparse.csr_matrix:
    """Counts of pairs in both directions, (items, items), times the scale of either item."""
    one, other = together.key >> ITEM_BITS, item_of(together.key)
    value = (together.pair_baskets * scale[one] * scale[other]).astype(np.float32)
    rows, others = np.concatenate([one, other]), np.concatenate([other, one])
    return sparse.csr_matrix((np.tile(value, 2), (rows, others)), shape=(items, items))


def _prefixes(past: Histories, weight: Floats, items: int) -> sparse.csr_matrix:
    """The weights of a prefix's items, which sum to one, (L, items)."""
    total = np.bincount(past.owner, weights=weight, minlength=len(past.visits))
    value = (weight / np.maximum(total, 1e-9)[past.owner]).astype(np.float32)
    return sparse.csr_matrix((value, past.item, past.offsets), shape=(len(past.visits), items))


def _at(part: sparse.csr_matrix, wanted: Ints) -> Floats:
    """The values at some `pair_keys` (n,); zero where there is none."""
    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    keys = pair_keys(row, part.indices)
    out = np.zeros(len(wanted), np.float32)
    found = contains(keys, wanted)
    out[found] = part.data[np.searchsorted(keys, wanted[found])]
    return out

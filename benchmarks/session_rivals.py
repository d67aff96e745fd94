"""Simple methods for the next item of a session, and ranks by which all methods are measured.

Each rival scores all items for each prefix, from the sessions of the days before: popularity, the
items seen together (item-kNN, Deshpande and Karypis, TOIS 2004) and the sessions most alike
(session-kNN, Jannach and Ludewig, RecSys 2017; Ludewig and Jannach, UMUAI 2018).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.session_places import Places
from lightning_modules.vocabulary import Rows

PREFIXES_AT_ONCE = 64
DEPTHS = (10, 20)
ANOTHER = "recall@20 of another item"

Scores = NDArray[np.float64]
Ranks = NDArray[np.float64]
Own = Literal["first", "never", "scored"]  # where a prefix's own items stand


@dataclass(frozen=True)
class Past:
    """Sessions before a day, zeros and ones (S, items), and how many days ago each was (S,)."""

    seen: sparse.csr_matrix
    age: NDArray[np.float64]


Method = Callable[[Past, sparse.csr_matrix], Scores]  # prefixes (l, items) -> (l, items)


class Log:
    """The sessions of all days so far; `item_ids` grow."""

    def __init__(self) -> None:
        self.items = Rows()
        self._days: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, day: int, session: NDArray[np.int64], item_ids: list[str]) -> None:
        """Take a day's (session, item) rows, in any order."""
        self.items.admit(item_ids)
        item = self.items.find(item_ids)
        rows = np.unique(np.stack([session, item], axis=1), axis=0)
        self._days.append((day, rows[:, 0], rows[:, 1]))

    def past(self, day: int) -> Past:
        """What is known on a day after all of them."""
        sizes = [int(session.max(initial=-1)) + 1 for _, session, _ in self._days]
        starts = np.cumsum([0, *sizes])
        row = np.concatenate([s + b for (_, s, _), b in zip(self._days, starts, strict=False)])
        item = np.concatenate([item for _, _, item in self._days])
        ones = np.ones(len(row), np.float32)
        shape = (int(starts[-1]), len(self.items))
        age = np.repeat([float(day - then) for then, _, _ in self._days], sizes)
        return Past(sparse.csr_matrix((ones, (row, item)), shape=shape), age)


def popularity(past: Past, prefixes: sparse.csr_matrix, tau: float) -> Scores:
    """Sessions with the item, a session `a` days ago counting exp(-a / tau)."""
    sold = np.asarray(past.seen.T @ np.exp(-past.age / tau), float)
    return np.broadcast_to(sold, prefixes.shape)


def item_knn(past: Past, prefixes: sparse.csr_matrix, tau: float, shrink: float = 5.0) -> Scores:
    """Sum over the prefix of the cosine of items by sessions, decayed and shrunken."""
    weight = np.exp(-past.age / tau)
    sold = np.asarray(past.seen.T @ weight, float)
    scale = sparse.diags(1 / np.sqrt(sold + shrink))
    met = (prefixes @ scale @ past.seen.T).multiply(weight[None, :]).tocsr()
    found: Scores = (met @ past.seen @ scale).toarray()
    return found


def session_knn(past: Past, prefixes: sparse.csr_matrix, recent: int, nearest: int) -> Scores:
    """Sum of the likeness (cosine) of the `nearest` among the `recent` sessions with the item."""
    seen = past.seen[-recent:]
    length = np.sqrt(np.asarray(seen.sum(axis=1)).ravel())
    like = (prefixes @ seen.T).toarray() / np.maximum(length, 1)
    if nearest < like.shape[1]:
        least = -np.partition(-like, nearest, axis=1)[:, nearest, None]
        like = np.where(like > least, like, 0)
    found: Scores = (sparse.csr_matrix(like) @ seen).toarray()
    return found


def ranks(log: Log, places: Places, past: Past, method: Method, *, own: Own) -> Ranks:
    """The rank of what came next at each place (L,), inf for an item never seen before.

    Args:
        log: Names the columns of `past`.
        places: What is to be foretold.
        past: The sessions before the day.
        method: Scores; in ties what sold most comes first.
        own: The prefix's own items come first, the nearest before the others; or never; or as
            the method scores them.
    """
    item = log.items.find(places.item_ids)
    target, mine, count = item[places.target], item[places.item], len(places.keys)
    known = mine >= 0
    prefixes = sparse.csr_matrix(
        (np.ones(known.sum()), (places.owner[known], mine[known])),
        shape=(count, past.seen.shape[1]),
    )
    prefixes.data[:] = 1
    common = popularity(past, prefixes[:1], 28.0)[0]
    common = common / max(common.max(initial=0), 1)
    offsets = np.concatenate([[0], np.cumsum(places.before)])
    out = np.full(count, np.inf)
    for begin in range(0, count, PREFIXES_AT_ONCE):
        some = np.arange(begin, min(begin + PREFIXES_AT_ONCE, count))
        scores = np.array(method(past, prefixes[some]), float)
        scores = scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-12) + common * 1e-6
        rows = np.arange(offsets[some[0]], offsets[some[-1] + 1])
        rows = rows[known[rows]]  # the nearest last: of an item's rows that one stays
        place = places.owner[rows] - begin
        if own != "scored":
            scores[place, mine[rows]] = 10 + 1 / places.ago[rows] if own == "first" else -np.inf
        there = target[some] >= 0
        value = scores[np.flatnonzero(there), target[some][there]]
        better = (scores[there] > value[:, None]).sum(axis=1)
        out[some[there]] = np.where(np.isfinite(value), better + 1, np.inf)
    return out


def ranks_of_lists(lists: Lists, scores: NDArray[np.float32]) -> Ranks:
    """The rank of what came next in each list (L,), inf where it was no candidate."""
    owner = np.repeat(np.arange(len(lists)), lists.lengths)
    value = np.full(len(lists), np.inf, np.float32)
    value[owner[lists.labels]] = scores[lists.labels]
    better = np.bincount(owner, weights=scores > value[owner], minlength=len(lists))
    return np.where(lists.hit, better + 1, np.inf)


def measures(places: Places, found: Ranks) -> pd.DataFrame:
    """Recall, reciprocal rank and NDCG of what came next: the means over each session's places.

    ANOTHER is about the places alone where it was another item than the one before.
    """
    columns = {f"recall@{k}": (found <= k).astype(float) for k in DEPTHS}
    columns["mrr@20"] = np.where(found <= 20, 1 / found, 0)
    columns["ndcg@20"] = np.where(found <= 20, 1 / np.log2(found + 1), 0)
    another = places.target != places.item[places.ago == 1]
    columns[ANOTHER] = np.where(another, found <= 20, np.nan)
    return pd.DataFrame(columns).groupby(places.session.astype(str)).mean()

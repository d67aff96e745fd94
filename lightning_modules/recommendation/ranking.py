"""Top-k measures of ranked lists: recall and NDCG, whole and split into repeat and explore.

Every bought item counts in the denominators, also one that was no candidate or had never been
sold before. NDCG's ideal list has min(bought, k) hits (Jarvelin and Kekalainen, 2002).
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.recommendation.lists import Lists

DEPTHS = (10, 20)


def top_rows(scores: NDArray[np.float32], offsets: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Rows of the k best candidates of each list, (L, k), -1 where a list is shorter.

    Among the chosen, ties go to the earlier row.
    """
    lengths = np.diff(offsets)
    width = max(int(lengths.max(initial=0)), k)
    padded = np.full((len(lengths), width), np.inf, np.float32)
    padded[np.arange(width) < lengths[:, None]] = -scores
    best = np.sort(np.argpartition(padded, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(padded, best, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(best, order, axis=1)
    return np.where(order < lengths[:, None], offsets[:-1, None] + order, -1)


def best_scores(scores: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The highest score of each list (L,); NaN for one without candidates."""
    best = np.full(len(offsets) - 1, np.nan)
    some = np.diff(offsets) > 0
    if some.any():
        best[some] = np.maximum.reduceat(scores, offsets[:-1][some])
    return best


def ratio(hits: NDArray[np.float64], total: NDArray[Any]) -> NDArray[np.float64]:
    """Hits / total; NaN where there is nothing to hit."""
    out = np.full(len(hits), np.nan)
    np.divide(hits, total, out=out, where=total > 0)
    return out


def list_quality(examples: Lists, scores: NDArray[np.float32]) -> pd.DataFrame:
    """One row per list: `unit`, its user, and each measure at 10 and 20."""
    top = top_rows(scores, examples.offsets, max(DEPTHS))
    shown = top >= 0
    hit = np.zeros(top.shape, bool)
    again = np.zeros(top.shape, bool)
    hit[shown] = examples.labels[top[shown]]
    again[shown] = examples.personal[top[shown]]
    gain = 1 / np.log2(np.arange(max(DEPTHS)) + 2)
    ideal = np.concatenate([[0.0], np.cumsum(gain)])
    first_time = examples.bought - examples.bought_again
    columns: dict[str, NDArray[np.float64]] = {}
    for k in DEPTHS:
        seen, known = hit[:, :k], again[:, :k]
        best = ideal[np.minimum(examples.bought, k)]
        columns[f"recall@{k}"] = ratio(seen.sum(1).astype(float), examples.bought)
        columns[f"ndcg@{k}"] = ratio(seen @ gain[:k], best)
        columns[f"repeat_recall@{k}"] = ratio(
            (seen & known).sum(1).astype(float), examples.bought_again
        )
        columns[f"explore_recall@{k}"] = ratio((seen & ~known).sum(1).astype(float), first_time)
    return pd.DataFrame({"unit": examples.user_ids.astype(str), **columns})

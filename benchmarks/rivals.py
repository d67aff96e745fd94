"""The simple methods that a champion must beat, scored on every household-day of a range.

`python -m benchmarks.rivals --workspace DIR --first 2017-10-01 --last 2017-10-31 --out FILE`

Each method ranks all items sold before the day, knowing nothing of the day itself. The frame that
comes out has one row per (day, user_id, method), so that any other method's rows join on the same
household-days. Parameters were tuned once on five days of September 2017 and are not touched here.
"""

import argparse
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.purchases import Integers, Past, Purchases, Scores, read_purchases, split

log = logging.getLogger(__name__)

KEY = ["day", "user_id", "method"]
CUTOFFS = (10, 20)
METRICS = [f"{name}@{cutoff}" for cutoff in CUTOFFS for name in ("recall", "ndcg")]


Method = Callable[[Past], Scores]  # (shoppers, items), higher is better


class NoHistoryError(ValueError):
    """There is nothing to rank from: no purchase before the first day of the range."""


def popularity_7(past: Past) -> Scores:
    """What most households took home in the last seven days; the same list for everyone."""
    bought = past.bought_within(7).astype(np.float32)
    return np.broadcast_to(bought, (len(past.shoppers), past.items))


def personal_top_frequency(past: Past) -> Scores:
    """A household's own most frequent items, in ties and open places what is popular.

    Li et al. 2023 ("A next basket recommendation reality check") call it GP-TopFreq.
    """
    own = past.by_household(np.ones(len(past.user)))[past.shoppers].toarray()
    return _break_ties(own, past.bought_within(past.day))


def decayed_personal_frequency(past: Past, tau: float = 120) -> Scores:
    """Own frequency where a purchase `a` days old counts exp(-a / tau); ties as popular lately."""
    own = past.by_household(np.exp(-past.age / tau))[past.shoppers].toarray()
    return _break_ties(own, past.bought_within(28), share=1e-5)


def tifu_knn(
    past: Past,
    groups: int = 7,
    basket_decay: float = 0.97,
    group_decay: float = 0.9,
    neighbours: int = 300,
    own_share: float = 0.5,
) -> Scores:
    """TIFU-KNN (Hu et al. 2020, "Modeling personalized item frequency information").

    A household's vector is a decayed mean of its baskets, mixed with the mean vector of the
    nearest households (itself among them). Two things are as in the run that tuned it: the decay
    by basket runs over the whole history and not within a group, and groups are cut by the share
    of baskets gone by, so that they differ by one basket at most.
    """
    count = np.zeros(past.users, np.int64)
    np.maximum.at(count, past.user, past.basket + 1)
    baskets = count[past.user]
    cut = np.minimum(groups, baskets)
    group = past.basket * cut // baskets
    weight = basket_decay ** (baskets - 1 - past.basket) * group_decay ** (cut - 1 - group)
    vectors = past.by_household(weight / baskets)

    own = vectors[past.shoppers]
    norm = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    distance = norm - 2 * (own @ vectors.T).toarray()  # plus |own|^2, the same along a row
    distance[:, count == 0] = np.inf
    near = min(neighbours, int((count > 0).sum()))
    nearest = np.argpartition(distance, near - 1, axis=1)[:, :near]
    rows = np.repeat(np.arange(len(past.shoppers)), near)
    cells = (np.full(nearest.size, 1 / near, np.float32), (rows, nearest.ravel()))
    mean = sparse.csr_matrix(cells, shape=(len(past.shoppers), past.users)) @ vectors
    scores: Scores = own.toarray() * np.float32(own_share)
    scores += mean.toarray() * np.float32(1 - own_share)
    return scores


METHODS: dict[str, Method] = {
    "popularity_7": popularity_7,
    "personal_top_frequency": personal_top_frequency,
    "decayed_personal_frequency": decayed_personal_frequency,
    "tifu_knn": tifu_knn,
}


def score_days(
    purchases: Purchases, first: dt.date, last: dt.date, methods: dict[str, Method] = METHODS
) -> pd.DataFrame:
    """KEY and METRICS for every household that bought something on a day of first..last.

    A household's denominators hold all it bought, items never sold before included. Days without
    a purchase have no rows. Raises NoHistoryError where nothing was bought before the range.
    """
    parts = []
    for day in range(first.toordinal(), last.toordinal() + 1):
        start, end = np.searchsorted(purchases.day, [day, day + 1])
        if start == 0:
            raise NoHistoryError(
                f"no purchase before {dt.date.fromordinal(day)}: land earlier days first"
            )
        if start == end:
            continue
        past, targets = split(purchases, start, end)
        for name, method in methods.items():
            part = pd.DataFrame(_measure(_top(method(past), max(CUTOFFS)), *targets))
            part.insert(0, "day", dt.date.fromordinal(day).isoformat())
            part.insert(1, "user_id", purchases.user_ids[past.shoppers])
            part.insert(2, "method", name)
            parts.append(part)
        log.info("%s: %d households", dt.date.fromordinal(day), len(past.shoppers))
    if not parts:
        return pd.DataFrame(columns=[*KEY, *METRICS])
    return pd.concat(parts, ignore_index=True)


def _break_ties(own: Scores, popular: NDArray[np.float64], share: float = 1e-3) -> Scores:
    own += (popular / (popular.max() + 1) * share).astype(np.float32)
    return own


def _top(scores: Scores, count: int) -> Integers:
    """The best items of each row (rows, count), best first; the item known longest wins a tie."""
    count = min(count, scores.shape[1])
    bound = -np.partition(-scores, count - 1, axis=1)[:, [count - 1]]
    row, item = np.nonzero(scores >= bound)
    order = np.lexsort((item, -scores[row, item], row))
    first = np.searchsorted(row, np.arange(len(scores)))  # `row` is sorted already
    best: Integers = item[order[first[:, None] + np.arange(count)]]
    return best


def _measure(top: Integers, row: Integers, item: Integers) -> dict[str, NDArray[np.float64]]:
    """METRICS (shoppers,) of ranked items against what was bought, given as pairs."""
    stride = max(int(top.max()), int(item.max())) + 1
    hit = np.isin(np.arange(len(top))[:, None] * stride + top, row * stride + item)
    bought = np.bincount(row, minlength=len(top))
    discount = 1 / np.log2(np.arange(max(CUTOFFS)) + 2)
    ideal = np.cumsum(discount)
    found = {}
    for cutoff in CUTOFFS:
        within = hit[:, :cutoff]
        gain = within @ discount[: within.shape[1]]
        found[f"recall@{cutoff}"] = within.sum(axis=1) / bought
        found[f"ndcg@{cutoff}"] = gain / ideal[np.minimum(bought, cutoff) - 1]
    return found


def main() -> None:
    """Score a workspace's days and write the frame as Parquet."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--first", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--last", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    scores = score_days(read_purchases(given.workspace, given.last), given.first, given.last)
    scores.to_parquet(given.out, index=False)
    means = scores.groupby(["method", "day"])[METRICS].mean().groupby("method").mean()
    log.info("mean over households, then days\n%s", means.round(4).to_string())


if __name__ == "__main__":
    main()

"""How good the recommendations are, method by method, on the same household-days.

`Recorder` takes what learners say of a day; the rivals of `benchmarks.rivals` are then scored on
the same days. Means are taken over the household-days whose household the shop knew, then over
days. Denominators hold all that a household bought.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import rivals
from benchmarks.findings import Finding, day_interval
from benchmarks.purchases import Integers, Past, Purchases, Scores, split
from lightning_modules.recommendation.features import COLUMN
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.ranking import ratio, top_rows

APPLICATION = "recommendation"
CHAMPION, HARDEST = "champion", "tifu_knn"
DEPTH = 20
CUTOFFS = (10, 20)
COLD_ITEM_DAYS = 28
COLD_USER_VISITS = 10
BARS = {"recall@10": 0.2098, "ndcg@10": 0.2477, "recall@20": 0.2627, "ndcg@20": 0.2503}
BARS |= {"new_recall@20": 0.034}
GAIN = 0.06  # of NDCG@20 over the hardest rival: what the learner is built to reach
LEVELS = tuple(f"{name}@{cutoff}" for cutoff in CUTOFFS for name in ("recall", "ndcg"))
SPLITS = ("repeat_recall@20", "explore_recall@20", "new_recall@20", "cold_item_recall@20")
COLD_USERS = "ndcg@20 of cold users"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Bought:
    """What L known households bought on a day, and how often they had come before.

    `again` and `cold` (L,) count items that the household had bought before, and items first
    sold in the COLD_ITEM_DAYS before the day.
    """

    user_ids: NDArray[np.object_]
    visits: Integers
    count: Integers
    again: Integers
    cold: Integers


@dataclass(frozen=True)
class Shown:
    """The DEPTH best of each list (L, DEPTH): which were bought, known before, and cold.

    `new_hit` is about another ranking: that of the never bought items alone.
    """

    hit: Mask
    again: Mask
    cold: Mask
    new_hit: Mask


class Recorder:
    """Measures every method on every day it is shown; see `regimes.Recorder`.

    Args:
        purchases: All days there are, up to the last one recorded at least.
        methods: The rivals that are scored on the recorded days.
    """

    def __init__(
        self, purchases: Purchases, methods: dict[str, rivals.Method] = rivals.METHODS
    ) -> None:
        self._purchases = purchases
        self._methods = methods
        self._first_sold = _first_days(purchases)
        self._rows: dict[str, list[pd.DataFrame]] = defaultdict(list)

    def record(
        self, day: dt.date, examples: Lists, scores: dict[str, NDArray[np.float32]]
    ) -> None:
        """Take whole lists of a day, with one score per candidate from each method.

        Raises ValueError where the lists are not of the same households as the purchases.
        """
        start, end = np.searchsorted(
            self._purchases.day, [day.toordinal(), day.toordinal() + 1]
        ).tolist()
        if start == end:
            return
        past, (row, item) = split(self._purchases, start, end)
        bought = self._bought(past, start, end)
        place = pd.Index(bought.user_ids).get_indexer(pd.Index(examples.user_ids))
        if (place < 0).any() or len(place) != len(bought.user_ids):
            raise ValueError(f"{day}: the lists and the purchases are not of the same households")
        order = np.argsort(place).astype(np.int64)
        lists, rows = examples.take(order), examples.rows_of(order)
        for name, values in scores.items():
            self._keep(day, name, bought, _of_candidates(lists, values[rows]))
        for name, method in self._methods.items():
            shown = self._of_everything(past, method(past), row, item)
            self._keep(day, name, bought, shown)

    def table(self) -> pd.DataFrame:
        """One row per (method, day): the means over its household-days."""
        parts = [
            frame.drop(columns="user_id").groupby("day").mean().assign(method=name)
            for name, frames in self._rows.items()
            for frame in [pd.concat(frames)]
        ]
        return pd.concat(parts).set_index("method", append=True).swaplevel().sort_index()

    def findings(self) -> list[Finding]:
        """Every measure of every method, and the champion's gains over the hardest rival."""
        daily = self.table()
        rows = {name: sum(map(len, frames)) for name, frames in self._rows.items()}
        found = [
            _finding(measure, name, daily.loc[name][measure].dropna().to_numpy(), rows[name])
            for name in self._rows
            for measure in daily.columns
        ]
        if CHAMPION in rows and HARDEST in rows:
            found += _gains(daily, rows[CHAMPION])
        return found

    def _bought(self, past: Past, start: int, end: int) -> Bought:
        """What the day's shoppers bought, in the order of `past.shoppers`."""
        data = self._purchases
        user, item = data.user[start:end], data.item[start:end]
        row = np.searchsorted(past.shoppers, user)
        before = np.unique(past.user * len(data.item_ids) + past.item)
        again = np.isin(user * len(data.item_ids) + item, before)
        age = past.day - self._first_sold[item]
        cold = (age > 0) & (age <= COLD_ITEM_DAYS)
        shoppers = len(past.shoppers)
        visits = np.zeros(shoppers, np.int64)
        visits[row] = data.basket[start:end]
        return Bought(
            user_ids=data.user_ids[past.shoppers],
            visits=visits,
            count=np.bincount(row, minlength=shoppers),
            again=np.bincount(row[again], minlength=shoppers),
            cold=np.bincount(row[cold], minlength=shoppers),
        )

    def _of_everything(self, past: Past, scores: Scores, row: Integers, item: Integers) -> Shown:
        """The best of all items sold before."""
        own = past.by_household(np.ones(len(past.user)))[past.shoppers].toarray() > 0
        stride = len(self._purchases.item_ids)
        wanted = row * stride + item
        place = np.arange(len(scores))[:, None]
        best = rivals._top(scores, DEPTH)
        best_new = rivals._top(np.where(own, -np.inf, scores).astype(np.float32), DEPTH)
        age = past.day - self._first_sold[best]
        return Shown(
            hit=np.isin(place * stride + best, wanted),
            again=own[place, best],
            cold=age <= COLD_ITEM_DAYS,
            new_hit=np.isin(place * stride + best_new, wanted),
        )

    def _keep(self, day: dt.date, method: str, bought: Bought, shown: Shown) -> None:
        measured = pd.DataFrame(_measures(bought, shown))
        measured.insert(0, "day", day.isoformat())
        measured.insert(1, "user_id", bought.user_ids)
        self._rows[method].append(measured[bought.visits > 0])


def _first_days(purchases: Purchases) -> Integers:
    """The first day of each item (items,)."""
    first = np.full(len(purchases.item_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, purchases.item, purchases.day)
    return first


def _of_candidates(lists: Lists, scores: NDArray[np.float32]) -> Shown:
    """The best of the candidates; what is no candidate is never shown."""
    age = lists.features[:, COLUMN["age"]].astype(np.float32)
    cold = age < np.log1p(COLD_ITEM_DAYS + 0.5) / 5
    new_only = np.where(lists.personal, -np.inf, scores).astype(np.float32)
    best, best_new = (top_rows(one, lists.offsets, DEPTH) for one in (scores, new_only))
    return Shown(
        hit=_flags(lists.labels, best),
        again=_flags(lists.personal, best),
        cold=_flags(cold, best),
        new_hit=_flags(lists.labels & ~lists.personal, best_new),
    )


def _flags(values: Mask, rows: NDArray[np.int64]) -> Mask:
    """The values at some rows; False where there is none (-1)."""
    found: Mask = values[np.maximum(rows, 0)] & (rows >= 0)
    return found


def _measures(bought: Bought, shown: Shown) -> dict[str, NDArray[np.float64]]:
    gain = 1 / np.log2(np.arange(DEPTH) + 2)
    ideal = np.concatenate([[0.0], np.cumsum(gain)])
    found: dict[str, NDArray[np.float64]] = {}
    for cutoff in CUTOFFS:
        hit = shown.hit[:, :cutoff]
        found[f"recall@{cutoff}"] = ratio(hit.sum(1).astype(float), bought.count)
        best = ideal[np.minimum(bought.count, cutoff)]
        found[f"ndcg@{cutoff}"] = ratio(hit @ gain[:cutoff], best)
    new = bought.count - bought.again
    for name, hits, total in (
        ("repeat_recall@20", shown.hit & shown.again, bought.again),
        ("explore_recall@20", shown.hit & ~shown.again, new),
        ("new_recall@20", shown.new_hit, new),
        ("cold_item_recall@20", shown.hit & shown.cold, bought.cold),
    ):
        found[name] = ratio(hits.sum(1).astype(float), total)
    found[COLD_USERS] = np.where(bought.visits < COLD_USER_VISITS, found["ndcg@20"], np.nan)
    return found


def _gains(daily: pd.DataFrame, rows: int) -> list[Finding]:
    """Champion minus hardest rival by day, and the share of the rival's NDCG@20."""
    ours, theirs = daily.loc[CHAMPION], daily.loc[HARDEST]
    name = f"{CHAMPION} minus {HARDEST}"
    found = [
        _finding(f"{measure} gain", name, (ours[measure] - theirs[measure]).to_numpy(), rows)
        for measure in LEVELS
    ]
    relative = (ours["ndcg@20"] - theirs["ndcg@20"]).to_numpy() / theirs["ndcg@20"].mean()
    share = _finding("ndcg@20 gain, relative", name, relative, rows)
    met = share.value >= GAIN and share.interval is not None and share.interval[0] > 0
    return [*found, share.model_copy(update={"bar": GAIN, "met": met})]


def _finding(measure: str, method: str, daily: NDArray[Any], rows: int) -> Finding:
    bar = BARS.get(measure) if method == CHAMPION else None
    value = float(daily.mean()) if len(daily) else float("nan")
    return Finding(
        measure=measure,
        application=APPLICATION,
        method=method,
        value=value,
        unit="share",
        interval=day_interval(daily) if len(daily) else None,
        days=len(daily),
        rows=rows,
        bar=bar,
        met=None if bar is None else value >= bar,
    )

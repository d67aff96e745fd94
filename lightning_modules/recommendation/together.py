"""Which items are bought together: counts of item pairs in one basket, day by day, in bounds.

Support, confidence and lift are those of association rules (Agrawal et al., SIGMOD 1993; Brin et
al., SIGMOD 1997) on faded counts; the order within an item's list is the similarity of Deshpande
and Karypis (TOIS 2004): confidence, damped by the root of how common the other item is.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import mixed
from lightning_modules.recommendation.lists import spans, starts
from lightning_modules.recommendation.tables import ITEM_BITS, Floats, Ints, item_of, pair_keys
from lightning_modules.tables import empty

TOGETHER_TAU = 90.0
PRIOR_BASKETS = 5.0  # an item is counted as if it were in so many more: few baskets show no tie
LEAST_TOGETHER = 2.0
LARGEST_BASKET = 200  # items that are paired; a bot's session would be millions of pairs


@dataclass
class Together:
    """Faded baskets as of `day`: of pairs of items (n,), of items (items,), and of all.

    `key` is sorted; it names a pair by two item rows, the smaller first.
    """

    key: Ints = field(default_factory=empty(np.int64))
    pair_baskets: Floats = field(default_factory=empty(np.float32))
    item_baskets: Floats = field(default_factory=empty(np.float32))
    baskets: float = 0.0
    day: int = 0

    def absorb(self, basket: Ints, item: Ints, day: int, size: int) -> None:
        """Count a day's distinct (basket, item row) rows, in any order.

        Of more than `size` pairs the most frequent stay. A rare pair starts anew when it comes
        back: the price of a bounded memory (lossy counting, Manku and Motwani, VLDB 2002).
        """
        if len(basket) == 0:
            return
        keys, count = pairs_of_baskets(basket, item)
        kept = self.faded(day)
        merged, place = np.unique(np.concatenate([kept.key, keys]), return_inverse=True)
        both = np.concatenate([kept.pair_baskets, count])
        pair_baskets = np.bincount(place, weights=both, minlength=len(merged))
        chosen = np.arange(len(merged))
        if len(merged) > size:
            chosen = np.sort(np.argsort(-pair_baskets, kind="stable")[:size])
        items = np.bincount(item, minlength=len(kept.item_baskets)).astype(np.float32)
        items[: len(kept.item_baskets)] += kept.item_baskets
        self.key = merged[chosen]
        self.pair_baskets = pair_baskets[chosen].astype(np.float32)
        self.item_baskets = items
        self.baskets = kept.baskets + len(np.unique(basket))
        self.day = day

    def faded(self, day: int) -> "Together":
        """The same as it is on a later day."""
        by = np.exp((self.day - day) / TOGETHER_TAU)
        return Together(
            self.key,
            self.pair_baskets * np.float32(by),
            self.item_baskets * np.float32(by),
            float(self.baskets * by),
            day,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays."""
        return {
            "key": self.key,
            "pair_baskets": self.pair_baskets,
            "item_baskets": self.item_baskets,
            "baskets": np.array([self.baskets]),
            "day": np.array([self.day]),
        }

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> "Together":
        """What `arrays` took apart."""
        whole = {name: arrays[name] for name in ("key", "pair_baskets", "item_baskets")}
        return cls(**whole, baskets=float(arrays["baskets"][0]), day=int(arrays["day"][0]))


@dataclass(frozen=True)
class Rules:
    """Item `a` suggests item `b`: rows (n,), lists of `a` one after the other, best first."""

    a: Ints
    b: Ints
    rank: Ints
    support: Floats
    confidence: Floats
    lift: Floats


def pairs_of_baskets(basket: Ints, item: Ints) -> tuple[Ints, Floats]:
    """The distinct pairs of items in one basket, sorted, and the number of baskets of each."""
    order = np.lexsort((item, basket))
    basket, item = _bounded(basket[order], item[order])
    size = np.unique(basket, return_counts=True)[1] if len(basket) else np.zeros(0, np.int64)
    end = np.repeat(starts(size)[1:], size)
    place = np.arange(len(basket))
    later = spans(place + 1, end - place - 1)
    earlier = np.repeat(place, end - place - 1)
    keys, count = np.unique(pair_keys(item[earlier], item[later]), return_counts=True)
    return keys, count.astype(np.float32)


def _bounded(basket: Ints, item: Ints) -> tuple[Ints, Ints]:
    """At most LARGEST_BASKET items of each basket, by hash: pairs grow with the square."""
    luck = mixed(pair_keys(basket, item).astype(np.uint64))
    order = np.lexsort((luck, basket))
    first = np.searchsorted(basket, basket)  # both are sorted by basket
    kept = np.sort(order[np.arange(len(basket)) - first < LARGEST_BASKET])
    return basket[kept], item[kept]


def rules(table: Together, day: int, count: int) -> Rules:
    """Up to `count` partners of each item that has some, on `day`."""
    table = table.faded(day)
    often = table.pair_baskets >= LEAST_TOGETHER
    one, other, both = (
        table.key[often] >> ITEM_BITS,
        item_of(table.key[often]),
        table.pair_baskets[often],
    )
    a, b, both = np.concatenate([one, other]), np.concatenate([other, one]), np.tile(both, 2)
    baskets = max(table.baskets, 1.0)
    share = (table.item_baskets + PRIOR_BASKETS) / baskets
    confidence = both / (table.item_baskets[a] + PRIOR_BASKETS)
    order = np.lexsort((b, -confidence / np.sqrt(share[b]), a))
    size = np.bincount(a, minlength=len(table.item_baskets))
    rank = np.arange(len(a)) - np.repeat(starts(size)[:-1], size) + 1
    chosen = order[rank <= count]
    return Rules(
        a=a[chosen],
        b=b[chosen],
        rank=rank[rank <= count],
        support=(both[chosen] / baskets).astype(np.float32),
        confidence=confidence[chosen].astype(np.float32),
        lift=(confidence[chosen] / share[b[chosen]]).astype(np.float32),
    )

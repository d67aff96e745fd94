"""What is known of users, items and who buys what: counters that fade by days, not by steps."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.offers import Offers
from lightning_modules.recommendation.pairs import PAIR_TAUS, Pairs, shifted
from lightning_modules.recommendation.purchases import Purchases
from lightning_modules.recommendation.tables import (
    ITEM_BITS,
    Floats,
    Ints,
    fade,
    item_of,
    pair_keys,
)
from lightning_modules.recommendation.together import Together
from lightning_modules.tables import Table, empty

ITEM_TAUS = np.array([3, 7, 28, 90], np.float32)
BASKET_TAU = np.float32(60)
MARKDOWN_TAUS = np.array([3, 60], np.float32)


@dataclass
class Users(Table):
    """Per user: faded visits (taus of the pairs), faded basket and first-time items, days.

    `saved` and `spent` are faded money: discounts, and what was paid without them. `channel` is
    the row of the channel last shopped in, 0 (the whole shop's) where none is known.
    """

    visits: Floats = field(default_factory=empty(np.float32, 4))
    basket: Floats = field(default_factory=empty(np.float32))
    firsts: Floats = field(default_factory=empty(np.float32))
    saved: Floats = field(default_factory=empty(np.float32))
    spent: Floats = field(default_factory=empty(np.float32))
    channel: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    count: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=empty(np.uint16))


@dataclass
class Items(Table):
    """Per item: faded buyers a day, distinct buyers, repeat purchases, first and last day.

    `saved` and `spent` are faded money (MARKDOWN_TAUS): discounts, and sales without them.
    """

    sold: Floats = field(default_factory=empty(np.float32, 4))
    saved: Floats = field(default_factory=empty(np.float32, 2))
    spent: Floats = field(default_factory=empty(np.float32, 2))
    buyers: NDArray[np.uint32] = field(default_factory=empty(np.uint32))
    repeats: NDArray[np.uint32] = field(default_factory=empty(np.uint32))
    first: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    last: NDArray[np.uint16] = field(default_factory=empty(np.uint16))
    group: NDArray[np.int32] = field(default_factory=empty(np.int32))


def _and_first_times(
    rows: Ints, fresh: NDArray[np.bool_], lone: Ints
) -> tuple[Ints, NDArray[np.bool_]]:
    """Rows of pairs and of what is in none, which can only count as bought for the first time."""
    return np.concatenate([rows, lone]), np.concatenate([fresh, np.ones(len(lone), bool)])


@dataclass
class ShopState:
    """The tables and the last day taken in (days since 1970-01-01; 0 is never)."""

    users: Users = field(default_factory=Users)
    items: Items = field(default_factory=Items)
    pairs: Pairs = field(default_factory=Pairs)
    offers: Offers = field(default_factory=Offers)
    together: Together = field(default_factory=Together)
    day: int = 0

    def absorb(self, users: Ints, items: Ints, day: int, most_items: int | None = None) -> None:
        """Take in the day's distinct (user, item) rows, in any order; -1 is one without a row.

        Of each of these users' items `most_items` stay: see `Pairs.keep_most`.

        Raises:
            ValueError: if the day is not after the last one: each day counts once.
        """
        self._begin(day)
        if len(users) == 0:
            return
        known = (users >= 0) & (items >= 0)
        keys = np.sort(pair_keys(users[known], items[known]))
        self.users.grow(int(users.max()) + 1)
        self.items.grow(int(items.max()) + 1)
        fresh = self._absorb_pairs(keys, day)
        lone = users[(users >= 0) & ~known]
        self._absorb_users(*_and_first_times(keys >> ITEM_BITS, fresh, lone), day)
        at = np.searchsorted(self.pairs.key, keys)
        visit = self.users.count[keys >> ITEM_BITS]
        self.pairs.recent[at] = shifted(self.pairs.recent[at], visit - self.pairs.visit[at]) | 1
        self.pairs.visit[at] = visit
        lone = items[(items >= 0) & ~known]
        self._absorb_items(*_and_first_times(item_of(keys), fresh, lone), day)
        if most_items is not None:
            self.pairs.keep_most(np.unique(keys >> ITEM_BITS), day, most_items)

    def absorb_baskets(
        self, users: Ints, items: Ints, channels: Ints, bought: Purchases, most_pairs: int
    ) -> None:
        """Count the money, channels and baskets of a day, after `absorb` of that day.

        `users`, `items` and `channels` are the rows of the ids in `bought`, -1 for none; of the
        item pairs in one basket `most_pairs` are kept.
        """
        known = users >= 0
        self.users.saved[users[known]] += bought.user_money[known, 0]
        self.users.spent[users[known]] += bought.user_money[known, 1]
        known &= channels > 0
        self.users.channel[users[known]] = channels[known]
        self._absorb_together(items, bought, most_pairs)

    def absorb_sessions(self, items: Ints, bought: Purchases, day: int, most_pairs: int) -> None:
        """Take in a day of sessions instead: nothing stays of one but what it says of items.

        `items` and `most_pairs` are as for `absorb_baskets`. All sessions share one row of users,
        of whom nothing is known. Raises ValueError as `absorb` does.
        """
        self._begin(day)
        self.users.grow(1)
        if len(items) == 0:
            return
        self.items.grow(int(items.max()) + 1)
        sold = items[bought.item]
        sold = sold[sold >= 0]
        self._absorb_items(sold, np.ones(len(sold), bool), day)
        self._absorb_together(items, bought, most_pairs)

    def _begin(self, day: int) -> None:
        if day <= self.day:
            raise ValueError(f"day {day} was taken in already (last: {self.day}): skip it")
        self.day = day

    def _absorb_together(self, items: Ints, bought: Purchases, most_pairs: int) -> None:
        known = items >= 0
        self.items.saved[items[known]] += bought.item_money[known, :1]
        self.items.spent[items[known]] += bought.item_money[known, 1:]
        item = items[bought.basket_item]
        self.together.absorb(bought.basket[item >= 0], item[item >= 0], self.day, most_pairs)

    def _absorb_pairs(self, keys: Ints, day: int) -> NDArray[np.bool_]:
        """Count the pairs; says which of them are bought for the first time."""
        table = self.pairs
        at = np.searchsorted(table.key, keys)
        inside = at < len(table.key)
        fresh = ~inside
        fresh[inside] = table.key[at[inside]] != keys[inside]
        table.insert(keys[fresh])
        at = np.searchsorted(table.key, keys)
        table.faded[at] = fade(table.faded[at], table.last[at], day, PAIR_TAUS) + 1
        gap = np.where(fresh, 0, day - table.last[at].astype(np.int64))
        table.gap[at] = gap
        table.spread[at] += gap.astype(np.float32) ** 2
        table.count[at] += 1
        table.last[at] = day
        table.first[at[fresh]] = day
        return fresh

    def _absorb_users(self, users: Ints, fresh: NDArray[np.bool_], day: int) -> None:
        table = self.users
        rows, inverse = np.unique(users, return_inverse=True)
        last = table.last[rows]
        table.visits[rows] = fade(table.visits[rows], last, day, PAIR_TAUS) + 1
        bought = np.bincount(inverse).astype(np.float32)
        new = np.bincount(inverse, weights=fresh).astype(np.float32)
        table.basket[rows] = fade(table.basket[rows], last, day, BASKET_TAU) + bought
        table.firsts[rows] = fade(table.firsts[rows], last, day, BASKET_TAU) + new
        table.saved[rows] = fade(table.saved[rows], last, day, BASKET_TAU)
        table.spent[rows] = fade(table.spent[rows], last, day, BASKET_TAU)
        table.count[rows] += 1
        table.last[rows] = day

    def _absorb_items(self, items: Ints, fresh: NDArray[np.bool_], day: int) -> None:
        table = self.items
        rows, inverse = np.unique(items, return_inverse=True)
        sold = np.bincount(inverse).astype(np.float32)
        new = np.bincount(inverse, weights=fresh).astype(np.uint32)
        last = table.last[rows]
        table.sold[rows] = fade(table.sold[rows], last, day, ITEM_TAUS) + sold[:, None]
        table.saved[rows] = fade(table.saved[rows], last, day, MARKDOWN_TAUS)
        table.spent[rows] = fade(table.spent[rows], last, day, MARKDOWN_TAUS)
        table.buyers[rows] += new
        table.repeats[rows] += sold.astype(np.uint32) - new
        unseen = table.first[rows] == 0
        table.first[rows[unseen]] = day
        table.last[rows] = day

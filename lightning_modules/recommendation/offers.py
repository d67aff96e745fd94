"""Which items are promoted in which channel: known when the shop announces it, not when it sells.

Only that an item is promoted is used, never its price rows: where a source reads those back from
receipts, a row's being there would tell that the item is going to be sold.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.recommendation.tables import (
    ITEM_BITS,
    Floats,
    Ints,
    contains,
    item_of,
    pair_keys,
)
from lightning_modules.tables import Table, empty
from lightning_modules.vocabulary import Rows

DISPLAY, MAILER = 1, 2
WHOLE_SHOP = ""  # the first channel: of promotions that name none, and of users not known to any


@dataclass
class Offers(Table):
    """Promotions in force, sorted by `key` (channel row, item row); `until` counts days."""

    key: Ints = field(default_factory=empty(np.int64))
    kind: NDArray[np.uint8] = field(default_factory=empty(np.uint8))
    until: NDArray[np.uint16] = field(default_factory=empty(np.uint16))

    def share(self, kind: int, items: int) -> Floats:
        """The share of the promoting channels that promote each item so, (items,)."""
        channel = self.key >> ITEM_BITS
        channels = len(np.unique(channel[channel > 0]))
        wanted = (self.kind & kind) > 0
        item = item_of(self.key[wanted])
        count = np.bincount(item, minlength=items) / max(channels, 1)
        count[item[channel[wanted] == 0]] = 1
        return count.astype(np.float32)

    def promoted(self, kind: int, channels: Ints, items: Ints) -> NDArray[np.bool_]:
        """Whether each (channel, item) (n,) is promoted so, there or in the whole shop."""
        keys = self.key[(self.kind & kind) > 0]
        there = contains(keys, pair_keys(channels, items))
        return there | contains(keys, pair_keys(np.zeros_like(channels), items))


def offers_on(
    before: Offers, prices: pd.DataFrame, items: Rows, channels: Rows, day: int
) -> Offers:
    """The promotions in force on `day`: those from before, and those that begin with `prices`.

    Args:
        before: What was in force on an earlier day.
        prices: Canonical rows of offers; those without a display or a mailer do not count.
        items: Promotions of items that have no row yet are left out: nobody ever bought them.
        channels: Unseen ones have the rows they will get from `promoting_channels`.
        day: Days since 1970-01-01.
    """
    still = before.until >= day
    key, kind, until = before.key[still], before.kind[still], before.until[still]
    if "display" in prices and "mailer" in prices and len(prices):
        fresh = _promotions(prices, items, channels)
        key = np.concatenate([key, fresh.key])
        kind = np.concatenate([kind, fresh.kind])
        until = np.concatenate([until, fresh.until])
        order = np.argsort(key, kind="stable")
        key, begin = np.unique(key[order], return_index=True)
        if len(key):
            kind = np.bitwise_or.reduceat(kind[order], begin)
            until = np.maximum.reduceat(until[order], begin)
    return Offers(key, kind, until)


def promoting_channels(prices: pd.DataFrame) -> list[str]:
    """The channels that a day's offers name, sorted; the whole shop is always the first."""
    if "channel" not in prices or len(prices) == 0:
        return [WHOLE_SHOP]
    named = prices["channel"].dropna().unique()
    return [WHOLE_SHOP, *sorted(str(name) for name in named if name != WHOLE_SHOP)]


def _promotions(prices: pd.DataFrame, items: Rows, channels: Rows) -> Offers:
    shown, mailed = (prices[name].notna().to_numpy(bool) for name in ("display", "mailer"))
    kind = (shown * DISPLAY + mailed * MAILER).astype(np.uint8)
    codes, names = pd.factorize(prices["item_id"])
    item = items.find(str(name) for name in names)[codes]
    channel = np.zeros(len(prices), np.int64)
    if "channel" in prices:
        codes, names = pd.factorize(prices["channel"])
        rows = dict(zip(promoting_channels(prices), _foreseen(prices, channels), strict=True))
        found = np.array([rows[str(name)] for name in names] + [rows[WHOLE_SHOP]], np.int64)
        channel = found[codes]  # the code of a missing name is -1: the last, the whole shop
    until = prices["until"].to_numpy("datetime64[D]").astype(np.int64).astype(np.uint16)
    used = (kind > 0) & (item >= 0)
    return Offers(pair_keys(channel, item)[used], kind[used], until[used])


def _foreseen(prices: pd.DataFrame, channels: Rows) -> Ints:
    return channels.foresee(promoting_channels(prices))

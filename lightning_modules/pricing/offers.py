"""What a day's prices say: the posted price of each item, and how widely it is promoted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.vocabulary import Rows

EPOCH = np.datetime64("1970-01-01", "D")
FOREVER = np.iinfo(np.int32).max

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Posted:
    """Posted prices that begin on the day: item rows (n,), price, regular price, last day, cost.

    `cost` is that of a unit, 0 where none is stated.
    """

    item: NDArray[np.int64]
    price: Floats
    regular: Floats
    until: NDArray[np.int32]
    cost: Floats


@dataclass(frozen=True)
class Promoted:
    """Promotions that begin on the day: item rows (n,), channels with each kind, last day.

    `channels` is the number of channels with any promotion that day.
    """

    item: NDArray[np.int64]
    display: Floats
    mailer: Floats
    until: NDArray[np.int32]
    channels: int


def posted(prices: pd.DataFrame, items: Rows) -> Posted:
    """The rows without a channel that state a price above zero, of the items that have a row.

    A regular price that is not stated, or lies below the posted one, is the posted one.
    """
    if len(prices) == 0:
        nothing = np.zeros(0, np.float32)
        return Posted(np.zeros(0, np.int64), nothing, nothing, np.zeros(0, np.int32), nothing)
    whole = prices["channel"].isna().to_numpy(bool) if "channel" in prices else True
    rows = prices[whole & (prices["price"] > 0).to_numpy(bool)]
    item = items.find(rows["item_id"])
    rows, item = rows[item >= 0], item[item >= 0]
    price = rows["price"].to_numpy(np.float32)
    stated = rows["list_price"].to_numpy(np.float32) if "list_price" in rows else price
    regular = np.fmax(price, stated).astype(np.float32)
    cost = np.zeros(len(rows), np.float32)
    if "cost" in rows:
        cost = np.nan_to_num(rows["cost"].to_numpy(np.float32, na_value=np.nan))
    return Posted(item, price, regular, _last_days(rows), cost)


def promoted(prices: pd.DataFrame, items: Rows) -> Promoted:
    """The rows with a channel, counted by item, of the items that have a row."""
    rows = prices[prices["channel"].notna()] if "channel" in prices else prices.iloc[:0]
    if len(rows) == 0:
        nothing = np.zeros(0, np.float32)
        return Promoted(np.zeros(0, np.int64), nothing, nothing, np.zeros(0, np.int32), 0)
    code, ids = pd.factorize(rows["item_id"])
    item = items.find(np.asarray(ids, object))
    marks = {
        name: np.bincount(code[_marked(rows, name)], minlength=len(ids)).astype(np.float32)
        for name in ("display", "mailer")
    }
    until = np.zeros(len(ids), np.int32)
    np.maximum.at(until, code, _last_days(rows))
    known = item >= 0
    return Promoted(
        item=item[known],
        display=marks["display"][known],
        mailer=marks["mailer"][known],
        until=until[known],
        channels=int(rows["channel"].nunique()),
    )


def _marked(rows: pd.DataFrame, name: str) -> NDArray[Any]:
    marked: NDArray[Any] = np.flatnonzero(rows[name].notna()) if name in rows else np.zeros(0, int)
    return marked


def _last_days(rows: pd.DataFrame) -> NDArray[np.int32]:
    """The last day of each row as days since 1970; far away where none is stated."""
    if "until" not in rows:
        return np.full(len(rows), FOREVER, np.int32)
    days = rows["until"].to_numpy("datetime64[D]")
    number = (days - EPOCH).astype(np.int64)
    last: NDArray[np.int32] = np.where(np.isnat(days), FOREVER, number).astype(np.int32)
    return last


def sold_out(prices: pd.DataFrame) -> NDArray[np.object_]:
    """Items that ran out that day: those with a row whose text column `sold_out` says "true"."""
    if "sold_out" not in prices:
        return np.zeros(0, object)
    marked = prices["sold_out"].astype("str").str.lower() == "true"
    found: NDArray[np.object_] = prices.loc[marked, "item_id"].to_numpy(object)
    return found

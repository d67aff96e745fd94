"""The embedded shop, from the real files: figures that are known from elsewhere."""

from datetime import date

import pandas as pd
import pytest

from tasks.sources import Source, open_source
from tasks.sources.canonical import EVENT_COLUMNS
from tasks.sources.complete_journey import _week, _week_bounds


@pytest.fixture(scope="module")
def source() -> Source:
    return open_source({"kind": "complete_journey"})  # its files are read once: seconds


def test_the_shop_was_open_on_all_days_but_christmas(source: Source) -> None:
    days = source.days()
    assert (len(days), days[0], days[-1]) == (364, date(2017, 1, 1), date(2017, 12, 31))
    assert date(2017, 12, 25) not in days
    assert source.read_day(date(2017, 12, 25)).events.empty


def test_a_day_of_purchases(source: Source) -> None:
    events = source.read_day(date(2017, 10, 2)).events
    assert list(events) == list(EVENT_COLUMNS)
    assert len(events) == 4080
    assert set(events["event_type"]) == {"purchase"}
    assert events["event_id"].is_unique
    local = events["event_time"].dt.tz_convert("America/New_York").dt.date
    assert set(local) == {date(2017, 10, 2)}
    assert events["price"].isna().equals(events["quantity"] == 0)
    assert (events["price"].dropna() >= 0).all()


def test_newcomers_are_of_the_day(source: Source) -> None:
    first, second = source.read_day(date(2017, 1, 1)), source.read_day(date(2017, 1, 2))
    assert set(first.items["item_id"]) == set(first.events["item_id"])
    assert not set(second.items["item_id"]) & set(first.items["item_id"])
    assert set(second.items["date"]) == {pd.Timestamp(2017, 1, 2)}
    assert first.items["category"].notna().mean() > 0.9
    assert set(first.users["user_id"]) < set(first.events["user_id"])  # 801 of 2,469 told


def test_promotions_are_dated_at_the_weeks_first_day(source: Source) -> None:
    monday, tuesday = source.read_day(date(2017, 10, 2)), source.read_day(date(2017, 10, 3))
    assert tuesday.prices.empty
    prices = monday.prices
    assert len(prices) == 396947
    assert (prices["display"].notna() | prices["mailer"].notna()).all()
    assert set(prices["until"]) == {pd.Timestamp(2017, 10, 8)}


def test_many_days_in_one_pass_are_the_days_one_by_one(source: Source) -> None:
    days = [date(2017, 1, 1), date(2017, 1, 2), date(2017, 1, 9)]
    for day, frames in source.read_days(days):
        alone = source.read_day(day)
        assert frames.events.equals(alone.events)
        assert frames.prices.equals(alone.prices)  # 390,000 rows


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2017, 1, 1), 1),
        (date(2017, 1, 2), 2),
        (date(2017, 1, 8), 2),
        (date(2017, 12, 31), 53),
    ],
)
def test_a_week_is_monday_to_sunday_but_for_the_first(day: date, week: int) -> None:
    assert _week(day) == week
    first, last = _week_bounds(week)
    assert first <= day <= last

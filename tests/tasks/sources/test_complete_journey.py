"""The embedded shop, from the real files: figures that are known from elsewhere."""

from datetime import date

import pandas as pd
import pytest

from tasks.contract import check_events
from tasks.sources import Source, open_source
from tasks.sources.canonical import COLUMNS, EVENT_COLUMNS


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
    assert events["event_type"].value_counts().to_dict() == {"purchase": 4080, "redeem": 2}
    assert events["event_id"].is_unique
    check_events(events, date(2017, 10, 2), "America/New_York", "the day")
    bought = events[events["event_type"] == "purchase"]
    assert bought["price"].isna().equals(bought["quantity"] == 0)
    assert (bought["price"].dropna() >= 0).all()


def test_a_campaign_reaches_its_households_before_the_days_baskets(source: Source) -> None:
    events = source.read_day(date(2017, 5, 8)).events
    exposed = events["event_type"] == "exposure"
    assert exposed.sum() == 1076  # of campaign 8
    assert set(events.loc[exposed, "channel"]) == {"campaign-8"}
    assert events.index[exposed].tolist() == list(range(1076))
    assert set(events["event_type"].iloc[-5:]) == {"redeem"}
    check_events(events, date(2017, 5, 8), "America/New_York", "the day")


def test_newcomers_are_of_the_day(source: Source) -> None:
    first, second = source.read_day(date(2017, 1, 1)), source.read_day(date(2017, 1, 2))
    assert set(first.items["item_id"]) == set(first.events["item_id"].dropna())
    assert not set(second.items["item_id"]) & set(first.items["item_id"])
    assert set(second.items["date"]) == {pd.Timestamp(2017, 1, 2)}
    assert first.items["category"].notna().mean() > 0.9
    assert set(first.users["user_id"]) < set(first.events["user_id"])  # 801 of 2,469 told


def test_prices_are_dated_at_the_weeks_first_open_day(source: Source) -> None:
    monday, tuesday = source.read_day(date(2017, 10, 2)), source.read_day(date(2017, 10, 3))
    assert tuesday.prices.empty
    prices = monday.prices
    assert list(prices) == list(COLUMNS["prices"])
    assert set(prices["until"]) == {pd.Timestamp(2017, 10, 8)}
    after_christmas = source.read_day(date(2017, 12, 26)).prices
    assert set(after_christmas["until"]) == {pd.Timestamp(2017, 12, 31)}


def test_promotions_are_of_a_store(source: Source) -> None:
    prices = source.read_day(date(2017, 10, 2)).prices
    promoted = prices[prices["channel"].notna()]
    assert len(promoted) == 396947
    assert (promoted["display"].notna() | promoted["mailer"].notna()).all()
    assert promoted[["price", "list_price"]].isna().all(axis=None)


def test_posted_prices_are_those_of_the_weeks_receipts(source: Source) -> None:
    prices = source.read_day(date(2017, 1, 1)).prices  # a week of one day
    posted = prices[prices["channel"].isna()].astype({"item_id": "str"}).set_index("item_id")
    assert posted[["display", "mailer", "cost"]].isna().all(axis=None)
    assert posted.index.is_unique
    assert (posted["list_price"] >= posted["price"]).all()
    events = source.read_day(date(2017, 1, 1)).events
    sold = events[events["quantity"] > 0]
    plain = sold[sold["discount"] == 0]  # without an offer, paid, posted and listed are the same
    mean = (plain["price"] * plain["quantity"]).groupby(plain["item_id"]).sum()
    mean /= plain.groupby("item_id")["quantity"].sum()
    never = mean[mean > 0].index.difference(pd.Index(sold.loc[sold["discount"] != 0, "item_id"]))
    assert len(never) > 1000
    for name in ("price", "list_price"):
        assert (posted.loc[never, name] - mean[never]).abs().max() < 1e-9


def test_many_days_in_one_pass_are_the_days_one_by_one(source: Source) -> None:
    days = [date(2017, 1, 1), date(2017, 1, 2), date(2017, 1, 9)]
    for day, frames in source.read_days(days):
        alone = source.read_day(day)
        assert frames.events.equals(alone.events)
        assert frames.prices.equals(alone.prices)  # 390,000 rows

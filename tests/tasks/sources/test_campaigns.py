"""Campaigns as events: on their own day by the shop's clock, and within the contract."""

from datetime import date

import pandas as pd

from tasks.contract import check_events
from tasks.sources.campaigns import campaign_events
from tasks.sources.canonical import with_event_ids

ZONE = "America/New_York"
MARCH, MAY, JUNE = pd.Timestamp(2017, 3, 3), pd.Timestamp(2017, 5, 8), pd.Timestamp(2017, 6, 1)


def made_up() -> pd.DataFrame:
    """Two campaigns, three households that received one, two coupons redeemed."""
    return campaign_events(
        pd.DataFrame({"campaign_id": [8, 1, 8], "household_id": [3, 2, 2]}),
        pd.DataFrame({"campaign_id": [1, 8, 9], "start_date": [MARCH, MAY, JUNE]}),
        pd.DataFrame(
            {
                "household_id": [2, 2],
                "coupon_upc": [10, 11],
                "campaign_id": [8, 8],
                "redemption_date": [MAY, MAY],
            }
        ),
        ZONE,
    )


def test_each_household_is_exposed_once_at_the_start_of_the_campaigns_day() -> None:
    events = made_up()
    exposed = events[events["event_type"] == "exposure"]
    told = zip(exposed["user_id"], exposed["channel"], exposed["day"], strict=True)
    assert sorted(told) == [
        ("2", "campaign-1", date(2017, 3, 3)),
        ("2", "campaign-8", date(2017, 5, 8)),
        ("3", "campaign-8", date(2017, 5, 8)),
    ]
    instants = exposed.set_index("channel")["event_time"]
    assert instants["campaign-1"] == pd.Timestamp("2017-03-03T05:00:00Z")  # winter time
    assert set(instants["campaign-8"]) == {pd.Timestamp("2017-05-08T04:00:00Z")}


def test_a_coupon_is_redeemed_when_the_days_baskets_are_done() -> None:
    events = made_up()
    redeemed = events[events["event_type"] == "redeem"]
    assert redeemed["channel"].tolist() == ["campaign-8"] * 2
    assert set(redeemed["event_time"]) == {pd.Timestamp("2017-05-09T03:59:59Z")}
    assert set(redeemed["day"]) == {date(2017, 5, 8)}


def test_the_events_keep_the_contract() -> None:
    events = made_up()
    for day, rows in events.groupby("day"):
        assert isinstance(day, date)
        check_events(with_event_ids(rows.drop(columns="day")), day, ZONE, "the day")
    assert events[["item_id", "price", "quantity"]].isna().all(axis=None)

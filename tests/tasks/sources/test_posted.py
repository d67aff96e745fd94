"""The price of a week, by hand."""

from datetime import date

import pandas as pd
import pytest

from tasks.sources.posted import posted_prices, week_of

RECEIPTS = pd.DataFrame(
    {
        "item": [2, 1, 2, 1, 3, 4, 5],
        "quantity": [1, 2, 3, 0, 2, -1, 1],
        "paid": [100, 500, 260, 900, 0, 300, 250],
        "listed": [100, 400, 400, 900, 500, 300, 250],
        "cost": [80, 300, 240, 0, 100, 100, 200],
    }
)


def test_a_price_is_the_mean_over_the_units_sold() -> None:
    # Row 4 sold nothing, item 3 was given away, item 4 only came back.
    prices = posted_prices(RECEIPTS)
    assert prices["item"].tolist() == [1, 2, 5]
    assert prices["price"].tolist() == [2.5, 0.9, 2.5]
    assert prices["cost"].tolist() == [1.5, 0.8, 2.0]


def test_a_list_price_is_never_below_the_price() -> None:
    assert posted_prices(RECEIPTS)["list_price"].tolist() == [2.5, 1.25, 2.5]


def test_what_the_receipts_do_not_know_is_null() -> None:
    prices = posted_prices(RECEIPTS.drop(columns=["listed", "cost"]))
    assert prices[["list_price", "cost"]].isna().all(axis=None)
    assert prices["price"].notna().all()


def test_the_order_of_the_receipts_plays_no_part() -> None:
    mixed = RECEIPTS.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(posted_prices(mixed), posted_prices(RECEIPTS))


@pytest.mark.parametrize("day", [date(2017, 1, 2), date(2017, 1, 5), date(2017, 1, 8)])
def test_a_week_is_monday_to_sunday(day: date) -> None:
    assert week_of(day) == (date(2017, 1, 2), date(2017, 1, 8))

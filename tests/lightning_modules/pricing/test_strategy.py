"""A price is moved within its limits or not at all, and only where a gain is shown."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.pricing.strategy import Demand, Limits, Numbers, propose


def items(**columns: Any) -> pd.DataFrame:
    """One item, or more where a column has more values: 10 now, 5 to 15 tried, cost 4."""
    usual: dict[str, Any] = {
        "item_id": "soap",
        "price": 10.0,
        "low": 5.0,
        "high": 15.0,
        "cost": 4.0,
        "levels": 3,
        "days": 100,
    }
    count = max((len(part) for part in columns.values() if isinstance(part, list)), default=1)
    return pd.DataFrame({**usual, **columns}, index=range(count))


def line(intercept: float, slope: float, doubt: float = 0.0) -> Demand:
    """Units fall in a straight line, with a doubt that is a share of them."""

    def demand_at(prices: Numbers) -> tuple[Numbers, Numbers]:
        mean = np.maximum(intercept - slope * prices, 0.0)
        return mean, doubt * mean

    return demand_at


FREE = Limits(max_daily_change=0.5, caution=0.0, grid=1001)


def test_the_best_price_of_a_straight_line_is_found() -> None:
    # Revenue p (24 - 2p) is highest at 6, profit (p - 4)(24 - 2p) at 8.
    revenue = propose(items(), line(24, 2), FREE).iloc[0]
    assert revenue["proposed"] == 6.0
    assert revenue["units"] == pytest.approx(12)
    assert revenue["revenue"] == pytest.approx(72)
    assert revenue["gain"] == pytest.approx(72 - 40)
    assert revenue["why"] == "lower 40.0%: +32.00 revenue a day, +32.00 with caution"
    profit = propose(items(), line(24, 2), Limits("profit", 0.5, 0.0, grid=1001)).iloc[0]
    assert profit["proposed"] == 8.0
    assert profit["profit"] == pytest.approx(32)
    assert profit["gain"] == pytest.approx(32 - 24)


def test_a_day_moves_no_further_than_allowed() -> None:
    assert propose(items(), line(24, 2), Limits(caution=0)).loc[0, "proposed"] == 9.0
    dear = propose(items(), line(100, 1), Limits(caution=0)).iloc[0]
    assert (dear["proposed"], dear["why"][:11]) == (11.0, "raise 10.0%")


def test_cents_are_rounded_into_the_limits() -> None:
    table = propose(items(price=9.999, low=9.123), line(24, 2), Limits(caution=0))
    assert table.loc[0, "proposed"] == 9.13
    table = propose(items(price=9.999, high=10.567), line(100, 1), Limits(caution=0))
    assert table.loc[0, "proposed"] == 10.56
    # A range without a whole cent holds no price.
    table = propose(items(low=9.121, high=9.129), line(24, 2), Limits(caution=0))
    assert table.loc[0, "proposed"] == 10.0


def test_a_gain_within_the_doubt_is_not_taken() -> None:
    sure = propose(items(), line(24, 2, doubt=0.05), Limits(caution=1.0)).iloc[0]
    # 9 a piece and 6 units, 54 +- 2.7, against 40 +- 2.
    spread = np.hypot(2.7, 2.0)
    assert sure["proposed"] == 9.0
    assert sure["why"].endswith(f"{14 - spread:+.2f} with caution")
    unsure = propose(items(), line(24, 2, doubt=0.3), Limits(caution=1.0)).iloc[0]
    assert (unsure["proposed"], unsure["why"], unsure["gain"]) == (10.0, "no gain shown", 0.0)
    # A doubt that both prices share does not hide the gain.
    shared = Limits(caution=1.0, shared_doubt=1.0)
    assert propose(items(), line(24, 2, doubt=0.3), shared).loc[0, "proposed"] == 9.0


def test_no_gain_is_no_change() -> None:
    flat = propose(items(price=6.0), line(24, 2), FREE).iloc[0]
    assert (flat["proposed"], flat["why"]) == (6.0, "no gain shown")


def test_intervals_have_the_width_of_their_coverage() -> None:
    row = propose(items(), line(24, 2, doubt=0.05), Limits(caution=0.0, interval=0.8)).iloc[0]
    assert row["units"] - row["units_low"] == pytest.approx(1.2815516 * 0.05 * 6)
    assert row["revenue_high"] - row["revenue"] == pytest.approx(1.2815516 * 0.05 * 54)
    wild = propose(items(), line(24, 2, doubt=5.0), Limits(caution=0.0)).iloc[0]
    assert wild["units_low"] == 0.0


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    ("columns", "limits", "why"),
    [
        ({"price": np.nan}, FREE, "no price now"),
        ({"price": 0.0}, FREE, "no price now"),
        ({"days": 55}, FREE, "history too short: fewer than 56 days"),
        ({"days": np.nan}, FREE, "history too short: fewer than 56 days"),
        ({"levels": 1}, FREE, "fewer than 2 prices tried"),
        ({"low": np.nan, "high": np.nan, "levels": 0}, FREE, "fewer than 2 prices tried"),
        ({"cost": np.nan}, Limits("profit"), "cost unknown: profit cannot be told"),
        ({"low": 12.0}, Limits(), "no price in the range tried"),
        ({"high": 8.0}, Limits(), "no price in the range tried"),
        ({"cost": 11.5}, Limits(), "no price in the range tried"),
    ],
)
def test_what_the_log_cannot_support_is_refused(
    columns: dict[str, Any], limits: Limits, why: str
) -> None:
    row = propose(items(**columns), line(24, 2), limits).iloc[0]
    assert row["proposed"] == row["price"] or np.isnan(row["price"])
    assert row["why"].startswith(why)


@pytest.mark.fault(40)
def test_a_price_below_cost_is_pointed_out() -> None:
    assert propose(items(cost=11.5), line(24, 2), Limits()).iloc[0]["why"].endswith("; below cost")
    raised = propose(items(cost=10.5), line(100, 1), Limits(caution=0)).iloc[0]
    assert raised["proposed"] == 11.0 and "below cost" not in raised["why"]


def test_an_unknown_cost_is_no_obstacle_to_revenue() -> None:
    assert propose(items(cost=np.nan), line(24, 2), FREE).loc[0, "proposed"] == 6.0


def test_an_item_without_a_forecast_does_not_disturb_the_others() -> None:
    def demand_at(prices: Numbers) -> tuple[Numbers, Numbers]:
        mean, doubt = line(24, 2)(prices)
        mean[1] = np.nan
        return mean, doubt

    table = propose(items(item_id=["a", "b", "c"]), demand_at, Limits(caution=0))
    assert table["proposed"].tolist() == [9.0, 10.0, 9.0]
    assert table.loc[1, "why"] == "no forecast of demand"


@pytest.mark.fault(40)
def test_prices_that_were_not_tried_are_left_out() -> None:
    gap = propose(items(), line(24, 2), FREE, tried=lambda prices: np.abs(prices - 6) > 1)
    assert gap.loc[0, "proposed"] in (4.99, 7.01)
    never = propose(items(), line(24, 2), FREE, tried=lambda prices: prices < 0)
    assert never.iloc[0]["why"].startswith("no price in the range tried")


@pytest.mark.fault(40)
def test_nothing_is_given_away() -> None:
    asked: list[float] = []

    def demand_at(prices: Numbers) -> tuple[Numbers, Numbers]:
        asked.extend(prices.ravel())
        return 1 / prices, 0 * prices

    propose(items(price=0.02, low=0.0, high=1.0, cost=np.nan), demand_at, FREE)
    cheap = Limits(max_daily_change=0.99, caution=0)
    propose(items(price=0.5, low=-1.0, high=1.0, cost=np.nan), demand_at, cheap)
    assert min(asked) == 0.01


def test_faulty_input_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'cost'"):
        propose(items().drop(columns="cost"), line(24, 2))
    with pytest.raises(ValueError, match=r"shape \(1, 1\)"):
        propose(items(), lambda prices: (prices[:, :1], prices))
    with pytest.raises(ValueError, match="below zero"):
        propose(items(), lambda prices: (prices, -prices))


@pytest.mark.parametrize(
    "wrong",
    [
        {"objective": "fame"},
        {"max_daily_change": 1.0},
        {"max_daily_change": -0.1},
        {"caution": -1.0},
        {"shared_doubt": 1.1},
        {"interval": 1.0},
        {"grid": 1},
        {"min_levels": 1},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def test_no_items_make_an_empty_table() -> None:
    table = propose(items().iloc[:0], line(24, 2))
    assert table.empty and list(table)[-1] == "why"


money = st.floats(0.05, 500.0)


@pytest.mark.fault(40)
@given(
    price=money,
    ends=st.tuples(money, money),
    cost=st.one_of(st.just(np.nan), st.floats(0.0, 500.0)),
    change=st.floats(0.0, 0.5),
    elasticity=st.floats(-5.0, -0.1),
    objective=st.sampled_from(["revenue", "profit"]),
)
def test_a_changed_price_is_within_every_limit(
    price: float,
    ends: tuple[float, float],
    cost: float,
    change: float,
    elasticity: float,
    objective: Any,
) -> None:
    low, high = min(ends), max(ends)
    table = propose(
        items(price=price, low=low, high=high, cost=cost),
        lambda prices: (5 * (prices / price) ** elasticity, 0.0 * prices),
        Limits(objective, change, caution=0.0),
    )
    row = table.iloc[0]
    proposed = row["proposed"]
    if proposed == price:
        return
    assert low <= proposed <= high
    assert np.isnan(cost) or proposed >= cost
    assert price * (1 - change) <= proposed <= price * (1 + change)
    assert proposed == round(proposed, 2)
    assert row["gain"] > 0

"""Price intervals keep their promise; memories stay bounded; what the shop reads makes sense."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lightning_modules.pricing.features import FEATURES
from lightning_modules.pricing.intervals import covered, followed, stretched
from lightning_modules.pricing.item_days import (
    COLUMN,
    MOVE_7,
    OUTPUTS,
    TODAY,
    WEEK_AGO,
    ItemDays,
    no_item_days,
)
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.quality import deviance
from tests.lightning_modules.pricing.tiny_market import FIRST, SETTINGS, market_day

DAY = FIRST + timedelta(28)
LOW, MEDIAN, HIGH = (COLUMN[f"{name}_7"] for name in ("low", "median", "high"))


def due(generator: np.random.Generator, scale: float, stretch: NDArray[np.float32]) -> ItemDays:
    """Fifty items whose price moved by `scale`, forecast as if it were 0.1."""
    nothing = no_item_days(len(FEATURES))
    count = 50
    forecasts = np.full((count, 3, len(OUTPUTS)), np.nan, np.float32)
    forecasts[:, WEEK_AGO] = 0
    forecasts[:, WEEK_AGO, LOW], forecasts[:, WEEK_AGO, HIGH] = -0.128, 0.128
    forecasts[:, WEEK_AGO] = stretched(forecasts[:, WEEK_AGO], stretch)
    labels = np.full((count, 3, 4), np.nan, np.float32)
    labels[:, WEEK_AGO, MOVE_7] = generator.normal(0, scale, count)
    return replace(nothing, item=np.zeros(count, np.int32), labels=labels, forecasts=forecasts)


@pytest.mark.parametrize("scale", [0.03, 0.1, 0.4])
def test_coverage_comes_out_as_promised_whatever_was_learned(scale: float) -> None:
    generator, stretch, hits = np.random.default_rng(1), np.zeros(2, np.float32), []
    for _ in range(200):
        examples = due(generator, scale, stretch)
        hits.append(covered(examples, examples.forecasts, 7).mean())
        stretch = followed(stretch, examples, pace=0.35)
    # 100 days of 50: the standard error of the mean is 0.0057
    assert np.mean(hits[100:]) == pytest.approx(0.8, abs=0.025)
    assert stretch[0] == 0  # no price one day ahead came due


def test_a_horizon_that_comes_due_once_a_week_moves_as_far_in_it_as_one_that_does_daily() -> None:
    daily = due(np.random.default_rng(1), 0.4, np.zeros(2, np.float32))
    ends = [*range(2), *range(6, 10), *range(2, 6)]
    labels = daily.labels[:, [0, 2, 1]][..., [0, 1, 3, 2]]
    weekly = replace(daily, labels=labels, forecasts=daily.forecasts[:, [0, 2, 1]][..., ends])
    stretch = np.zeros(2, np.float32)
    once = followed(stretch, weekly, pace=0.35)
    each = followed(stretch, daily, pace=0.35)
    assert once[1] == each[0] == 0
    assert 7 * each[1] == pytest.approx(once[0], rel=1e-5)


def test_a_day_with_few_labels_moves_little() -> None:
    many = due(np.random.default_rng(1), 0.4, np.zeros(2, np.float32))
    labels = many.labels.copy()
    missed = np.flatnonzero(covered(many, many.forecasts, 7) == 0)[0]
    labels[np.arange(50) != missed] = np.nan
    few = replace(many, labels=labels)
    stretch = np.zeros(2, np.float32)
    assert 0 < followed(stretch, few, 0.35)[1] < followed(stretch, many, 0.35)[1] / 10


def test_stretching_moves_the_ends_and_not_the_median() -> None:
    outputs = np.zeros((1, len(OUTPUTS)), np.float32)
    outputs[0, [LOW, MEDIAN, HIGH]] = -0.1, 0.1, 0.2
    wide = stretched(outputs, np.array([0, np.log(2)], np.float32))
    assert wide[0, [LOW, MEDIAN, HIGH]].tolist() == pytest.approx([-0.3, 0.1, 0.3])
    assert outputs[0, LOW] == np.float32(-0.1)


def test_the_deviance_by_hand() -> None:
    units, mean = ([0, 3, 2], [0.5, 1.0, 2.0])
    found = deviance(np.array(units, np.float32), np.array(mean, np.float32))
    assert found.tolist() == pytest.approx([1.0, 2 * (3 * np.log(3) - 2), 0.0], abs=1e-6)


def test_memories_stay_bounded(priced: PricingLearner) -> None:
    memory = priced.memory
    last = int(memory.replay.day.max())
    old = memory.replay.day <= last - SETTINGS["recent_days"]
    assert old.sum() <= SETTINGS["replay_size"]
    drawn = memory.replayed(30, 10, seed=1)
    assert len(drawn) == 40
    assert len(np.unique(drawn.keys)) == 40
    assert (drawn.day > last - SETTINGS["recent_days"]).sum() >= 10
    assert not np.array_equal(memory.replayed(30, 10, seed=2).keys, drawn.keys)


def test_the_shop_reads_demand_prices_and_proposals(priced: PricingLearner) -> None:
    tables = priced.outputs(DAY)
    demand, prices = tables["demand"], tables["price_forecast"]
    for table, columns in (
        (demand, ["units_low", "units_high"]),
        (demand, ["elasticity_low", "elasticity", "elasticity_high"]),
        (prices, ["low", "median", "high"]),
    ):
        assert (np.diff(table[columns].to_numpy(float), axis=1) >= 0).all()
    assert (demand["elasticity"].to_numpy(float) < 0).all()
    assert prices["chance_of_change"].between(0, 1).all()
    assert len(prices) == 2 * len(demand)
    assert {"proposed", "why", "promoted", "verdict"} <= set(tables["price_table"])
    assert len(tables["price_table"]) == len(demand)


def test_a_price_posted_for_tomorrow_is_known(priced: PricingLearner) -> None:
    monday = market_day(DAY)
    outlook = priced.outlook(DAY, monday.prices)
    table = outlook.price_forecast()
    tomorrow, next_week = table[table["horizon"] == 1], table[table["horizon"] == 7]
    assert tomorrow["low"].tolist() == tomorrow["high"].tolist() == tomorrow["price"].tolist()
    assert set(tomorrow["chance_of_change"]) == {0}
    assert (next_week["high"].to_numpy(float) > next_week["low"].to_numpy(float)).all()


def test_a_price_posted_without_a_last_day_is_not_known_ahead(priced: PricingLearner) -> None:
    nowhere = pd.Series(pd.NaT, index=market_day(DAY).prices.index)
    open_ended = market_day(DAY).prices.assign(until=nowhere)
    table = priced.outlook(DAY, open_ended).price_forecast()
    assert (table["high"].to_numpy(float) > table["low"].to_numpy(float)).all()
    assert (table["chance_of_change"] > 0).all()


def test_a_day_without_any_item_has_empty_tables(priced: PricingLearner) -> None:
    tables = priced.outputs(DAY + timedelta(1000))  # everything is dormant by then
    assert {name: len(table) for name, table in tables.items()} == dict.fromkeys(tables, 0)
    assert {"proposed", "why", "promoted", "verdict"} <= set(tables["price_table"])


def test_a_price_not_charged_lately_is_not_proposed(priced: PricingLearner) -> None:
    outlook = priced.outlook(DAY)
    days = 28
    names = np.repeat(outlook.examples.item_ids, days)
    now = np.repeat(outlook.price.astype(float), days)
    age = np.tile(np.arange(days), len(outlook.price))
    settings = replace(
        priced.settings,
        judged_days=7,
        strategy={"min_days": 7, "caution": 0.0, "max_daily_change": 0.5},
    )

    def proposed(dear_lately: bool) -> pd.DataFrame:
        dear = (age % 2 == 0) & (dear_lately | (age >= 7))
        price = np.where(dear, now * 1.25, now)
        history = pd.DataFrame({"item_id": names, "age": age, "price": price, "units": 2.0})
        return outlook.price_table(history, settings)

    lately, never = proposed(dear_lately=True), proposed(dear_lately=False)
    assert (lately["proposed"] > lately["price"] * 1.1).any()
    assert not (never["proposed"] > never["price"] * 1.1).any()


def test_profit_is_proposed_where_the_cost_was_posted(priced: PricingLearner) -> None:
    cost = np.where(priced.examples(market_day(DAY)).item_ids == "p1", 1.0, np.nan)
    outlook = replace(priced.outlook(DAY), cost=cost.astype(np.float32))
    past = priced.kept.history.frame(priced._known().ids, outlook.examples.item)
    settings = replace(priced.settings, strategy={"objective": "profit", "min_days": 1})
    table = outlook.price_table(past, settings)
    told = table.loc[np.isfinite(table["profit"].to_numpy(float)), "item_id"]
    assert told.tolist() == ["p1"]


def test_demand_falls_along_the_curve_asked_for(priced: PricingLearner) -> None:
    outlook = priced.outlook(DAY)
    prices = outlook.price[:, None].astype(np.float64) * np.array([0.8, 1.0, 1.25])
    mean, doubt = outlook.demand_at(prices)
    assert mean.shape == doubt.shape == prices.shape
    assert (np.diff(mean, axis=1) <= 0).all()
    assert (doubt >= 0).all()
    assert (doubt > 0).any()


def test_what_is_served_is_what_is_scored(priced: PricingLearner) -> None:
    day = market_day(DAY)
    examples = priced.examples(day)
    ahead = priced.outlook(DAY, day.prices)
    assert np.array_equal(ahead.examples.features[:, TODAY], examples.features[:, TODAY])
    assert np.array_equal(ahead.outputs, examples.forecasts[:, TODAY])

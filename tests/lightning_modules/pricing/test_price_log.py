"""Past prices as a log: levels, shares of days, and tables judged by them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lightning_modules.pricing.judgement import Rules
from lightning_modules.pricing.price_log import (
    PriceLog,
    actions_of,
    judge_table,
    read_prices,
    supported_range,
    tried,
)
from lightning_modules.pricing.strategy import Numbers

ITEMS = pd.DataFrame({"item_id": ["soap", "tea", "rope"], "cost": [1.0, np.nan, 2.0]})
# Soap: six days at about 2.00, three at 1.56, one at 3.00. Tea: four days at 5.00. Rope: none.
SOAP = [2.0, 2.01, 1.99, 2.0, 2.0, 2.0, 1.56, 1.56, 1.57, 3.0]
HISTORY = pd.DataFrame(
    {
        "item_id": ["soap"] * 10 + ["tea"] * 4 + ["soap", "other", "tea", "soap"],
        "price": [*SOAP, 5.0, 5.0, 5.0, 5.0, np.nan, 7.0, 0.0, np.inf],
        "units": [*range(10), 1.0, 2.0, 3.0, 4.0, 9.0, 9.0, 9.0, 9.0],
    }
)


@pytest.fixture
def log() -> PriceLog:
    return read_prices(HISTORY, ITEMS)


def test_levels_and_shares_of_days_by_hand(log: PriceLog) -> None:
    assert log.logged.action.tolist() == [1] * 6 + [0] * 3 + [2] + [0] * 4
    assert log.logged.propensity.tolist() == [0.6] * 6 + [0.3] * 3 + [0.1] + [1.0] * 4
    assert log.days.tolist() == [[3, 6, 1, 0], [4, 0, 0, 0], [0, 0, 0, 0]]
    assert log.prices[0, :3] == pytest.approx([4.69 / 3, 2.0, 3.0])
    assert log.reference[:2].tolist() == [2.0, 5.0]
    assert log.logged.unit is not None and log.logged.unit.tolist() == [0] * 10 + [1] * 4
    assert log.logged.policy is not None
    assert log.logged.policy[0].tolist() == [0.3, 0.6, 0.1, 0.0]


def test_levels_are_steps_of_one_ratio() -> None:
    prices = [1.0, 1.0, 1.0, 1.05**30, 1.05**-30]
    history = pd.DataFrame({"item_id": "soap", "price": prices, "units": 1.0})
    assert read_prices(history, ITEMS).levels[0, :3].tolist() == [-30, 0, 30]
    assert read_prices(history, ITEMS, step=1.05**15 - 1).levels[0, :3].tolist() == [-2, 0, 2]


def test_reward_is_revenue_or_profit(log: PriceLog) -> None:
    assert log.logged.reward[6] == pytest.approx(1.56 * 6)
    soap = HISTORY[HISTORY["item_id"] == "soap"]
    profit = read_prices(soap, ITEMS, objective="profit")
    assert profit.logged.reward[6] == pytest.approx((1.56 - 1.0) * 6)


def test_range_of_the_prices_that_have_enough_days(log: PriceLog) -> None:
    ranges = supported_range(log, 3)
    assert ranges["levels"].tolist() == [2, 1, 0]
    assert ranges["days"].tolist() == [10, 4, 0]
    assert ranges["low"].to_list()[:2] == pytest.approx([4.69 / 3, 5.0])
    assert ranges["high"].to_list()[:2] == pytest.approx([2.0, 5.0])
    assert ranges.loc[2, ["low", "high"]].isna().all()
    assert supported_range(log, 1).loc[0, "high"] == 3.0


def test_only_levels_with_enough_days_and_share_were_tried(log: PriceLog) -> None:
    prices = np.array([[2.0, 1.56, 3.0, 1.8], [5.0, 5.1, 4.0, 6.0], [2.0, 2.0, 2.0, np.nan]])
    assert actions_of(log, prices).tolist() == [[1, 0, 2, 3], [0, 0, 3, 3], [3, 3, 3, 3]]
    soap, tea, rope = tried(log, Rules(floor=0.05), 1)(prices).tolist()
    assert soap == [True, True, True, False]
    assert tea == [True, True, False, False]
    assert rope == [False] * 4
    assert tried(log, Rules(floor=0.05), 3)(prices)[0].tolist() == [True, True, False, False]
    assert tried(log, Rules(floor=0.0), 0)(prices)[0].tolist() == [True, True, True, False]
    assert tried(log, Rules(floor=0.5), 1)(prices)[0].tolist() == [True, False, False, False]


def many(items: int, days: int, cheaper_sells: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items sold at 10 and at 8 by turns, at 8 `cheaper_sells` times as much."""
    rng = np.random.default_rng(3)
    names = [f"item {number}" for number in range(items)]
    price = np.where(rng.random((items, days)) < 0.4, 8.0, 10.0)
    units = rng.poisson(np.where(price == 8.0, 5 * cheaper_sells, 5.0))
    history = pd.DataFrame(
        {"item_id": np.repeat(names, days), "price": price.ravel(), "units": units.ravel()}
    )
    return history, pd.DataFrame({"item_id": names, "cost": 3.0})


def table(items: pd.DataFrame, proposed: Any) -> pd.DataFrame:
    return items.assign(price=10.0, proposed=proposed)


RULES = Rules(decides="snips", min_effective=10)


def test_a_lower_price_that_earned_more_is_promoted_and_else_not() -> None:
    history, items = many(40, 50, cheaper_sells=2.0)
    verdict = judge_table(read_prices(history, items), table(items, 8.0), RULES)
    assert verdict.passed
    snips = verdict.estimates["snips"]
    assert snips.value == pytest.approx(80, abs=4 * snips.error)
    assert verdict.effective == pytest.approx(40, rel=0.01)
    history, items = many(40, 50, cheaper_sells=1.0)
    verdict = judge_table(read_prices(history, items), table(items, 8.0), RULES)
    assert verdict.usable and not verdict.passed


def test_profit_may_say_no_where_revenue_says_yes() -> None:
    history, items = many(40, 50, cheaper_sells=1.35)  # 54 for 50, but 33.75 for 35
    by_revenue = read_prices(history, items)
    by_profit = read_prices(history, items, objective="profit")
    assert judge_table(by_revenue, table(items, 8.0), RULES).passed
    assert not judge_table(by_profit, table(items, 8.0), RULES).passed


def test_only_changed_items_count() -> None:
    history, items = many(40, 50, cheaper_sells=2.0)
    proposed = np.where(np.arange(40) < 12, 8.0, 10.0)
    verdict = judge_table(read_prices(history, items), table(items, proposed), RULES)
    assert verdict.effective == pytest.approx(12, rel=0.01)
    unchanged = judge_table(read_prices(history, items), table(items, 10.0), RULES)
    assert not unchanged.passed and unchanged.why == "no price is changed: nothing to promote"


def test_prices_never_charged_are_refused() -> None:
    history, items = many(40, 50, cheaper_sells=2.0)
    log = read_prices(history, items)
    assert judge_table(log, table(items, 9.0), RULES).why == (
        "no evidence: no row of the log has an action that the target would choose"
    )
    some = judge_table(log, table(items, np.where(np.arange(40) < 4, 9.0, 8.0)), RULES)
    assert some.unsupported == pytest.approx(0.1) and not some.passed
    assert some.why.startswith("no support")
    new = pd.concat([items, pd.DataFrame({"item_id": ["new"], "cost": [3.0]})], ignore_index=True)
    unknown = judge_table(read_prices(history, new), table(new, 8.0), RULES)
    assert unknown.why == "no support: 1 changed items have no history" and not unknown.passed


def test_a_model_of_demand_lets_the_doubly_robust_estimate_decide() -> None:
    history, items = many(40, 50, cheaper_sells=2.0)
    log = read_prices(history, items)
    rules = Rules(min_effective=10)
    assert "give it a reward model" in judge_table(log, table(items, 8.0), rules).why

    def demand_at(prices: Numbers) -> tuple[Numbers, Numbers]:
        return np.where(prices < 9, 11.0, 4.0), np.zeros_like(prices)

    verdict = judge_table(log, table(items, 8.0), rules, demand_at)
    assert verdict.passed
    # Shares counted in the log make the three one and the same.
    values = [one.value for one in verdict.estimates.values()]
    assert values == pytest.approx([values[0]] * 3)


def test_the_model_speaks_of_the_proposed_price_where_the_log_cannot() -> None:
    history, items = many(2, 50, cheaper_sells=2.0)
    log = read_prices(history, items, objective="profit")

    def demand_at(prices: Numbers) -> tuple[Numbers, Numbers]:
        return 20.0 - prices, np.zeros_like(prices)

    verdict = judge_table(log, table(items, [8.0, 9.0]), Rules(min_effective=1), demand_at)
    assert not verdict.passed and verdict.unsupported == 0.5
    first = (log.item == 0) & (log.logged.action == 0)
    earned = log.logged.reward[first].mean()
    assert verdict.estimates["dr"].value == pytest.approx((earned + (9 - 3) * 11) / 2)


def test_a_table_of_other_items_is_refused(log: PriceLog) -> None:
    _, items = many(2, 5, cheaper_sells=1.0)
    with pytest.raises(ValueError, match="the table has 2 items, the log 3"):
        judge_table(log, table(items, 8.0), RULES)


def test_an_empty_history_supports_nothing() -> None:
    log = read_prices(HISTORY.iloc[:0], ITEMS)
    assert supported_range(log, 1)["levels"].tolist() == [0, 0, 0]
    assert not tried(log, RULES, 1)(np.full((3, 2), 2.0)).any()
    assert not judge_table(log, table(ITEMS, 8.0), RULES).passed

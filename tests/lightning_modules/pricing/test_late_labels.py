"""Labels that come later: each is learned once, on its day, and never before."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.item_days import (
    DAY_AGO,
    LABELS,
    MOVE_1,
    MOVE_7,
    REST_OF_WEEK,
    TODAY,
    UNITS,
    WEEK_AGO,
    ItemDays,
)
from lightning_modules.pricing.learner import PricingLearner
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    catalogue,
    market_day,
    posts,
    price_of,
)

MONDAY = FIRST + timedelta(21)


def lived(learner: PricingLearner, days: int) -> list[tuple[date, ItemDays]]:
    """Some days from MONDAY on, each with its units, none held out."""
    found = []
    for number in range(days):
        day = market_day(MONDAY + timedelta(number))
        examples = learner.examples(day)
        learner.absorb(day, examples, np.zeros(len(examples), bool))
        found.append((day.day, examples))
    return found


def test_a_label_not_known_yet_is_none(seasoned: PricingLearner) -> None:
    (_, first), *_ = lived(seasoned, 1)
    assert np.isfinite(first.labels[:, TODAY, UNITS]).all()
    assert np.isnan(first.labels[:, TODAY, [REST_OF_WEEK, MOVE_1, MOVE_7]]).all()
    assert np.isnan(first.labels[:, [DAY_AGO, WEEK_AGO]]).all()
    rows = first.training_rows()
    assert len(rows) == len(first)
    assert np.isnan(rows.labels[:, 1:]).all()


def test_a_posted_price_is_no_forecast(seasoned: PricingLearner) -> None:
    days = lived(seasoned, 8)
    for day, examples in days[1:7]:
        assert np.isnan(examples.labels[:, DAY_AGO, MOVE_1]).all(), day
    day, examples = days[7]
    before = np.array([price_of(name, day - timedelta(1)) for name in examples.item_ids])
    now = np.array([price_of(name, day) for name in examples.item_ids])
    assert np.allclose(examples.labels[:, DAY_AGO, MOVE_1], np.log(now / before), atol=1e-6)
    assert np.allclose(examples.labels[:, WEEK_AGO, MOVE_7], np.log(now / before), atol=1e-6)
    assert (now != before).any()


def test_the_rest_of_the_week_is_summed_once_it_is_over(seasoned: PricingLearner) -> None:
    days = lived(seasoned, 14)
    units = [dict(zip(e.item_ids, e.labels[:, TODAY, UNITS], strict=True)) for _, e in days]
    for begin, last in ((0, 6), (1, 6), (2, 6)):
        _, examples = days[begin + 7]
        summed = [
            sum(units[day].get(name, 0) for day in range(begin, last + 1))
            for name in examples.item_ids
        ]
        assert examples.labels[:, WEEK_AGO, REST_OF_WEEK].tolist() == summed
        then = days[begin][1].features[:, TODAY]
        assert np.array_equal(examples.features[:, WEEK_AGO], then)
    assert np.isnan(days[3 + 7][1].labels[:, WEEK_AGO, REST_OF_WEEK]).all()  # too short a rest


def test_each_row_is_learned_once_per_label(seasoned: PricingLearner) -> None:
    rows = [examples.training_rows() for _, examples in lived(seasoned, 21)]
    keys = np.concatenate([part.keys for part in rows])
    assert len(np.unique(keys)) == len(keys)
    known = np.concatenate([np.isfinite(part.labels) for part in rows]).sum(axis=0)
    tracked = len(rows[0])
    assert known[LABELS.index("move_1")] == 2 * tracked  # two Mondays after the first
    assert known[LABELS.index("move_7")] == 14 * tracked
    assert len(seasoned.kept.queue.day) == 7 * tracked


def test_what_was_forecast_waits_with_the_row(priced: PricingLearner) -> None:
    first = market_day(FIRST + timedelta(28))
    said = priced.examples(first)
    priced.absorb(first, said, np.zeros(len(said), bool))
    for number in range(29, 35):
        day = market_day(FIRST + timedelta(number))
        examples = priced.examples(day)
        priced.absorb(day, examples, np.zeros(len(examples), bool))
    due = priced.examples(market_day(FIRST + timedelta(35)))
    assert np.isfinite(said.forecasts[:, TODAY]).all()
    assert np.array_equal(due.forecasts[:, WEEK_AGO], said.forecasts[:, TODAY])


def test_a_day_that_never_came_leaves_its_labels_unknown(seasoned: PricingLearner) -> None:
    lived(seasoned, 8)
    day = market_day(MONDAY + timedelta(9))
    examples = seasoned.examples(day)
    assert np.isnan(examples.labels[:, DAY_AGO]).all()
    assert np.isfinite(examples.labels[:, WEEK_AGO, MOVE_7]).all()


def test_a_week_with_a_lost_day_has_no_sum(seasoned: PricingLearner) -> None:
    lived(seasoned, 3)
    for number in range(4, 15):  # the fourth day never came
        day = market_day(MONDAY + timedelta(number))
        examples = seasoned.examples(day)
        seasoned.absorb(day, examples, np.zeros(len(examples), bool))
        summed = np.isfinite(examples.labels[:, WEEK_AGO, REST_OF_WEEK])
        assert summed.all() if number == 14 else not summed.any()
        if number == 7:
            assert np.isfinite(examples.labels[:, WEEK_AGO, MOVE_7]).all()


def test_a_closed_day_that_is_skipped_takes_nothing_from_the_sum(
    seasoned: PricingLearner,
) -> None:
    closed = str(MONDAY + timedelta(3))
    seasoned.settings = replace(seasoned.settings, closed_days=(closed,))
    days = lived(seasoned, 3)
    for number in range(4, 8):
        day = market_day(MONDAY + timedelta(number))
        examples = seasoned.examples(day)
        seasoned.absorb(day, examples, np.zeros(len(examples), bool))
        days.append((day.day, examples))
    units = [dict(zip(e.item_ids, e.units, strict=True)) for _, e in days]
    last = days[-1][1]
    summed = [sum(day.get(name, 0) for day in units[:6]) for name in last.item_ids]
    assert last.labels[:, WEEK_AGO, REST_OF_WEEK].tolist() == summed


def offered(number: int, *rows: dict[str, object]) -> ShopDay:
    day = market_day(MONDAY + timedelta(number))
    return ShopDay(day.day, day.events, catalogue().iloc[:0], posts(*rows))


def test_a_price_that_nobody_observed_is_no_label(seasoned: PricingLearner) -> None:
    lived(seasoned, 7)
    next_week = offered(7, {"item_id": "p1", "price": 2.0, "until": MONDAY + timedelta(13)})
    examples = seasoned.examples(next_week)
    assert len(examples) > 1
    for slot, move in ((DAY_AGO, MOVE_1), (WEEK_AGO, MOVE_7)):
        known = np.isfinite(examples.labels[:, slot, move])
        assert examples.item_ids[known].tolist() == ["p1"]
    seasoned.settings = replace(seasoned.settings, carry_prices=False)
    assert np.isfinite(seasoned.examples(next_week).labels[:, DAY_AGO, MOVE_1]).all()


def test_a_price_without_a_last_day_may_change_on_any(seasoned: PricingLearner) -> None:
    for number, price in enumerate((2.0, 2.0, 4.0)):
        rows = [{"item_id": "p1", "price": price}] if number != 1 else []
        day = offered(number, *rows)
        examples = seasoned.examples(day)
        seasoned.absorb(day, examples, np.zeros(len(examples), bool))
        moves = dict(zip(examples.item_ids, examples.labels[:, DAY_AGO, MOVE_1], strict=True))
        if number:
            assert np.isclose(moves["p1"], np.log([1, 1, 2][number]))


def test_a_unit_that_sold_out_is_censored() -> None:
    learner = PricingLearner.new(SETTINGS)
    for number in range(12):
        learner.absorb(market_day(FIRST + timedelta(number)), None, None)
    day = market_day(FIRST + timedelta(12))
    prices = posts({"item_id": "p3"}).assign(sold_out="true")
    examples = learner.examples(ShopDay(day.day, day.events, catalogue().iloc[:0], prices))
    assert examples.item_ids[examples.censored].tolist() == ["p3"]
    assert examples.training_rows().censored.sum() == 1

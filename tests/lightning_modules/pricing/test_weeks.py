"""A week's units are learned on its last day, once, and never those of a held-out item."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.days import day_number
from lightning_modules.pricing.item_days import REST_OF_WEEK, TODAY, UNITS, ItemDays, TrainingRows
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.weeks import but_weeks, weeks_over
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    catalogue,
    held_out,
    market_day,
    posts,
    saved,
    sold,
)

MONDAY = FIRST + timedelta(21)


def over(learner: PricingLearner, number: int) -> tuple[TrainingRows, ItemDays]:
    """The rows whose week ended with a day, which is then taken in."""
    day = market_day(MONDAY + timedelta(number))
    examples = learner.examples(day)
    rows = weeks_over(learner._known(), day_number(day.day), examples)
    learner.absorb(day, examples, held_out(examples))
    return rows, examples


def test_a_week_is_over_on_its_last_day_and_once(seasoned: PricingLearner) -> None:
    found = [over(seasoned, number) for number in range(14)]
    tracked = len(found[0][1])
    counts = [len(rows) for rows, _ in found]
    assert counts == 2 * [0, 0, 0, 0, 0, 0, 3 * tracked]  # Monday's, Tuesday's, Wednesday's rows
    rows = found[6][0]
    days = [dict(zip(e.item, e.labels[:, TODAY, UNITS], strict=True)) for _, e in found]
    for row in range(len(rows)):
        begin = int(rows.day[row]) - day_number(MONDAY)
        summed = sum(days[day].get(rows.item[row], 0) for day in range(begin, 7))
        assert rows.labels[row, REST_OF_WEEK] == summed
    first = rows.take(rows.day == day_number(MONDAY))
    assert np.array_equal(first.features, found[0][1].features[:, TODAY])
    assert np.array_equal(first.category, found[0][1].category)
    assert len(np.unique(seasoned.memory.weeks.keys)) == 2 * 3 * tracked


def test_the_sum_is_the_one_that_comes_again_a_week_later(seasoned: PricingLearner) -> None:
    found = [over(seasoned, number) for number in range(8)]
    early = found[6][0]
    late = found[7][1].training_rows()
    late = late.take(np.isfinite(late.labels[:, REST_OF_WEEK]))
    monday = early.take(early.day == day_number(MONDAY))
    assert np.array_equal(monday.labels[:, REST_OF_WEEK], late.labels[:, REST_OF_WEEK])
    assert np.array_equal(monday.features, late.features)


def test_a_week_that_ends_on_a_closed_day_is_taken_on_it(seasoned: PricingLearner) -> None:
    for number in range(6):
        over(seasoned, number)
    sunday = MONDAY + timedelta(6)
    seasoned.settings = replace(seasoned.settings, closed_days=(str(sunday),))
    closed = ShopDay(sunday, sold(), catalogue().iloc[:0], posts())
    seasoned.absorb(closed, seasoned.examples(closed), np.zeros(0, bool))
    assert len(seasoned.memory.weeks) == 3 * len(seasoned.kept.state.tracked)
    assert len(over(seasoned, 7)[0]) == 0


@pytest.mark.parametrize("lost", [3, 6])
def test_a_week_with_a_lost_day_is_never_over(seasoned: PricingLearner, lost: int) -> None:
    found = [over(seasoned, number) for number in range(8) if number != lost]
    assert sum(len(rows) for rows, _ in found) == 0


def test_held_out_items_are_left_out_until_tomorrow(
    priced: PricingLearner, tmp_path: Path
) -> None:
    begin = FIRST + timedelta(28)
    for number in range(6):
        day = market_day(begin + timedelta(number))
        examples = priced.examples(day)
        priced.absorb(day, examples, held_out(examples))
    sunday = market_day(begin + timedelta(6))
    examples = priced.examples(sunday)
    holdout = np.arange(len(examples)) % 3 == 0
    own = weeks_over(priced._known(), day_number(sunday.day), examples, but=examples.item[holdout])
    assert set(own.item) == set(examples.item[~holdout])
    priced.save_parameters(tmp_path)
    priced.fine_tune(examples, holdout, update={}, seed=1)
    whole = {name: array.copy() for name, array in priced.parameters.weights.items()}
    labels = examples.labels.copy()
    labels[holdout] = 99
    priced.load_parameters(tmp_path)
    priced.fine_tune(replace(examples, labels=labels), holdout, update={}, seed=1)
    for name, array in priced.parameters.weights.items():
        assert np.array_equal(array, whole[name]), name


def test_the_days_lesson_says_nothing_of_the_week(seasoned: PricingLearner) -> None:
    rows = [over(seasoned, number)[1].training_rows() for number in range(8)]
    plain = but_weeks(*rows)
    assert np.isnan(plain.labels[:, REST_OF_WEEK]).all()
    assert np.isfinite(plain.labels).any(axis=1).all()
    assert np.isfinite(rows[-1].labels[:, REST_OF_WEEK]).any()  # theirs are as they were


def test_the_oldest_weeks_leave() -> None:
    learner = PricingLearner.new({**SETTINGS, "weeks_size": 40})
    for number in range(35):
        day = market_day(FIRST + timedelta(number))
        examples = learner.examples(day) if number >= 11 else None
        learner.absorb(day, examples, None if examples is None else held_out(examples))
    weeks = learner.memory.weeks
    assert len(weeks) == 40
    assert weeks.day.min() >= day_number(FIRST + timedelta(21))


def test_the_weeks_that_are_over_are_taught_with_past_ones(seasoned: PricingLearner) -> None:
    found = [over(seasoned, number)[0] for number in range(14)]
    seasoned.memory.weeks, last = found[6], found[13]
    drawn = seasoned.memory.replayed_weeks(last.take(np.arange(5)), 2, seed=1)
    keys, counts = np.unique(drawn.keys, return_counts=True)
    assert len(keys) == 5 + 10
    assert set(last.keys[:5]) <= set(keys)
    assert set(counts) == {3}  # all are of the last four weeks
    other = seasoned.memory.replayed_weeks(last.take(np.arange(5)), 2, seed=2)
    assert not np.array_equal(np.unique(other.keys), keys)
    assert len(seasoned.memory.replayed_weeks(last.take(np.arange(0)), 2, seed=1)) == 0


def test_weeks_come_back_from_a_bundle(priced: PricingLearner, tmp_path: Path) -> None:
    saved(priced, tmp_path / "bundle")
    again = PricingLearner.load(tmp_path / "bundle", SETTINGS)
    assert len(priced.memory.weeks) > 0
    assert np.array_equal(again.memory.weeks.keys, priced.memory.weeks.keys)
    assert np.array_equal(again.memory.weeks.labels, priced.memory.weeks.labels, equal_nan=True)

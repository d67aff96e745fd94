"""Labels that are known late: none is a negative before its time, and each is learned once."""

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from lightning_modules.behavior.fading import WINDOW
from lightning_modules.behavior.happened import day_number
from lightning_modules.behavior.learner import BehaviorLearner
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, shop_day

WEEK = 7


def learner_of(*bought: tuple[int, str, str], days: int, left_out: int = -1) -> BehaviorLearner:
    """A learner without parameters that has seen (day, user, category) purchases."""
    learner = BehaviorLearner.new({**SETTINGS, "waiting_share": 1.0, "rows_a_user": 100})
    for number in range(days):
        if number != left_out:
            take_in(learner, number, *bought)
    return learner


def take_in(learner: BehaviorLearner, number: int, *bought: tuple[int, str, str]) -> None:
    """One day; a passer-by buys some soap every day, so that no day is closed."""
    today = shop_day(FIRST + timedelta(number), *rows_of(number, *bought))
    units = learner.examples(today) if number else None
    learner.absorb(today, units, None)


def rows_of(number: int, *bought: tuple[int, str, str]) -> list[dict[str, Any]]:
    chosen = [(user, category) for day, user, category in bought if day == number]
    return [{"user_id": u, "item_id": c} for u, c in [("passer-by", "soap"), *chosen]]


def late_labels(learner: BehaviorLearner, number: int, user: str, *bought: Any) -> dict[Any, int]:
    """The late labels that this day's examples bring, by (day of the row, category)."""
    units = learner.examples(shop_day(FIRST + timedelta(number), *rows_of(number, *bought)))
    one = units.take(units.unit_ids == user)
    names = np.array(list(learner.known.words.categories.row_of))[learner.known.categories]
    ripe = one.views.buy_7 >= 0
    days = one.views.day[one.views.view[ripe]].astype(int) - day_number(FIRST)
    found = zip(days, names[one.views.column[ripe]], one.views.buy_7[ripe], strict=True)
    return {(int(day), str(name)): int(label) for day, name, label in found}


def test_a_row_has_no_late_label_before_its_seventh_day_has_ended() -> None:
    known = [(0, "a", "wine"), (0, "a", "milk")]
    learner = learner_of(*known, days=2)
    for number in range(2, WEEK):
        assert late_labels(learner, number, "a") == {}
        assert (learner.waiting.views.buy_7 == -1).all()
        take_in(learner, number)
    assert {day for day, _ in late_labels(learner, WEEK, "a")} == {1}


def test_the_late_label_says_what_was_bought_within_seven_days() -> None:
    known = [(0, "a", "wine"), (0, "a", "milk"), (0, "a", "fruit")]
    later = [(1, "a", "wine"), (7, "a", "milk"), (8, "a", "fruit")]
    learner = learner_of(*known, *later, days=WEEK)
    first = late_labels(learner, WEEK, "a", *later)
    assert [first[1, name] for name in ("wine", "milk", "fruit")] == [1, 1, 0]
    take_in(learner, WEEK, *later)
    second = late_labels(learner, WEEK + 1, "a", *later)
    assert [second[2, name] for name in ("wine", "milk", "fruit")] == [0, 1, 1]


def test_each_row_is_learned_once_per_label() -> None:
    learner = learner_of((0, "a", "wine"), days=1)
    early, late = Counter[Any](), Counter[Any]()
    for number in range(1, 20):
        units = learner.examples(shop_day(FIRST + timedelta(number), *rows_of(number)))
        views = units.views
        day = views.day[views.view].astype(int) - day_number(FIRST)
        rows = list(zip(day, views.user[views.view], views.column, strict=True))
        early.update(row for row, label in zip(rows, views.buy_1, strict=True) if label >= 0)
        late.update(row for row, label in zip(rows, views.buy_7, strict=True) if label >= 0)
        take_in(learner, number)
    assert set(early.values()) == set(late.values()) == {1}
    assert set(late) == {row for row in early if row[0] <= 20 - WEEK}


def test_a_row_brings_its_features_of_the_day_it_is_from() -> None:
    learner = learner_of((0, "a", "wine"), (3, "a", "milk"), days=1)
    units = learner.examples(shop_day(FIRST + timedelta(1), *rows_of(1)))
    new = units.take(units.unit_ids == "a").views
    for number in range(1, WEEK):
        take_in(learner, number, (3, "a", "milk"))
    units = learner.examples(shop_day(FIRST + timedelta(WEEK), *rows_of(WEEK)))
    both = units.take(units.unit_ids == "a").views
    old = both.take(both.day == new.day[0])
    for name in ("inputs", "features", "bits", "past_category"):
        assert np.array_equal(getattr(old, name), getattr(new, name))
    assert (old.buy_1 == -1).all()
    assert not old.watched.any()


def test_a_closed_day_makes_the_labels_wait_for_the_next_one() -> None:
    learner = learner_of((0, "a", "wine"), days=WEEK)
    closed = shop_day(FIRST + timedelta(WEEK))
    units = learner.examples(closed)
    assert len(units) == 0
    learner.absorb(closed, units, np.zeros(0, bool))
    assert {day for day, _ in late_labels(learner, WEEK + 1, "a")} == {1, 2}


def test_a_window_with_a_day_never_taken_in_gets_no_label() -> None:
    learner = learner_of((0, "a", "wine"), days=WEEK, left_out=3)
    labels: dict[Any, int] = {}
    for number in range(WEEK, WEEK + 6):
        labels |= late_labels(learner, number, "a")
        take_in(learner, number)
    assert {day for day, _ in labels} == {4, 5, 6}


@pytest.mark.parametrize("gap", [30, 35, 38, 40, 400])
@pytest.mark.parametrize("closed", [True, False])
def test_after_a_long_gap_a_row_has_no_label_and_leaves(gap: int, closed: bool) -> None:
    """Days that were taken in without their units, or not at all, and a purchase long ago."""
    learner = learner_of((0, "a", "wine"), (1, "a", "wine"), days=2)
    if closed:
        for number in range(2, gap):
            learner.absorb(shop_day(FIRST + timedelta(number)), None, None)
    known = closed and gap - 1 < WINDOW
    labels = late_labels(learner, gap, "a")
    assert labels.get((1, "wine")) == (1 if known else None)
    assert bool(labels) == known
    take_in(learner, gap)
    assert (learner.waiting.views.day == day_number(FIRST) + gap).all()


def test_what_was_served_is_judged_when_its_seven_days_are_over(fitted: BehaviorLearner) -> None:
    served: dict[int, Any] = {}
    for number in range(20, 30):
        day = FIRST + timedelta(number)
        views_then = dict(zip(fitted.waiting.days, fitted.waiting.served, strict=True))
        served |= {d: array.copy() for d, array in views_then.items()}
        today = shop_day(day, {"user_id": "u1", "item_id": "wine"}, {"user_id": "u2"})
        units = fitted.examples(today)
        begin = day_number(day) - WEEK + 1
        if begin in served:
            assert np.array_equal(units.served, served[begin])
            assert units.bought.sum() >= 2
            table = fitted.quality(units, fitted.naive_scores(units))
            assert table["served_log_loss_7"].notna().all()
        else:
            assert np.isnan(units.served).all()
        fitted.fine_tune(units, np.zeros(len(units), bool), update={"replay": 8}, seed=number)
        fitted.absorb(today, units, np.zeros(len(units), bool))
    assert len(fitted.waiting.days) <= WEEK + 1
    assert len(served) == 9

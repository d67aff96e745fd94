"""The figures of behavior: the right rows, labels in their time, known values."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.behavior_rivals import BASE, FREQUENCY, SGD, Rivals, Trees, rivals
from benchmarks.behavior_rows import Outcomes, sampled
from benchmarks.findings import DifferentRowsError
from benchmarks.quality_behavior import Recorder, calibration_error, measures
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import ShopDay
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, day_of_trade, shop_day

LEARN_FROM = FIRST + dt.timedelta(8)
START, END = FIRST + dt.timedelta(16), FIRST + dt.timedelta(26)
CLOSED = FIRST + dt.timedelta(20)


def days() -> list[ShopDay]:
    every = [FIRST + dt.timedelta(number) for number in range((END - FIRST).days + 1)]
    return [shop_day(day) if day == CLOSED else day_of_trade(day) for day in every]


def recorded() -> Recorder:
    """The naive rival as champion."""
    learner, recorder = BehaviorLearner.new(SETTINGS), Recorder()
    for day in days():
        units = learner.examples(day) if day.day >= LEARN_FROM else None
        if units is not None and day.day >= START:
            recorder.record(day.day, units, {"champion": learner.naive_scores(units)})
        learner.absorb(day, units, None)
    return recorder


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> Rivals:
    """The rivals without the trees, whose package need not be there."""
    monkeypatch.setattr(Trees, "retrain", lambda *_: None)
    monkeypatch.setattr(Trees, "scores", lambda *_: {})
    return rivals(days(), START, END, settings=SETTINGS, learn_from=LEARN_FROM)


def test_all_methods_are_judged_on_the_same_rows(simple: Rivals) -> None:
    recorder = recorded()
    recorder.join(simple)
    assert set(recorder.scores) == {"champion", BASE, FREQUENCY, SGD}
    found = {(one.method, one.measure): one for one in recorder.findings({"champion": 1.5})}
    assert len({(one.days, one.rows) for one in found.values() if "day" in one.measure}) == 1
    assert found["champion", "AUC, next day"].days == 10
    assert found["champion", "AUC, next week"].days == 4
    for measure in ("AUC, next day", "log loss, next week"):
        ours, theirs = found["champion", measure].value, found[FREQUENCY, measure].value
        assert ours == pytest.approx(theirs)
    assert found["champion", "AUC, next day"].cpu_seconds == 1.5
    assert found["champion", "AUC, next day"].met is not None


def test_rivals_of_other_rows_do_not_join(simple: Rivals) -> None:
    day = min(simple.rows)
    simple.rows[day] = replace(simple.rows[day], column=simple.rows[day].column[::-1])
    with pytest.raises(DifferentRowsError, match=str(day)):
        recorded().join(simple)


def test_rows_are_a_sample_of_the_days_own() -> None:
    learner = BehaviorLearner.new(SETTINGS)
    for day in days()[:10]:
        learner.absorb(day, learner.examples(day) if day.day >= LEARN_FROM else None, None)
    units = learner.examples(days()[10])
    rows = sampled(units, 20)
    assert len(np.unique(rows.place)) == 20
    assert (units.views.buy_1[rows.place] >= 0).all()
    assert len(sampled(units).place) == 12 * 5


def test_a_week_is_known_when_it_has_ended() -> None:
    learner, outcomes = BehaviorLearner.new(SETTINGS), Outcomes()
    for day in days()[:8]:
        learner.absorb(day, None, None)
    rows = None
    for day in days()[8:15]:
        units = learner.examples(day)
        rows = rows or sampled(units)
        assert outcomes.within(LEARN_FROM, 7, rows) is None
        outcomes.record(day.day, units)
        learner.absorb(day, units, None)
    assert rows is not None
    week, first = outcomes.within(LEARN_FROM, 7, rows), outcomes.within(LEARN_FROM, 1, rows)
    assert week is not None
    assert first is not None
    assert week.sum() > first.sum() > 0
    assert (week | ~first).all()


def test_known_values() -> None:
    label = np.array([False, True, False, True])
    area, precision, loss = measures(label, np.array([0.1, 0.4, 0.35, 0.8]))
    assert (area, precision) == (1.0, 1.0)
    assert loss == pytest.approx(-np.log([0.9, 0.4, 0.65, 0.8]).mean())
    assert calibration_error(np.array([True, False] * 15), np.full(30, 0.5)) == pytest.approx(0)
    assert calibration_error(np.zeros(30, bool), np.full(30, 0.2)) == pytest.approx(0.2)

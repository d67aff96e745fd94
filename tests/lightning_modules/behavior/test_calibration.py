"""Chances that are too sure are set right, by all that was served, each day once."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.calibration import SLOPE, Calibration, no_rule
from lightning_modules.behavior.learner import BehaviorLearner
from tests.lightning_modules.behavior.small_shop import (
    FIRST,
    SETTINGS,
    day_of_trade,
    learn,
    saved,
)

TODAY = FIRST + timedelta(20)

USERS, COLUMNS = 2000, 4


def chance_of(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-logit))
    return found


def a_day(seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Log-odds (H, C) that are twice too sure, and miss what is special of the last category."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(-1, 1, (USERS, COLUMNS))
    special = np.array([0, 0, 0, 1.0])
    return 2 * truth, generator.random((USERS, COLUMNS)) < chance_of(truth + special)


def taught(days: int) -> Calibration:
    calibration = Calibration(days=7)
    calibration.begin(COLUMNS)
    for day in range(days):
        logit, bought = a_day(day)
        plain = chance_of(logit).astype(np.float16)
        calibration.learn(plain, no_rule(COLUMNS), bought)
    return calibration


def test_untaught_it_changes_nothing() -> None:
    calibration = taught(0)
    chance = np.array([1e-4, 0.2, 0.9], np.float32)
    column = np.array([0, 1, 3], np.int16)
    assert np.allclose(calibration.applied(chance, column), chance, rtol=1e-5)


def test_what_is_too_sure_is_set_right() -> None:
    calibration = taught(40)
    assert 0.4 < calibration.rule[SLOPE] < 0.6
    logit, bought = a_day(99)
    column = np.tile(np.arange(COLUMNS, dtype=np.int16), USERS)
    before = chance_of(logit).astype(np.float32).ravel()
    after = calibration.applied(before, column)
    for kind in range(COLUMNS):
        gap = after[column == kind].mean() - bought[:, kind].mean()
        assert abs(gap) < 0.03
    label = bought.ravel()
    losses = [-np.where(label, np.log(p), np.log1p(-p)).mean() for p in (before, after)]
    assert losses[1] < losses[0] - 0.05


def test_it_learns_the_same_whatever_rule_was_served() -> None:
    logit, bought = a_day(1)
    rule = np.array([-0.2, 0.7, 0.1, 0.0, -0.1, 0.2])
    served = chance_of(rule[0] + rule[1] * (logit + rule[2:]))
    by_rule, plain = taught(3), taught(3)
    by_rule.learn(served.astype(np.float16), rule, bought)
    plain.learn(chance_of(logit).astype(np.float16), no_rule(COLUMNS), bought)
    assert np.allclose(by_rule.rule, plain.rule, atol=0.03)


def test_users_who_were_served_nothing_teach_nothing() -> None:
    logit, bought = a_day(1)
    served = chance_of(logit).astype(np.float16)
    some, few = taught(0), taught(0)
    some.learn(np.where(np.arange(USERS)[:, None] < 50, served, np.nan), some.rule, bought)
    few.learn(served[:50], few.rule, bought[:50])
    assert np.array_equal(some.rule, few.rule)
    before = few.rule
    few.learn(np.full((3, COLUMNS), np.nan, np.float16), few.rule, np.zeros((3, COLUMNS), bool))
    assert np.array_equal(few.rule, before)


def test_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    calibration, again = taught(5), Calibration(days=7)
    calibration.save(tmp_path / "file")
    again.load(tmp_path / "file")
    for one in (calibration, again):
        logit, bought = a_day(7)
        one.learn(chance_of(logit).astype(np.float16), one.rule, bought)
    for name in ("rule", "line", "offsets"):
        assert np.array_equal(getattr(calibration, name), getattr(again, name))


def test_a_learner_sets_its_week_right_and_only_that(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    before = fitted.scores(units)
    rule = fitted.known.calibration.rule.copy()
    rule[SLOPE] = 0.5
    fitted.known.calibration.rule = rule
    after = fitted.scores(units)
    others = [0, 2, 3, 4]
    assert np.array_equal(before[:, others], after[:, others], equal_nan=True)
    logit = [np.log(p / (1 - p)) for p in (before[:, 1], after[:, 1])]
    assert np.allclose(logit[0] / 2, logit[1], atol=1e-3)


def test_a_day_is_learned_from_once_and_late(fitted: BehaviorLearner, tmp_path: Path) -> None:
    """The champion's first served day is over seven days later; nothing was learned before."""
    rules = [fitted.known.calibration.rule.copy()]
    for number in range(8):
        learn(fitted, TODAY + timedelta(number))
        rules.append(fitted.known.calibration.rule.copy())
    moved = [not np.array_equal(a, b) for a, b in pairwise(rules)]
    assert moved == [False] * 7 + [True]
    saved(fitted, tmp_path / "now")
    again = BehaviorLearner.load(tmp_path / "now", SETTINGS)
    assert np.array_equal(again.known.calibration.rule, rules[-1])
    assert all(map(np.array_equal, again.waiting.rules, fitted.waiting.rules))

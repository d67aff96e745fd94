"""Counting event types: known values."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.browsing_rivals import PRIOR, Counts
from benchmarks.browsing_rows import MAJORITY, MARKOV, OWN

DAY = dt.date(2024, 1, 1)
LOOK, BUY = 1, 2


def counted() -> Counts:
    """User 0 looks, looks and buys; user 1 looks; a day later only user 0 comes, and buys."""
    counts = Counts()
    counts.learn(DAY, np.array([0, 1, 0, 0]), np.array([LOOK, LOOK, LOOK, BUY]))
    counts.learn(DAY + dt.timedelta(1), np.array([0]), np.array([BUY]))
    return counts


def test_transitions_are_those_of_a_user_in_order() -> None:
    counts = counted()
    assert counts.start[0, LOOK] == 2
    assert counts.start[BUY, BUY] == 1
    assert counts.within[LOOK, LOOK] == counts.within[LOOK, BUY] == 1
    assert counts.own[0].tolist()[:3] == [0, 2, 2]
    assert counts.kind.tolist() == [BUY, LOOK]
    assert counts.due[1].tolist() == [1, 1]


def test_a_later_event_is_told_by_the_one_before_it() -> None:
    said = counted().of_the_day(np.array([0]), np.array([[LOOK, BUY, 0]]))
    first, later = said[MAJORITY][0, 0], said[MAJORITY][0, 1]
    assert first[[LOOK, BUY]] == pytest.approx([3 / 5, 2 / 5])
    assert later[[LOOK, BUY]] == pytest.approx([1 / 2, 1 / 2])
    assert said[MARKOV][0, 0, BUY] == pytest.approx((1 + PRIOR * 2 / 5) / (1 + PRIOR))
    assert said[MARKOV][0, 1, BUY] == pytest.approx((1 + PRIOR / 2) / (2 + PRIOR))
    assert said[OWN][0, 1, LOOK] == pytest.approx((3 + PRIOR / 2) / (5 + PRIOR))


def test_the_day_itself_is_unknown_before_its_events() -> None:
    one, other = (
        counted().of_the_day(np.array([0]), np.array([[LOOK, kind]])) for kind in (LOOK, BUY)
    )
    for method in one:
        assert np.array_equal(one[method], other[method])


def test_the_start_of_a_day_says_whether_anything_comes() -> None:
    said = counted().of_the_start(DAY + dt.timedelta(2))
    for chance in said.values():
        assert chance.shape[0] == 2
        assert chance.sum(1) == pytest.approx(1)
    assert said[OWN][0, 0] < said[OWN][1, 0]  # user 0 comes more often
    assert said[MAJORITY][0, 0] == said[MAJORITY][1, 0] == pytest.approx(1 / 2)

"""Intervals of what a benchmark found."""

import numpy as np
import pytest

from benchmarks import findings


def test_interval_is_as_wide_as_theory_says() -> None:
    daily = np.random.default_rng(1).normal(size=400)
    low, high = findings.day_interval(daily)
    assert high - low == pytest.approx(2 * 1.96 * daily.std() / 20, rel=0.05)

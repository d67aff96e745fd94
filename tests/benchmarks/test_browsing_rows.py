"""Measures of the next type: known values."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.browsing_rows import (
    CHAMPION,
    MAJORITY,
    MARKOV,
    MOST_TYPES,
    Floats,
    Judged,
    balanced,
    macro_f1,
)
from benchmarks.findings import DifferentRowsError

DAY = dt.date(2024, 1, 1)


def chances(both: tuple[float, float], rows: int) -> Floats:
    """The same of types 1 and 2 in each row."""
    found = np.zeros((rows, MOST_TYPES))
    found[:, 1:3] = both
    return found


def test_rare_types_count_as_much_as_frequent_ones() -> None:
    table = np.array([[0, 0, 0], [0, 6, 2], [0, 1, 1]])  # one type never came
    assert balanced(table) == pytest.approx((6 / 8 + 1 / 2) / 2)
    assert macro_f1(table) == pytest.approx((12 / 15 + 2 / 5) / 2)


def test_days_count_alike_and_the_bar_is_the_better_rival() -> None:
    judged = Judged()
    sure, split = (0.9, 0.1), (0.5, 0.5)
    for number, truth in enumerate(([1, 1], [2], [])):
        rows = np.array(truth, np.int64)
        said = {CHAMPION: sure, MAJORITY: split, MARKOV: (0.2, 0.8)}
        told = {name: chances(both, len(rows)) for name, both in said.items()}
        judged.take(DAY + dt.timedelta(number), rows, told)
    assert judged.rows == 3
    assert judged.accuracy(CHAMPION).tolist() == [1, 0]
    assert judged.log_loss(CHAMPION) == pytest.approx(-np.log([0.9, 0.1]))
    found = {(one.measure, one.method): one for one in judged.findings("here", {CHAMPION: 3})}
    loss = found["log loss, here", CHAMPION]
    assert loss.bar == pytest.approx(np.log(2))
    assert loss.met is False
    assert (loss.days, loss.rows, loss.cpu_seconds) == (2, 3, 3)
    lead = found["log loss, here", f"{CHAMPION} - {MAJORITY}"]
    assert lead.value == pytest.approx(loss.value - np.log(2))
    assert lead.bar is None


def test_a_method_that_leaves_rows_out_is_refused() -> None:
    with pytest.raises(DifferentRowsError, match="champion speaks of 1 rows, not of 2"):
        Judged().take(DAY, np.array([1, 2]), {CHAMPION: chances((1, 0), 1)})

"""Herding: what is kept is in the mean like all that was ever offered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightning_modules.replay import HERDED, POLICIES, kept, moments
from tests.lightning_modules.offered_rows import (
    Rows,
    by_day,
    chosen,
    days_of,
    offered,
    parted,
    rows_of,
)

KEYS = st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=40)


def standard(features: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = features.std(axis=0)
    found: NDArray[np.float64] = (features - features.mean(axis=0)) / np.where(
        spread > 0, spread, 1
    )
    return found


def distance(rows: Rows, of: NDArray[np.uint64]) -> float:
    """From the mean of all rows to that of some, in units of the spread."""
    return float(np.linalg.norm(standard(rows[2])[np.isin(rows[0], of)].mean(axis=0)))


def drifting(days: int, a_day: int) -> list[Rows]:
    """Skewed features that move with the days."""
    generator = np.random.default_rng(5)
    found = []
    for day in range(days):
        keys = generator.integers(0, 2**63, a_day, dtype=np.uint64)
        features = generator.gamma(1.0, 1 + day / days, (a_day, 6)) + day / days
        found.append((keys, np.zeros(a_day, np.int64), features))
    return found


def test_the_herd_is_nearer_to_the_mean_than_a_sample_is() -> None:
    days = drifting(20, 40)
    rows = parted(*days)
    herd, sample = (
        distance(rows, np.array(chosen(policy, 60, rows), np.uint64))
        for policy in ("herding", "uniform")
    )
    assert herd < sample / 5
    herd, sample = (
        distance(rows, by_day(policy, 60, days)[0][0]) for policy in ("herding", "uniform")
    )
    assert herd < sample / 2


def test_the_herd_is_that_of_icarl() -> None:
    rows = parted(*drifting(4, 15))
    standing, taken = standard(rows[2]), list[int]()
    for number in range(1, 21):  # of all, the one with which the mean comes nearest
        mean = [(standing[taken].sum(axis=0) + row) / number for row in standing]
        away = np.linalg.norm(mean, axis=1)
        away[taken] = np.inf
        taken.append(int(np.argmin(away)))
    assert kept("herding", 20, offered(rows)).tolist() == sorted(taken)


def test_the_herd_does_not_ask_for_the_unit_of_a_feature_nor_for_one_that_never_moves() -> None:
    keys, classes, features = parted(*drifting(4, 15))
    other = np.concatenate([features * [1, 2**10, 1, 2**-6, 1, 1], np.full((60, 1), 0.1)], axis=1)
    assert chosen("herding", 20, (keys, classes, other)) == chosen(
        "herding", 20, (keys, classes, features)
    )


@given(keys=KEYS, ends=st.lists(st.integers(0, 40), max_size=6))
def test_the_herds_moments_are_those_of_all_rows_ever_offered(
    keys: list[int], ends: list[int]
) -> None:
    rows = rows_of(keys)
    _, found = by_day("herding", 5, days_of(rows, ends))
    assert found is not None
    count, total, squares = found
    assert (count == len(keys)).all()
    assert np.allclose(total, rows[2].sum(axis=0))
    assert np.allclose(squares, (rows[2] ** 2).sum(axis=0))


def test_a_memory_that_is_herded_from_now_on_begins_with_the_mean_of_what_it_has() -> None:
    rows = rows_of(list(range(30)))
    before = moments("herding", offered(rows, new=4))
    assert before is not None
    assert (before[0] == 30).all()
    for policy in set(POLICIES) - {"herding"}:
        assert moments(policy, offered(rows, new=4, before=before)) is None


def test_a_herd_that_would_take_too_long_is_refused() -> None:
    assert len(kept("herding", HERDED, offered(rows_of([1, 2])))) == 2
    with pytest.raises(ValueError, match=f"replay_size {HERDED + 1}: .* at most {HERDED}"):
        kept("herding", HERDED + 1, offered(rows_of([1, 2])))

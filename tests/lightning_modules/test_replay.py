"""What a memory keeps to be replayed, by each policy."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2

from lightning_modules.replay import (
    FROZEN_SALT,
    HERDED,
    POLICIES,
    Moments,
    Offered,
    few,
    kept,
    lowest,
    moments,
    most_frequent,
)
from tests.lightning_modules.luck import FROZEN, REPLAY, luckiest

ORDERLESS = ("uniform", "balanced")
Rows = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]

KEYS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40)
SOME, MANY = settings(deadline=None), settings(deadline=None, max_examples=300)
EACH_POLICY = pytest.mark.parametrize("policy", sorted(POLICIES))


def rows_of(keys: list[int]) -> Rows:
    """Rows of some five classes, a few much larger than others, and of three features."""
    generator = np.random.default_rng(len(keys))
    classes = np.minimum(generator.geometric(0.4, len(keys)), 5)
    features = generator.normal(classes[:, None], [1.0, 5.0, 0.1], (len(keys), 3))
    return np.array(keys, np.uint64), classes, features


def offered(rows: Rows, new: int | None = None, before: Moments | None = None) -> Offered:
    keys, classes, features = rows
    new = len(keys) if new is None else new
    return Offered(keys, new, lambda: classes, lambda: features, before)


def chosen(policy: str, size: int, rows: Rows) -> list[int]:
    """The keys that are kept of rows offered at once."""
    keys: list[int] = rows[0][kept(policy, size, offered(rows))].tolist()
    return keys


def by_day(policy: str, size: int, days: list[Rows]) -> tuple[Rows, Moments | None]:
    """What is remembered after rows were offered day by day, and the policy's moments."""
    nothing = days[0][0][:0], days[0][1][:0], days[0][2][:0]
    remembered: Rows = nothing
    before = None
    for day in days:
        rows = parted(remembered, day)
        asking = offered(rows, len(day[0]), before)
        remembered, before = at(rows, kept(policy, size, asking)), moments(policy, asking)
    return remembered, before


def parted(*parts: Rows) -> Rows:
    keys, classes, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    return keys, classes, features


def at(rows: Rows, places: NDArray[Any]) -> Rows:
    keys, classes, features = rows
    return keys[places], classes[places], features[places]


def days_of(rows: Rows, ends: list[int]) -> list[Rows]:
    """The rows parted at some places."""
    parts = np.split(np.arange(len(rows[0])), sorted(end % (len(rows[0]) + 1) for end in ends))
    return [at(rows, part) for part in parts]


@EACH_POLICY
@SOME
@given(keys=KEYS, size=st.integers(0, 50))
def test_a_memory_is_full_or_has_all_and_no_row_twice(
    policy: str, keys: list[int], size: int
) -> None:
    rows = rows_of(keys)
    places = kept(policy, size, offered(rows))
    assert len(places) == min(size, len(keys))
    assert (np.diff(places) > 0).all()
    assert np.isin(places, np.arange(len(keys))).all()
    assert np.array_equal(places, kept(policy, size, offered(rows)))


@pytest.mark.parametrize("policy", ORDERLESS)
@SOME
@given(keys=KEYS, size=st.integers(0, 30), seed=st.integers(0, 99))
def test_the_order_of_offering_does_not_matter(
    policy: str, keys: list[int], size: int, seed: int
) -> None:
    rows = rows_of(keys)
    other = at(rows, np.random.default_rng(seed).permutation(len(keys)))
    assert sorted(chosen(policy, size, other)) == sorted(chosen(policy, size, rows))


@pytest.mark.parametrize("policy", [*ORDERLESS, "newest"])
@MANY
@given(keys=KEYS, size=st.integers(0, 30), ends=st.lists(st.integers(0, 40), max_size=6))
def test_day_by_day_keeps_what_is_kept_of_all_days_at_once(
    policy: str, keys: list[int], size: int, ends: list[int]
) -> None:
    rows = rows_of(keys)
    remembered, _ = by_day(policy, size, days_of(rows, ends))
    assert remembered[0].tolist() == chosen(policy, size, rows)


@SOME
@given(keys=KEYS, size=st.integers(0, 30))
def test_uniform_keeps_the_lowest_hashes_and_newest_the_last_rows(
    keys: list[int], size: int
) -> None:
    rows = rows_of(keys)
    assert sorted(chosen("uniform", size, rows)) == sorted(luckiest(keys, REPLAY, size))
    assert chosen("newest", size, rows) == keys[max(0, len(keys) - size) :]


@pytest.mark.parametrize("policy", ORDERLESS)
def test_each_row_of_a_class_has_the_same_chance_of_a_place(policy: str) -> None:
    count, size, draws = 40, 10, 2000
    generator = np.random.default_rng(1)
    found = np.zeros(count)
    for _ in range(draws):
        keys = generator.integers(0, 2**63, count, dtype=np.uint64)
        rows = keys, np.zeros(count, np.int64), np.zeros((count, 1))
        found += np.isin(keys, by_day(policy, size, days_of(rows, [7, 20]))[0][0])
    share = size / count
    even = ((found - draws * share) ** 2).sum() / (draws * share * (1 - share))
    even *= (count - 1) / count  # without replacement: the numbers are tied by their sum
    assert chi2.ppf(0.001, count - 1) < even < chi2.ppf(0.999, count - 1)


@MANY
@given(keys=KEYS, size=st.integers(0, 40))
def test_balanced_takes_from_the_largest_classes_only(keys: list[int], size: int) -> None:
    rows = rows_of(keys)
    places = kept("balanced", size, offered(rows))
    had, has = Counter(rows[1].tolist()), Counter(rows[1][places].tolist())
    most = max(has.values(), default=0)
    for one, number in had.items():
        assert has[one] == number or has[one] >= most - 1
        mine = [key for key, of in zip(keys, rows[1].tolist(), strict=True) if of == one]
        assert set(luckiest(mine, REPLAY, has[one])) <= set(rows[0][places].tolist())


def test_a_small_class_keeps_all_and_its_other_places_go_to_the_larger() -> None:
    sizes = [200, 100, 3, 50]
    keys = list(range(sum(sizes)))
    classes = np.repeat(np.arange(4), sizes)
    rows = np.array(keys, np.uint64), classes, np.zeros((len(keys), 1))
    places = kept("balanced", 93, offered(rows))
    assert np.bincount(classes[places]).tolist() == [30, 30, 3, 30]


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


@SOME
@given(keys=KEYS.filter(bool), ends=st.lists(st.integers(0, 40), max_size=6))
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


@pytest.mark.parametrize("unused", ["classes", "features"])
@pytest.mark.parametrize("policy", ["uniform", "newest"])
def test_who_goes_by_luck_or_age_asks_for_nothing_else(policy: str, unused: str) -> None:
    def refuse() -> NDArray[Any]:
        raise AssertionError(unused)

    asking = Offered(np.arange(9, dtype=np.uint64), 9, refuse, refuse)
    assert len(kept(policy, 3, asking)) == 3
    assert moments(policy, asking) is None


def test_an_unknown_policy_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"'reservoir' is none of \['balanced', 'herding', 'n"):
        kept("reservoir", 100, offered(rows_of([1, 2])))


def test_a_herd_that_would_take_too_long_is_refused() -> None:
    assert len(kept("herding", HERDED, offered(rows_of([1, 2])))) == 2
    with pytest.raises(ValueError, match=f"replay_size {HERDED + 1}: .* at most {HERDED}"):
        kept("herding", HERDED + 1, offered(rows_of([1, 2])))


def test_a_row_is_of_the_class_it_has_most_of() -> None:
    keys = np.arange(4, dtype=np.uint64)
    owner, label = np.array([3, 0, 0, 0, 3, 3]), np.array([9, 5, 7, 5, 4, 4])
    assert most_frequent(owner, label, keys).tolist() == [5, -1, -1, 4]
    assert most_frequent(owner[:0], label[:0], keys).tolist() == [-1] * 4


def test_of_equal_classes_hash_decides() -> None:
    keys = np.random.default_rng(2).integers(0, 2**63, 3000, dtype=np.uint64)
    owner, label = np.repeat(np.arange(3000), 3), np.tile([4, 1, 8], 3000)
    shares = np.bincount(most_frequent(owner, label, keys))[[1, 4, 8]] / 3000
    assert np.abs(shares - 1 / 3).max() < 0.04


@SOME
@given(keys=KEYS, count=st.integers(0, 50))
def test_few_are_the_luckiest_of_the_wanted(keys: list[int], count: int) -> None:
    wanted = np.arange(len(keys)) % 3 > 0
    array = np.array(keys, np.uint64)
    found = array[few(array, wanted, count)].tolist()
    assert sorted(found) == sorted(luckiest(array[wanted], FROZEN, count))
    places = lowest(array, FROZEN_SALT, count)
    assert sorted(array[places].tolist()) == sorted(luckiest(keys, FROZEN, count))
    assert (np.diff(places) > 0).all()

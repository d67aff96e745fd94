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
    POLICIES,
    Offered,
    few,
    kept,
    lowest,
    moments,
    most_frequent,
)
from tests.lightning_modules.luck import FROZEN, REPLAY, luckiest
from tests.lightning_modules.offered_rows import at, by_day, chosen, days_of, offered, rows_of

ORDERLESS = ("uniform", "balanced")
KEYS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40)
MANY = settings(max_examples=300)
EACH_POLICY = pytest.mark.parametrize("policy", sorted(POLICIES))


@EACH_POLICY
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


@pytest.mark.parametrize("policy", ["uniform", "newest"])
def test_who_goes_by_luck_or_age_asks_for_nothing_else(policy: str) -> None:
    def refuse() -> NDArray[Any]:
        raise AssertionError(policy)

    asking = Offered(np.arange(9, dtype=np.uint64), 9, refuse, refuse)
    assert len(kept(policy, 3, asking)) == 3
    assert moments(policy, asking) is None


def test_an_unknown_policy_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"'reservoir' is none of \['balanced', 'herding', 'n"):
        kept("reservoir", 100, offered(rows_of([1, 2])))


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


@given(keys=KEYS, count=st.integers(0, 50))
def test_few_are_the_luckiest_of_the_wanted(keys: list[int], count: int) -> None:
    wanted = np.arange(len(keys)) % 3 > 0
    array = np.array(keys, np.uint64)
    found = array[few(array, wanted, count)].tolist()
    assert sorted(found) == sorted(luckiest(array[wanted], FROZEN, count))
    places = lowest(array, FROZEN_SALT, count)
    assert sorted(array[places].tolist()) == sorted(luckiest(keys, FROZEN, count))
    assert (np.diff(places) > 0).all()

"""Items in one basket: counted by the day, in bounds, and what support and lift say."""

import numpy as np
import pytest

from lightning_modules.recommendation.tables import item_of
from lightning_modules.recommendation.together import (
    PRIOR_BASKETS,
    TOGETHER_TAU,
    Together,
    pairs_of_baskets,
    rules,
)

PLENTY = 10_000


def day_of_baskets(seed: int, baskets: int = 30, items: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Distinct (basket, item) rows; every item has the same chance."""
    generator = np.random.default_rng(seed)
    rows = np.argwhere(generator.random((baskets, items)) < 0.4)
    return rows[:, 0], rows[:, 1]


def test_pairs_are_those_of_one_basket() -> None:
    basket, item = np.array([0, 0, 0, 1, 1, 2]), np.array([5, 2, 9, 2, 5, 7])
    keys, count = pairs_of_baskets(basket, item)
    assert list(
        zip((keys >> 32).tolist(), item_of(keys).tolist(), count.tolist(), strict=True)
    ) == [
        (2, 5, 2.0),
        (2, 9, 1.0),
        (5, 9, 1.0),
    ]


def test_day_by_day_is_the_same_as_all_at_once() -> None:
    table = Together()
    whole: dict[tuple[int, int], float] = {}
    alone = np.zeros(12)
    total = 0.0
    for day in (100, 101, 105, 130):
        basket, item = day_of_baskets(day)
        table.absorb(basket, item, day, PLENTY)
        by = np.exp((day - 130) / TOGETHER_TAU)
        total += by * len(np.unique(basket))
        alone += by * np.bincount(item, minlength=12)
        for one in np.unique(basket):
            inside = np.sort(item[basket == one])
            for place, first in enumerate(inside):
                for second in inside[place + 1 :]:
                    key = (int(first), int(second))
                    whole[key] = whole.get(key, 0.0) + by
    found = dict(
        zip(
            zip((table.key >> 32).tolist(), item_of(table.key).tolist(), strict=True),
            table.pair_baskets.tolist(),
            strict=True,
        )
    )
    assert found == pytest.approx(whole, rel=1e-5)
    assert table.item_baskets == pytest.approx(alone, rel=1e-5)
    assert table.baskets == pytest.approx(total)


def test_the_order_of_rows_does_not_matter() -> None:
    basket, item = day_of_baskets(1)
    one, other = Together(), Together()
    one.absorb(basket, item, 100, PLENTY)
    other.absorb(basket[::-1], item[::-1], 100, PLENTY)
    for name, array in one.arrays().items():
        assert np.array_equal(array, other.arrays()[name]), name


def test_memory_is_bounded_and_the_frequent_stay() -> None:
    table = Together()
    for day in range(100, 110):
        basket, item = day_of_baskets(day)
        basket = np.concatenate([basket, np.repeat(np.arange(90, 99), 2)])
        item = np.concatenate([item, np.tile([20, 21], 9)])
        table.absorb(basket, item, day, 50 if day == 109 else PLENTY)
    assert len(table.key) == 50
    assert (20, 21) in zip((table.key >> 32).tolist(), item_of(table.key).tolist(), strict=True)
    assert (np.diff(table.key) > 0).all()


def test_lift_by_hand() -> None:
    # Ten baskets: 0 and 1 are together in four of them, 0 is in five, 1 in six; the rest hold 2.
    inside = [(0, 1)] * 4 + [(0,)] + [(1,)] * 2 + [(2,)] * 3
    basket = np.repeat(np.arange(10), [len(items) for items in inside])
    table = Together()
    table.absorb(basket, np.concatenate([np.array(items) for items in inside]), 100, PLENTY)
    found = rules(table, 100, 10)
    assert list(zip(found.a.tolist(), found.b.tolist(), found.rank.tolist(), strict=True)) == [
        (0, 1, 1),
        (1, 0, 1),
    ]
    assert found.support == pytest.approx([0.4, 0.4])
    assert found.confidence == pytest.approx([4 / (5 + PRIOR_BASKETS), 4 / (6 + PRIOR_BASKETS)])
    lift = 4 * 10 / ((5 + PRIOR_BASKETS) * (6 + PRIOR_BASKETS))
    assert found.lift == pytest.approx([lift, lift])


def test_a_list_of_partners_is_short_and_best_first() -> None:
    table = Together()
    for day in range(100, 104):
        table.absorb(*day_of_baskets(day), day, PLENTY)
    found = rules(table, 104, 3)
    for item in range(12):
        mine = found.a == item
        assert found.rank[mine].tolist() == [1, 2, 3]
        share = table.item_baskets[found.b[mine]] + PRIOR_BASKETS
        assert (np.diff(found.confidence[mine] / np.sqrt(share)) <= 1e-6).all()

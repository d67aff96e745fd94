"""Counters that fade, and the file they are kept in."""

from pathlib import Path

import numpy as np
import pytest

from lightning_modules.recommendation.offers import Offers
from lightning_modules.recommendation.pairs import PAIR_TAUS
from lightning_modules.recommendation.purchases import Purchases
from lightning_modules.recommendation.state import (
    BASKET_TAU,
    ITEM_TAUS,
    MARKDOWN_TAUS,
    ShopState,
)
from lightning_modules.recommendation.state_file import load_state, save_state
from lightning_modules.recommendation.tables import fade, pair_keys


def lived(*days: tuple[int, list[tuple[int, int]]]) -> ShopState:
    state = ShopState()
    for day, pairs in days:
        users, items = np.array(pairs, np.int64).reshape(-1, 2).T
        state.absorb(users, items, day)
    return state


def test_a_day_of_sessions_counts_items_and_pairs_alone() -> None:
    baskets = Purchases(
        user_ids=["s", "t"],
        item_ids=["a", "b"],
        user=np.array([0, 0, 1]),
        item=np.array([0, 1, 1]),
        channels=["", ""],
        user_money=np.ones((2, 2), np.float32),
        item_money=np.array([[1, 4], [2, 8]], np.float32),
        basket=np.array([0, 0, 1]),
        basket_item=np.array([0, 1, 1]),
    )
    state = ShopState()
    state.absorb_sessions(np.array([5, 3]), baskets, 100, 10)
    assert state.items.buyers[[5, 3]].tolist() == [1, 2]
    assert state.items.spent[[5, 3], 0].tolist() == [4, 8]
    assert state.together.key.tolist() == pair_keys(np.array([3]), np.array([5])).tolist()
    assert (len(state.users.last), len(state.pairs.key), state.users.saved.sum()) == (1, 0, 0)
    with pytest.raises(ValueError, match="taken in already"):
        state.absorb_sessions(np.array([5, 3]), baskets, 100, 10)


def test_a_counter_is_the_sum_of_its_faded_purchases() -> None:
    state = lived((100, [(0, 0)]), (103, [(0, 0), (1, 0)]), (110, [(1, 1)]))
    pair = int(np.searchsorted(state.pairs.key, pair_keys(np.array([0]), np.array([0]))[0]))
    now = fade(state.pairs.faded[[pair]], state.pairs.last[[pair]], 120, PAIR_TAUS)[0]
    assert now == pytest.approx(np.exp(-20 / PAIR_TAUS) + np.exp(-17 / PAIR_TAUS), rel=1e-5)
    sold = fade(state.items.sold[:1], state.items.last[:1], 120, ITEM_TAUS)[0]
    assert sold == pytest.approx(np.exp(-20 / ITEM_TAUS) + 2 * np.exp(-17 / ITEM_TAUS), rel=1e-5)
    assert (state.pairs.count[pair], state.pairs.first[pair], state.pairs.last[pair]) == (
        2,
        100,
        103,
    )


def test_visits_baskets_and_first_times_of_a_user() -> None:
    state = lived((100, [(0, 0), (0, 1)]), (160, [(0, 1), (0, 2), (0, 3)]))
    assert state.users.count[0] == 2
    assert state.users.visits[0] == pytest.approx(1 + np.exp(-60 / PAIR_TAUS), rel=1e-5)
    assert state.users.basket[0] == pytest.approx(3 + 2 * np.exp(-60 / BASKET_TAU))
    assert state.users.firsts[0] == pytest.approx(2 + 2 * np.exp(-60 / BASKET_TAU))
    assert state.items.buyers.tolist() == [1, 1, 1, 1]
    assert state.items.repeats.tolist() == [0, 1, 0, 0]
    assert state.pairs.visit.tolist() == [1, 2, 2, 2]


def test_a_closed_day_changes_nothing_but_the_date() -> None:
    open_only = lived((100, [(0, 0)]), (103, [(0, 1)]))
    with_closed = lived((100, [(0, 0)]), (101, []), (102, []), (103, [(0, 1)]))
    for name in ("users", "items", "pairs"):
        for column, array in getattr(open_only, name).arrays().items():
            assert np.array_equal(array, getattr(with_closed, name).arrays()[column])


def test_pairs_stay_sorted_whatever_the_order_of_arrival() -> None:
    state = lived((100, [(3, 1), (0, 5)]), (101, [(2, 2), (0, 1), (3, 0)]))
    assert (np.diff(state.pairs.key) > 0).all()
    assert state.pairs.item.tolist() == [1, 5, 2, 0, 1]


def test_a_day_cannot_come_twice_or_late() -> None:
    state = lived((100, [(0, 0)]))
    for day in (100, 99):
        with pytest.raises(ValueError, match="already"):
            state.absorb(np.array([0]), np.array([0]), day)


def test_a_file_brings_back_the_tables_bit_for_bit(tmp_path: Path) -> None:
    state = lived((100, [(0, 0), (2, 1)]), (103, [(0, 0), (1, 0)]), (110, [(1, 1)]))
    state.together.absorb(np.array([0, 0, 1]), np.array([0, 1, 1]), 110, 10)
    key = pair_keys(np.array([0, 2]), np.array([1, 0]))
    state.offers = Offers(key, np.array([1, 3], np.uint8), np.array([112, 115], np.uint16))
    save_state(state, tmp_path / "state.safetensors")
    again = load_state(tmp_path / "state.safetensors")
    assert again.day == 110
    for name in ("users", "items", "pairs", "offers", "together"):
        for column, array in getattr(state, name).arrays().items():
            found = getattr(again, name).arrays()[column]
            assert found.dtype == array.dtype, column
            assert np.array_equal(found, array), column


def test_gaps_and_spread_of_a_pair() -> None:
    state = lived((100, [(0, 0)]), (104, [(0, 0), (0, 1)]), (110, [(0, 0)]))
    assert state.pairs.gap.tolist() == [6, 0]
    assert state.pairs.spread.tolist() == [4**2 + 6**2, 0]
    assert state.pairs.recent.tolist() == [0b111, 0b1]


def test_money_fades_and_the_last_known_channel_stays() -> None:
    state, nobody = ShopState(), np.zeros(0, np.int64)
    for day, channel in ((100, 3), (130, 0)):
        state.absorb(np.array([0]), np.array([0]), day)
        money = np.array([[1.0, 4.0]], np.float32)
        bought = Purchases(["u"], ["i"], nobody, nobody, [""], money, money, nobody, nobody)
        row = np.array([0])
        state.absorb_baskets(row, row, np.array([channel]), bought, 10)
    assert state.users.spent[0] == pytest.approx(4 + 4 * np.exp(-30 / BASKET_TAU))
    assert state.items.saved[0] == pytest.approx(1 + np.exp(-30 / MARKDOWN_TAUS))
    assert state.users.channel.tolist() == [3]

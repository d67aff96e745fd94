"""A household's items are bounded, and nothing changes where the bound is not reached."""

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.pairs import LASTING, PAIR_TAUS
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import fade
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    live_through,
    saved,
)

USERS, ITEMS = 3, 8
Trade = list[tuple[int, list[tuple[int, int]]]]
# Days, each with the number of days since the one before and the (user, item) bought on it.
TRADE = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.lists(
            st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1)),
            unique=True,
            max_size=12,
        ),
    ),
    max_size=8,
)


def lived(
    state: ShopState, gap: int, bought: list[tuple[int, int]], most: int | None
) -> ShopState:
    """A copy that has taken in one more day."""
    later = copy.deepcopy(state)
    users, items = np.array(bought, np.int64).reshape(-1, 2).T
    later.absorb(users, items, (state.day or 100) + gap, most)
    return later


def arrays(state: ShopState) -> dict[str, NDArray[Any]]:
    tables = {"users": state.users, "items": state.items, "pairs": state.pairs}
    return {f"{name}/{k}": v for name, table in tables.items() for k, v in table.arrays().items()}


@given(TRADE, st.integers(1, ITEMS))
def test_a_household_keeps_the_items_that_it_bought_most(trade: Trade, most: int) -> None:
    state = ShopState()
    for gap, bought in trade:
        whole, state = lived(state, gap, bought, None), lived(state, gap, bought, most)
        assert np.bincount(state.pairs.user).max(initial=0) <= most
        kept = np.isin(whole.pairs.key, state.pairs.key)
        for name, column in state.pairs.arrays().items():
            assert (column == getattr(whole.pairs, name)[kept]).all(), name
        pairs = whole.pairs
        score = fade(pairs.faded[:, LASTING], pairs.last, whole.day, PAIR_TAUS[LASTING])
        for user in np.unique(pairs.user[~kept]):
            own = pairs.user == user
            assert (own & kept).sum() == most
            assert score[own & kept].min() >= score[own & ~kept].max()
            assert user in {user for user, _ in bought}


@given(TRADE)
def test_a_bound_that_is_not_reached_changes_nothing(trade: Trade) -> None:
    free = bounded = ShopState()
    for gap, bought in trade:
        free, bounded = lived(free, gap, bought, None), lived(bounded, gap, bought, ITEMS)
    for name, column in arrays(free).items():
        assert (column == arrays(bounded)[name]).all(), name


def test_what_was_let_go_starts_anew() -> None:
    state = ShopState()
    for bought in ([(0, 1)], [(0, 2)], [(0, 1)]):
        state = lived(state, 10, bought, 1)
    assert state.pairs.item.tolist() == [1]
    assert state.pairs.count.tolist() == [1]


@pytest.mark.parametrize("most", [8, 15])
def test_a_list_holds_no_more_of_its_own_than_the_bound(most: int, tmp_path: Path) -> None:
    told = SETTINGS | {"most_items": most}
    free, bounded = (RecommendationLearner.new(one) for one in (SETTINGS, told))
    for number in range(10):
        for learner in (free, bounded):
            live_through(learner, FIRST + timedelta(number))
    own = [np.bincount(learner.state.pairs.user).max() for learner in (free, bounded)]
    assert own == [15, most]  # a household has fifteen favourites
    same = saved(free, tmp_path / "free") == saved(bounded, tmp_path / "bounded")
    assert same == (most == 15)


@pytest.mark.parametrize("most", [0, -1])
def test_a_bound_below_one_is_refused(most: int) -> None:
    with pytest.raises(ValueError, match=f"most_items is {most}: it must be at least 1"):
        RecommendationLearner.new({"most_items": most})

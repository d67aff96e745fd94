"""What the nearest users buy, against the same by hand."""

from datetime import timedelta

import numpy as np
import pytest

from lightning_modules.recommendation import neighbours
from lightning_modules.recommendation.candidates import Candidates, histories
from lightning_modules.recommendation.day_lists import day_number
from lightning_modules.recommendation.lists import starts
from lightning_modules.recommendation.neighbours import LEAST_VISITS, neighbour_rates
from lightning_modules.recommendation.state import ShopState
from tests.lightning_modules.recommendation.tiny_shop import FIRST, seasoned

DAY = day_number(FIRST + timedelta(6))


def everything(lists: int, items: int) -> Candidates:
    """Every item for every list."""
    owner, item = np.repeat(np.arange(lists), items), np.tile(np.arange(items), lists)
    nothing = np.zeros(len(owner), np.float32)
    return Candidates(starts(np.full(lists, items)), owner, item, owner, nothing)


def rates_by_hand(state: ShopState) -> np.ndarray:
    users, items = len(state.users.last), len(state.items.last)
    past = histories(state, np.arange(users), DAY)
    rates = np.zeros((users, items))
    rates[past.owner, past.item] = past.faded[:, 3]
    return rates / np.maximum(past.visits[:, 3:], LEAST_VISITS)


@pytest.mark.parametrize("block", [1, 5, 64])
def test_rates_are_the_weighted_mean_of_the_nearest(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "LISTS_AT_ONCE", block)
    state = seasoned(5).state
    rates = rates_by_hand(state)
    unit = np.sqrt(rates) / np.linalg.norm(np.sqrt(rates), axis=1, keepdims=True)
    users = np.array([3, 0, 11])
    near = unit[users] @ unit.T
    near[np.arange(3), users] = 0
    expected = np.zeros((3, rates.shape[1]))
    for place in range(3):
        best = np.argsort(-near[place])[:4]
        expected[place] = near[place, best] @ rates[best] / near[place, best].sum()
    found = neighbour_rates(state, users, everything(3, rates.shape[1]), DAY, 4)
    assert found == pytest.approx(expected.ravel(), rel=1e-3, abs=1e-6)


def test_a_stranger_has_no_neighbours_and_a_new_shop_no_users() -> None:
    state = seasoned(3).state
    rows = everything(2, 4)
    found = neighbour_rates(state, np.array([99, 0]), rows, DAY, 4)
    assert not found[:4].any()
    assert not neighbour_rates(state, np.array([1, 0]), rows, DAY, 0).any()  # nobody is asked
    assert not neighbour_rates(ShopState(), np.array([0, 1]), rows, DAY, 4).any()


def test_only_so_many_users_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = seasoned(3)
    rows = everything(1, 60)
    all_asked = neighbour_rates(learner.state, np.array([0]), rows, DAY, 12)
    monkeypatch.setattr(neighbours, "MOST_USERS", 3)
    few_asked = neighbour_rates(learner.state, np.array([0]), rows, DAY, 12)
    assert np.count_nonzero(few_asked) < np.count_nonzero(all_asked)

"""The last visits one by one, and the days between purchases."""

import numpy as np
import pytest

from lightning_modules.recommendation.candidates import histories
from lightning_modules.recommendation.habits import (
    GROUP_HABITS,
    HABITS,
    SPARE_DAYS,
    VISITS_BACK,
    group_habits,
    habits,
    marks,
)
from lightning_modules.recommendation.pairs import MARKS, shifted
from lightning_modules.recommendation.state import ShopState


def lived(*days: tuple[int, list[int]]) -> ShopState:
    """One user's visits: the day and the items."""
    state = ShopState()
    for day, items in days:
        state.absorb(np.zeros(len(items), np.int64), np.array(items), day)
    return state


def test_marks_are_the_visits_on_which_an_item_was_bought() -> None:
    state = lived((100, [0, 1]), (103, [1]), (104, [0, 2]), (110, [1]))
    users = np.array([0])
    past = histories(state, users, 111)
    marked = marks(state, users, past)
    assert [f"{word:04b}" for word in marked] == ["1010", "1101", "0010"]
    block = habits(state, past, 111, marked)
    assert block.shape == (3, len(HABITS))
    assert block[1, :5].tolist() == [1, 0, 1, 1, 0]
    assert not block[:, 4:VISITS_BACK].any()


def test_visits_long_ago_are_forgotten() -> None:
    word = np.array([1, 1, 1], np.uint32)
    moved = shifted(word, np.array([MARKS - 1, MARKS, 5000], np.uint16))
    assert moved.tolist() == [1 << (MARKS - 1), 0, 0]


def test_gaps_and_lateness() -> None:
    state = lived((100, [0, 1]), (104, [0]), (110, [0]))
    past = histories(state, np.array([0]), 118)
    block = habits(state, past, 118, marks(state, np.array([0]), past))
    columns = dict(zip(HABITS, block.T, strict=True))
    assert columns["last_gap"][0] == pytest.approx(np.log1p(6) / 3)
    assert columns["gap_deviation"][0] == pytest.approx(np.log1p(1) / 3)
    assert columns["late"][0] == pytest.approx((8 - 5) / (1 + SPARE_DAYS))
    assert columns["late_by_last_gap"][0] == pytest.approx(8 / 6)
    assert (columns["last_gap"][1], columns["gap_deviation"][1]) == (0, -1)


def test_a_group_is_marked_where_one_of_its_items_is() -> None:
    block = group_habits(np.array([0b001, 0b100, 0b010], np.uint32), np.array([0, 0, 2]), 3)
    assert block.shape == (3, len(GROUP_HABITS))
    assert block[:, :3].tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert block[0, -1] == pytest.approx(np.log1p(2) / 3)

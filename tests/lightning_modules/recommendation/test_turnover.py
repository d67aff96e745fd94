"""Users and items that come and go: nothing of one who went is read, and nothing of it stays."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.offers import MAILER
from tests.lightning_modules.recommendation.coming_and_going import (
    day,
    grow,
    lives,
    trade,
    with_settings,
)
from tests.lightning_modules.recommendation.tiny_shop import (
    SETTINGS,
    files,
    learn,
    saved,
)


@pytest.fixture
def without_u9(fitted: RecommendationLearner, tmp_path: Path) -> RecommendationLearner:
    """u9, whose row is the last of the twelve, has not come for two days."""
    learner = with_settings(fitted, tmp_path / "fitted", expire_days=2, neighbours=0)
    return lives(learner, trade(0), trade(1), trade(2))


def test_who_stays_away_is_gone_from_everything(
    fitted: RecommendationLearner, without_u9: RecommendationLearner
) -> None:
    row = fitted.vocabulary.users.row_of["u9"]
    names = without_u9.vocabulary.users
    assert "u9" not in names.row_of
    assert names.gone == {"u9": without_u9.state.day}
    assert len(names) == len(without_u9.state.users.last) == row
    assert (fitted.state.pairs.user == row).any()
    assert not (without_u9.state.pairs.user == row).any()
    assert len(without_u9.parameters.weights["user.weight"]) == row
    assert len(without_u9.parameters.optimizer["exp_avg/user.weight"]) == row
    for lists in (without_u9.memory.replay, without_u9.memory.frozen):
        assert len(lists)
        assert "u9" not in lists.user_ids
    shown = without_u9.outputs(day(3))["recommendations"]
    assert set(shown["user_id"]) == set(names.row_of)


def test_who_stays_sees_no_difference(
    fitted: RecommendationLearner, without_u9: RecommendationLearner, tmp_path: Path
) -> None:
    kept = with_settings(fitted, tmp_path / "fitted", neighbours=0)
    lives(kept, trade(0), trade(1), trade(2))
    lists, others = (one.examples(trade(3)) for one in (kept, without_u9))
    for column in fields(lists):
        one, other = getattr(lists, column.name), getattr(others, column.name)
        assert np.array_equal(one, other), column.name
    assert np.array_equal(kept.scores(lists), without_u9.scores(others))
    for name, array in without_u9.parameters.weights.items():
        assert np.array_equal(array, kept.parameters.weights[name][: len(array)])
    for name, array in without_u9.parameters.optimizer.items():
        assert np.array_equal(array, kept.parameters.optimizer[name][: len(array)])


def test_who_gets_the_row_of_another_is_a_stranger(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", expire_days=2)
    lives(learner, *(trade(number, without="u3") for number in range(3)))
    free = fitted.vocabulary.users.row_of["u3"]
    assert learner.vocabulary.users.free == [free]
    today = trade(3, ("heir", "i5"), ("later", "i5"), without="u3")
    lists = learner.examples(today)
    heir, later = (lists.take(lists.user_ids == name) for name in ("heir", "later"))
    assert [*heir.users, *later.users] == [free, 12]
    for column in ("items", "features", "labels", "personal"):
        assert np.array_equal(getattr(heir, column), getattr(later, column))
    assert np.array_equal(learner.scores(heir), learner.scores(later))
    lives(learner, today)
    lists = learner.examples(trade(4, without=""))  # and u3 is one too, from now on
    back = lists.take(lists.user_ids == "u3")
    assert back.users.tolist() == [13]
    assert not back.personal.any()


def test_older_parameters_lend_nobody_the_row_of_another(
    fitted: RecommendationLearner, without_u9: RecommendationLearner, tmp_path: Path
) -> None:
    fitted.save_parameters(tmp_path)
    row = fitted.vocabulary.users.row_of["u9"]
    assert fitted.parameters.weights["user.weight"][row].any()
    lives(without_u9, trade(3, ("heir", "i1")))
    assert without_u9.vocabulary.users.row_of["heir"] == row
    without_u9.load_parameters(tmp_path)
    table = without_u9.parameters.weights["user.weight"]
    assert len(table) <= row or not table[row].any()
    grow(without_u9, trade(4))
    assert without_u9.parameters.weights["user.weight"][row].any()
    assert not without_u9.parameters.optimizer["exp_avg/user.weight"][row].any()
    assert np.array_equal(
        without_u9.parameters.weights["user.weight"][:row],
        fitted.parameters.weights["user.weight"][:row],
    )


def test_what_a_challenger_knows_of_a_newcomer_stays_its_own(
    without_u9: RecommendationLearner, tmp_path: Path
) -> None:
    today = trade(3, ("heir", "i1"))
    lists = without_u9.examples(today)
    saved(without_u9, tmp_path / "parent")
    rule = {"batch_size": 4, "replay": 8}
    without_u9.fine_tune(lists, np.zeros(len(lists), bool), update=rule, seed=2)
    learned = without_u9.parameters.weights["user.weight"][11].copy()
    without_u9.save_parameters(tmp_path)
    settings = SETTINGS | {"expire_days": 2, "neighbours": 0}
    promoted = RecommendationLearner.load(tmp_path / "parent", settings)
    promoted.load_parameters(tmp_path)
    promoted.absorb(today, lists, None)
    assert promoted.vocabulary.users.row_of["heir"] == 11
    assert np.array_equal(promoted.parameters.weights["user.weight"][11], learned)


def test_an_item_that_nobody_buys_is_gone_from_everything(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", expire_days=2)
    row = learner.vocabulary.items.row_of["i30"]
    offer = pd.DataFrame(
        {
            "item_id": ["i30", "i31"],
            "display": pd.Series([None, None], dtype="str"),
            "mailer": pd.Series(["A", "A"], dtype="str"),
            "until": pd.Timestamp("2024-03-01"),
        }
    )
    for number in range(3):
        today = trade(number)
        left = today.events[today.events["item_id"] != "i30"].reset_index(drop=True)
        lives(learner, replace(today, events=left, prices=offer))
    state = learner.state
    assert row in learner.vocabulary.items.free
    assert row not in state.pairs.item
    assert not any(array[row].any() for array in state.items.arrays().values())
    assert row not in {*(state.together.key >> 32), *(state.together.key & 0xFFFFFFFF)}
    assert state.together.item_baskets[row] == 0
    promoted = state.offers.promoted(MAILER, np.zeros(2, np.int64), np.array([row, row + 1]))
    assert promoted.tolist() == [False, True]
    for lists in (learner.memory.replay, learner.memory.frozen, learner.examples(trade(3))):
        assert len(lists)
        assert row not in lists.items
    for name in ("item.weight", "bias.weight"):
        assert not learner.parameters.weights[name][row].any()
        assert not learner.parameters.optimizer[f"exp_avg/{name}"][row].any()
    today = trade(3)  # it is bought again: the old row, a new life, the group it had
    buyers = today.events.loc[today.events["item_id"] == "i30", "user_id"].nunique()
    lives(learner, today)
    assert learner.vocabulary.items.row_of["i30"] == row
    assert (state.items.buyers[row], state.items.first[row]) == (buyers, state.day)
    assert state.items.group[row] == fitted.state.items.group[row]
    assert not learner.vocabulary.group_of


def test_a_bundle_that_forgets_is_resumed_bit_for_bit(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    told = {"expire_days": 1, "admit_after": 2, "warm_start": True}
    straight = with_settings(fitted, tmp_path / "fitted", **told)
    resumed = with_settings(fitted, tmp_path / "fitted", **told)
    for number in range(4):
        for learner in (straight, resumed):
            learn(learner, day(number))
        bundle = saved(resumed, tmp_path / f"{number}")
        resumed = RecommendationLearner.load(tmp_path / f"{number}", SETTINGS | told)
    assert straight.vocabulary.items.gone
    assert files(tmp_path / "3") == bundle == saved(straight, tmp_path / "straight")

"""Users and items that come and go: nothing of one who went is read, and nothing of it stays."""

from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import unspool
from lightning_modules.recommendation.offers import MAILER
from lightning_modules.vocabulary import NO_ROW
from tests.lightning_modules.recommendation import tiny_sessions
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    catalogue,
    day_of_trade,
    files,
    learn,
    no_items,
    saved,
    shop_day,
)

TODAY = FIRST + timedelta(8)
ALL = [f"i{row}" for row in range(60)]


def day(number: int) -> date:
    return TODAY + timedelta(number)


def with_settings(
    learner: RecommendationLearner, folder: Path, **settings: Any
) -> RecommendationLearner:
    """The same bundle, read under other settings."""
    if not folder.exists():
        saved(learner, folder)
    return RecommendationLearner.load(folder, SETTINGS | settings)


def trade(number: int, *pairs: tuple[str, str], without: str = "u9") -> ShopDay:
    """A day of all but one household; u0 buys all there is, so that no item goes."""
    everything = [("u0", item) for item in ALL]
    events = day_of_trade(day(number))
    parts = [events[events["user_id"] != without], bought(*everything, *pairs)]
    return shop_day(pd.concat(parts, ignore_index=True), no_items(), day(number))


def lives(learner: RecommendationLearner, *days: ShopDay) -> RecommendationLearner:
    for today in days:
        lists = learner.examples(today)
        learner.absorb(today, lists, np.arange(len(lists)) % 4 == 0)
    return learner


def grow(learner: RecommendationLearner, today: ShopDay) -> None:
    """All that a night does but learn: everything is held out."""
    lists = learner.examples(today)
    assert learner.fine_tune(lists, np.ones(len(lists), bool), update={}, seed=1) == []


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


def test_until_it_is_admitted_an_id_is_unknown(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", admit_after=2)
    today = trade(0, ("guest", "i1"), ("guest", "novelty"), ("u1", "novelty"))
    lists = learner.examples(today)
    guest = lists.take(lists.user_ids == "guest")
    assert guest.users.tolist() == [NO_ROW]
    assert guest.bought.tolist() == [2]  # of which one is not to be had: recall says so
    assert guest.lengths[0] == SETTINGS["explore"]
    assert np.isfinite(learner.scores(guest)).all()
    update = {"batch_size": 4, "replay": 0}
    learner.fine_tune(lists, np.zeros(len(lists), bool), update=update, seed=1)
    assert len(learner.parameters.weights["user.weight"]) == 12
    learner.absorb(today, lists, np.zeros(len(lists), bool))
    assert {"guest", "novelty"}.isdisjoint(
        {*learner.vocabulary.users.row_of, *learner.vocabulary.items.row_of}
    )
    assert "guest" not in {*learner.memory.replay.user_ids, *learner.memory.frozen.user_ids}
    counted = with_settings(fitted, tmp_path / "fitted")
    counted.absorb(today, None, None)
    one, all_of_them = learner.state, counted.state
    assert np.array_equal(one.items.sold, all_of_them.items.sold[:60])  # what guests buy is sold
    assert np.array_equal(one.users.basket, all_of_them.users.basket[:12])
    assert np.array_equal(one.items.spent, all_of_them.items.spent[:60])
    lives(learner, trade(1, ("guest", "novelty")))
    assert learner.vocabulary.users.row_of["guest"] == 12
    assert learner.vocabulary.items.row_of["novelty"] == 60
    shown = learner.examples(trade(2, ("guest", "i1")))
    assert shown.take(shown.user_ids == "guest").personal.sum() == 1


def test_a_day_of_unknown_ids_alone_is_taken_in(tmp_path: Path) -> None:
    learner = RecommendationLearner.new(SETTINGS | {"admit_after": 2})
    for number in range(3):
        lives(learner, shop_day(bought(("a", "x"), ("b", "x")), no_items(), day(number)))
    assert learner.state.users.count.tolist() == [2, 2]
    again = with_settings(learner, tmp_path / "made", admit_after=2)
    assert saved(again, tmp_path / "again") == files(tmp_path / "made")


def test_a_new_item_starts_as_its_group(fitted: RecommendationLearner, tmp_path: Path) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", warm_start=True)
    items = catalogue().iloc[:3].assign(item_id=["new", "broad", "odd"])
    items["subcategory"] = ["s0", "other", "other"]
    items["category"] = ["c0", "c1", "nowhere"]
    today = replace(trade(0, ("u1", "new")), items=items)
    lives(learner, today)
    grow(learner, trade(1))
    before, after = fitted.parameters.weights, learner.parameters.weights
    rows = learner.vocabulary.items.find(ALL)
    for name in ("item.weight", "bias.weight"):
        of_group, of_category = before[name][rows[0::9]], before[name][rows[1::3]]
        at = learner.vocabulary.items.find(["new", "broad", "odd"])
        np.testing.assert_allclose(after[name][at[0]], of_group.mean(0), rtol=1e-5)
        np.testing.assert_allclose(after[name][at[1]], of_category.mean(0), rtol=1e-5)
        assert np.array_equal(after[name][:60], before[name])
        assert not learner.parameters.optimizer[f"exp_avg/{name}"][60:].any()
    cold = with_settings(fitted, tmp_path / "fitted")
    lives(cold, today)
    grow(cold, trade(1))
    odd = learner.vocabulary.items.row_of["odd"]
    assert np.array_equal(after["item.weight"][odd], cold.parameters.weights["item.weight"][odd])
    assert not np.allclose(after["item.weight"][60], cold.parameters.weights["item.weight"][60])


def test_a_full_fit_learns_of_no_row_what_was_anothers(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", expire_days=2)
    first = trade(0, ("u9", "i1"), ("u9", "novelty"))
    lists = learner.examples(first)
    learner.spool(lists, tmp_path / "first.safetensors")
    lives(learner, first, trade(1), trade(2))
    second = trade(3, ("heir", "i1"))
    learner.spool(learner.examples(second), tmp_path / "second.safetensors")
    lives(learner, second)
    assert learner.vocabulary.users.row_of["heir"] == 11
    early, late = (
        unspool(tmp_path / f"{name}.safetensors", learner.vocabulary)
        for name in ("first", "second")
    )
    assert 11 in unspool(tmp_path / "first.safetensors").users
    assert 11 not in early.users
    assert len(early) == len(lists) - 1
    assert 11 in late.users
    (tmp_path / "refit").mkdir()
    (tmp_path / "first.safetensors").rename(tmp_path / "refit" / "first.safetensors")
    learner.fit(tmp_path / "refit", settings={"epochs": 1, "weight_decay": 0}, seed=1)
    assert not learner.parameters.optimizer["exp_avg_sq/user.weight"][11].any()
    assert learner.parameters.optimizer["exp_avg_sq/user.weight"][:11].any(axis=1).all()


def churn(day_number: int) -> ShopDay:
    """Five households and five items of which one each is new every second day."""
    newest = day_number // 2
    pairs = [(f"u{newest - k}", f"i{newest - j}") for k in range(5) for j in {k, k * k % 5, 4}]
    items = pd.DataFrame({"item_id": [f"i{newest}"]})
    return shop_day(bought(*pairs), items, day(day_number))


def sizes(learner: RecommendationLearner) -> list[int]:
    state = learner.state
    tables = (state.users.last, state.items.last, state.pairs.key, state.together.key)
    names = (learner.vocabulary.users, learner.vocabulary.items)
    return [len(table) for table in (*tables, *names)]


def test_with_expiry_two_hundred_days_of_newcomers_take_no_more_room() -> None:
    forgets = RecommendationLearner.new(SETTINGS | {"expire_days": 7})
    keeps = RecommendationLearner.new(SETTINGS)
    seen: dict[int, tuple[list[int], list[int]]] = {}
    for number in range(200):
        for learner in (forgets, keeps):
            lives(learner, churn(number))
        seen[number] = sizes(forgets), sizes(keeps)
    flat, growing = zip(*(seen[number] for number in (99, 199)), strict=True)
    assert flat[0] == flat[1]
    assert max(flat[1][:2]) < 15
    assert all(late > early + 45 for early, late in zip(*growing, strict=True))


def test_sessions_come_and_go_by_items_alone(tmp_path: Path) -> None:
    told = tiny_sessions.SETTINGS | {"admit_after": 2, "expire_days": 2, "warm_start": True}
    fitted = tiny_sessions.fitted(tmp_path / "spool")
    saved(fitted, tmp_path / "made")
    learner = type(fitted).load(tmp_path / "made", told)
    for number in range(3):
        today = tiny_sessions.sessions_of(day(number), count=6)
        visit = tiny_sessions.session(f"visit {number}", "novelty", "i1", "novelty", "i2")
        today = replace(today, events=pd.concat([today.events, visit], ignore_index=True))
        examples = learner.examples(today)
        learner.scores(examples)
        held = np.arange(len(examples)) % 4 == 0
        learner.fine_tune(examples, held, update={"batch_size": 4, "replay": 8}, seed=number)
        learner.absorb(today, examples, held)
        assert ("novelty" in learner.vocabulary.items.row_of) == (number > 0)
    assert learner.vocabulary.items.gone
    assert list(learner.vocabulary.users.row_of) == [""]
    shown = learner.outputs(day(3))["bought_together"]
    assert set(shown["item_id"]) <= set(learner.vocabulary.items.row_of)
    saved(learner, tmp_path / "late")
    again = type(fitted).load(tmp_path / "late", told)
    assert saved(again, tmp_path / "again") == files(tmp_path / "late")


@pytest.mark.parametrize("told", [{"admit_after": 0}, {"expire_days": -1}])
def test_a_rule_of_nothing_is_refused_at_once(told: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 is needed"):
        RecommendationLearner.new(SETTINGS | told)

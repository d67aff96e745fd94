"""Who is new: unknown until admitted, warm where a group is known, and no burden in the end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import unspool
from lightning_modules.vocabulary import NO_ROW
from tests.lightning_modules.recommendation import tiny_sessions
from tests.lightning_modules.recommendation.coming_and_going import (
    ALL,
    day,
    grow,
    lives,
    trade,
    with_settings,
)
from tests.lightning_modules.recommendation.tiny_shop import (
    SETTINGS,
    bought,
    catalogue,
    files,
    no_items,
    saved,
    shop_day,
)


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


def test_a_row_that_is_nobodys_stays_nothing_when_rows_get_wider(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learner = with_settings(fitted, tmp_path / "fitted", expire_days=2)
    lives(learner, *(trade(number, without="u3") for number in range(3)))
    assert (free := learner.vocabulary.users.free)
    saved(learner, tmp_path / "small")
    told = {**SETTINGS, "expire_days": 2, "width": 7}
    larger = RecommendationLearner.load(tmp_path / "small", told)
    lists = larger.examples(trade(3, without="u3"))
    held = np.zeros(len(lists), bool)
    larger.fine_tune(lists, held, update={"batch_size": 4, "replay": 8}, seed=1)
    assert not larger.parameters.weights["user.weight"][free].any()
    assert larger.parameters.weights["user.weight"][0, 4:].any()
    bundle = saved(larger, tmp_path / "large")
    again = RecommendationLearner.load(tmp_path / "large", told)
    assert saved(again, tmp_path / "again") == bundle


def test_a_session_teaches_no_row_that_is_nobodys_yet(tmp_path: Path) -> None:
    start = tiny_sessions.fitted(tmp_path / "spool")
    saved(start, tmp_path / "start")
    told = {**tiny_sessions.SETTINGS, "expire_days": 1}
    learner = type(start).load(tmp_path / "start", told)
    for number in range(2):
        today = tiny_sessions.sessions_of(day(number), count=6)
        seen = learner.examples(today)
        learner.absorb(today, seen, np.zeros(len(seen), bool))
    free = learner.vocabulary.items.free
    seen = learner.examples(tiny_sessions.sessions_of(day(2), count=6))
    assert np.isin(seen.lists.items, free).any()  # who comes back is to get one of these
    learner.fine_tune(seen, np.zeros(len(seen), bool), update={"batch_size": 4}, seed=1)
    assert not learner.parameters.weights["bias.weight"][free].any()
    bundle = saved(learner, tmp_path / "taught")
    again = type(start).load(tmp_path / "taught", told)
    assert saved(again, tmp_path / "again") == bundle

"""What is kept to replay and to measure forgetting."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.files import read_arrays
from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.learner import REPLAY_FILE, RecommendationLearner
from lightning_modules.recommendation.lists import Lists, no_lists
from lightning_modules.recommendation.memory import Memory, bought_features, most_bought
from lightning_modules.recommendation.settings import SessionSettings, Settings
from lightning_modules.replay import POLICIES
from tests.lightning_modules.luck import FROZEN, REPLAY, luckiest
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    day_of_trade,
    live_through,
    no_items,
    saved,
    seasoned,
    shop_day,
)

CATEGORY = np.arange(60) % 3  # of the shop's items


def memory(replay: int, frozen: int, a_day: int) -> Memory:
    nothing = no_lists(len(FEATURES), 0.5, 0.5)
    return Memory(nothing, nothing, "uniform", replay, frozen, a_day)


def day_lists(number: int) -> Lists:
    day = FIRST + timedelta(number)
    return seasoned(3).examples(shop_day(day_of_trade(day), no_items(), day), whole=False)


def test_each_list_has_one_place() -> None:
    kept, lists = memory(100, 100, 2), day_lists(4)
    kept.take(lists, np.ones(len(lists), bool), CATEGORY)
    assert len(kept.frozen) == 2
    assert sorted([*kept.frozen.keys, *kept.replay.keys]) == sorted(lists.keys[lists.hit])


def test_both_memories_are_bounded() -> None:
    kept = memory(10, 3, 2)
    for number in range(4, 9):
        lists = day_lists(number)
        kept.take(lists, np.arange(len(lists)) < 6, CATEGORY)
    assert (len(kept.replay), len(kept.frozen)) == (10, 3)


def test_lists_with_nothing_to_learn_are_not_kept() -> None:
    kept, lists = memory(100, 100, 2), day_lists(4)
    nothing = replace(lists, labels=np.zeros_like(lists.labels))
    kept.take(nothing, np.ones(len(lists), bool), CATEGORY)
    assert len(kept.replay) == len(kept.frozen) == 0


def test_no_list_is_replayed_that_shares_a_key_with_a_frozen_one() -> None:
    kept, lists = memory(100, 100, 1), day_lists(4)
    pairs = np.arange(len(lists)) // 2  # the places of a session have one key
    kept.take(replace(lists, keys=lists.keys[2 * pairs]), lists.hit, CATEGORY)
    assert len(kept.frozen) == 1
    assert len(kept.replay) >= lists.hit.sum() - 2
    assert not np.isin(kept.replay.keys, kept.frozen.keys).any()


def test_another_seed_replays_other_lists() -> None:
    kept, lists = memory(100, 0, 0), day_lists(4)
    kept.take(lists, np.zeros(len(lists), bool), CATEGORY)
    first, again, other = (kept.replayed(4, seed).keys.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def by_policy(policy: str, days: int) -> RecommendationLearner:
    learner = RecommendationLearner.new({**SETTINGS, "replay_policy": policy})
    for number in range(days):
        live_through(learner, FIRST + timedelta(number))
    return learner


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_loaded_memory_takes_the_next_day_as_if_it_had_never_been_away(
    policy: str, tmp_path: Path
) -> None:
    straight, frozen = by_policy(policy, 8), set[int]()
    for number in range(8, 11):
        straight.save(tmp_path)
        again = RecommendationLearner.load(tmp_path, {**SETTINGS, "replay_policy": policy})
        for one in (straight, again):
            live_through(one, FIRST + timedelta(number))
        kept = saved(straight, tmp_path / f"straight {number}")
        assert saved(again, tmp_path / f"again {number}") == kept
        assert len(straight.memory.replay) == SETTINGS["replay_size"]
        frozen |= set(straight.memory.frozen.keys.tolist())
        assert frozen.isdisjoint(straight.memory.replay.keys.tolist())


def test_what_is_kept_by_default_is_the_luckiest_of_all_ever_offered() -> None:
    learner, offered, held = RecommendationLearner.new(SETTINGS), list[int](), list[int]()
    for number in range(9):
        day = FIRST + timedelta(number)
        lists = learner.examples(shop_day(day_of_trade(day), no_items(), day), whole=False)
        live_through(learner, day)
        hit = lists.keys[lists.hit]
        frozen = luckiest(lists.keys[lists.hit & (np.arange(len(lists)) % 4 == 0)], FROZEN, 16)
        offered += [key for key in hit.tolist() if key not in frozen]
        held += frozen
    kept = set(luckiest(offered, REPLAY, 40))
    assert len(offered) > 60
    assert learner.memory.replay.keys.tolist() == [key for key in offered if key in kept]
    assert sorted(learner.memory.frozen.keys) == sorted(luckiest(held, FROZEN, 6))


def test_only_herding_keeps_more_than_lists(tmp_path: Path) -> None:
    names = {}
    for policy in POLICIES:
        by_policy(policy, 6).save(tmp_path)
        names[policy] = set(read_arrays(tmp_path / REPLAY_FILE))
    assert names["herding"] == names["uniform"] | {"moments"}
    assert names["balanced"] == names["newest"] == names["uniform"]


def test_a_bundle_of_one_policy_goes_on_under_any_other(tmp_path: Path) -> None:
    for before in POLICIES:
        by_policy(before, 8).save(tmp_path)
        for after in POLICIES:
            told = {**SETTINGS, "replay_policy": after, "replay_size": 30}
            learner = RecommendationLearner.load(tmp_path, told)
            live_through(learner, FIRST + timedelta(8))
            assert len(learner.memory.replay) == 30
            assert (learner.memory.moments is not None) == (after == "herding")


def test_a_list_is_of_the_category_bought_most_and_has_the_mean_features_of_the_bought() -> None:
    lists = day_lists(4)
    lists = lists.take(lists.hit)
    found, features = most_bought(lists, CATEGORY), bought_features(lists)
    for number in range(len(lists)):
        rows = lists.rows_of(np.array([number]))
        rows = rows[lists.labels[rows]]
        counts = np.bincount(CATEGORY[lists.items[rows]], minlength=3)
        assert counts[found[number]] == counts.max()
        assert np.allclose(features[number], lists.features[rows].astype(float).mean(axis=0))
    assert len(np.unique(found)) == 3


@pytest.mark.parametrize("kind", [Settings, SessionSettings])
def test_a_policy_that_cannot_be_is_refused(kind: type[Settings]) -> None:
    with pytest.raises(ValueError, match=r"'latest' is none of .*'newest'"):
        kind.read({"replay_policy": "latest"})
    with pytest.raises(ValueError, match=r"herding.*at most"):
        kind.read({"replay_policy": "herding", "replay_size": 100_000})

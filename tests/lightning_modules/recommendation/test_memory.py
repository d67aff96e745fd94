"""What is kept to replay and to measure forgetting."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.lists import Lists, no_lists
from lightning_modules.recommendation.memory import Memory
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
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

"""Who is offered what, and what is known of it."""

from datetime import timedelta

import numpy as np
import pytest

from lightning_modules.recommendation import candidates as made
from lightning_modules.recommendation.day_lists import day_number
from lightning_modules.recommendation.features import COLUMN
from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    catalogue,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
)


def test_a_list_is_all_that_was_bought_and_some_new_items() -> None:
    learner, day = seasoned(4), FIRST + timedelta(4)
    lists = learner.examples(shop_day(day_of_trade(day), no_items(), day))
    history: dict[str, set[int]] = {}
    for number in range(4):
        events = day_of_trade(FIRST + timedelta(number))
        rows = learner.vocabulary.items.find(events["item_id"])
        for user, item in zip(events["user_id"], rows, strict=True):
            history.setdefault(user, set()).add(int(item))
    for place, user in enumerate(lists.user_ids):
        span = slice(lists.offsets[place], lists.offsets[place + 1])
        items, personal = lists.items[span], lists.personal[span]
        assert len(set(items)) == len(items)
        assert set(items[personal].tolist()) == history[user]
        assert (~personal).sum() == SETTINGS["explore"]


@pytest.mark.parametrize("explore", [10, 60, 100])
@pytest.mark.parametrize("block", [1, 5, 12])
def test_blocks_of_another_size_give_the_same_candidates(
    explore: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = seasoned(4)
    shop = made.shelf(
        learner.state, day_number(FIRST + timedelta(4)), len(learner.vocabulary.groups), 60
    )
    past = made.histories(learner.state, np.arange(14), shop.day)  # two of them unknown
    taste = made.tastes(past, shop)
    whole = made.candidates(past, shop, taste, explore)
    monkeypatch.setattr(made, "LISTS_AT_ONCE", block)
    parts = made.candidates(past, shop, taste, explore)
    for name, array in vars(whole).items():
        assert np.array_equal(array, getattr(parts, name)), name
    unseen = np.diff(whole.offsets) - np.diff(past.offsets)
    assert unseen.tolist() == np.minimum(explore, len(shop.pool) - np.diff(past.offsets)).tolist()


def test_features_are_those_of_the_day_before() -> None:
    learner = RecommendationLearner.new(SETTINGS)
    start = bought(("a", "i1"), ("a", "i2"), ("b", "i1"), ("b", "i3"))
    learner.absorb(shop_day(start, catalogue(), FIRST), None, None)
    learner.absorb(shop_day(bought(("a", "i1")), no_items(), FIRST + timedelta(5)), None, None)
    lists = learner.examples(
        shop_day(bought(("a", "i3"), ("a", "new")), no_items(), FIRST + timedelta(7))
    )
    row = int(np.flatnonzero(lists.items == learner.vocabulary.items.row_of["i1"])[0])
    features = {name: float(lists.features[row, place]) for name, place in COLUMN.items()}
    expected = {
        "is_personal": 1,
        "log_count": np.log1p(2) / 2,
        "recency": np.log1p(2) / 3,
        "visits_since": 0,
        "mean_interval": np.log1p(5) / 3,
        "overdue": 2 / 5,
        "bought_this_week": 1,
        "rate_ever": 1,
        "buyers": np.log1p(2) / 5,
        "repeat_share": 1 / (1 + 2 + 5),
        "age": np.log1p(7) / 5,
        "log_visits": np.log1p(2) / 4,
    }
    for name, value in expected.items():
        assert abs(features[name] - value) < 2e-3, name
    assert (lists.bought.tolist(), lists.bought_again.tolist()) == ([2], [0])
    assert lists.labels.sum() == 1


def test_every_feature_is_a_number_on_every_day() -> None:
    learner = RecommendationLearner.new(SETTINGS)
    for number in (0, 1, 2, 30, 400):
        day = FIRST + timedelta(number)
        lists = learner.examples(shop_day(day_of_trade(day), catalogue(), day))
        assert np.isfinite(lists.features).all()
        learner.absorb(shop_day(day_of_trade(day), catalogue(), day), None, None)


def test_the_order_of_events_does_not_matter() -> None:
    learner, day = seasoned(4), FIRST + timedelta(4)
    events = day_of_trade(day)
    one = learner.examples(shop_day(events, no_items(), day))
    other = learner.examples(shop_day(events.iloc[::-1].reset_index(drop=True), no_items(), day))
    assert np.array_equal(one.features, other.features)
    assert np.array_equal(one.labels, other.labels)

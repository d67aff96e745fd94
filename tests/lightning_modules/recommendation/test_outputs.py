"""What the shop reads: lists, trends, and partners."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from lightning_modules.recommendation import outputs
from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    catalogue,
    day_of_trade,
    no_items,
    shop_day,
)

TODAY = FIRST + timedelta(8)


def test_every_active_user_has_a_list_as_scored(
    fitted: RecommendationLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = fitted.outputs(TODAY)["recommendations"]
    assert set(table["user_id"]) == set(fitted.vocabulary.users.row_of)
    lists = fitted.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY))
    scores = fitted.scores(lists)
    items = np.array(list(fitted.vocabulary.items.row_of))
    for place, user in enumerate(lists.user_ids):
        span = slice(lists.offsets[place], lists.offsets[place + 1])
        best = np.argsort(-scores[span], kind="stable")[: outputs.SHOWN]
        mine = table[table["user_id"] == user]
        assert mine["rank"].tolist() == list(range(1, len(best) + 1))
        assert mine["item_id"].tolist() == items[lists.items[span][best]].tolist()
        assert (mine["kind"] == "repeat").tolist() == lists.personal[span][best].tolist()
    monkeypatch.setattr(outputs, "USERS_AT_ONCE", 5)
    pd.testing.assert_frame_equal(fitted.outputs(TODAY)["recommendations"], table)


def test_users_who_stay_away_have_no_list(fitted: RecommendationLearner) -> None:
    day = FIRST + timedelta(100)
    fitted.absorb(shop_day(bought(("u1", "i1"), ("new", "i2")), no_items(), day), None, None)
    table = fitted.outputs(day + timedelta(1))["recommendations"]
    assert set(table["user_id"]) == {"u1", "new"}
    far = day + timedelta(200)
    assert len(fitted.outputs(far)["recommendations"]) == 0


def test_what_rises_is_trending_in_its_department() -> None:
    learner = RecommendationLearner.new(SETTINGS)
    items = catalogue().assign(department=["toys"] * 30 + ["food"] * 30)
    for number in range(28):
        events = bought(*((f"u{user}", "i1") for user in range(10)))
        if number >= 25:
            more = bought(*((f"u{user}", f"i{40 + number % 2}") for user in range(8)))
            events = pd.concat([events, more], ignore_index=True)
        new = items if number == 0 else items.iloc[:0]
        learner.absorb(shop_day(events, new, FIRST + timedelta(number)), None, None)
    known = (learner.state, learner.vocabulary)
    table = outputs.trending(known, FIRST + timedelta(28))
    overall = table[table["department"] == outputs.ALL_DEPARTMENTS]
    assert overall["item_id"].tolist()[:2] == ["i41", "i40"]
    assert "i1" not in set(table["item_id"])  # it sells most, as it always did
    assert overall["rank"].tolist() == list(range(1, len(overall) + 1))
    assert (overall["growth"].iloc[:2] > 1.5).all()
    assert set(table.loc[table["department"] == "food", "item_id"]) == {"i40", "i41"}
    # Nothing sells any more, so nothing rises.
    assert len(outputs.trending(known, FIRST + timedelta(80))) == 0


def test_partners_are_named_by_their_ids() -> None:
    learner = RecommendationLearner.new(SETTINGS)
    for number in range(4):
        pairs = [(f"u{user}", item) for user in range(3) for item in ("i1", "i2")]
        events = bought(*pairs, ("u9", "i3"))
        learner.absorb(shop_day(events, no_items(), FIRST + timedelta(number)), None, None)
    table = outputs.bought_together((learner.state, learner.vocabulary), FIRST + timedelta(4))
    assert table[["item_id", "rank", "other_id"]].to_numpy().tolist() == [
        ["i1", 1, "i2"],
        ["i2", 1, "i1"],
    ]
    assert table["support"].to_numpy() == pytest.approx([0.75, 0.75])
    assert (table["lift"] > 1).all() == bool(12 * 16 > 17 * 17)


def test_sessions_split_a_day_into_baskets() -> None:
    events = bought(("a", "i1"), ("a", "i2"), ("a", "i3")).assign(
        session_id=pd.Series(["s1", "s1", "s2"], dtype="str")
    )
    learner = RecommendationLearner.new(SETTINGS)
    learner.absorb(shop_day(events, no_items(), FIRST), None, None)
    assert learner.state.together.baskets == 2
    assert len(learner.state.together.key) == 1

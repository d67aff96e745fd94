"""A day's sessions as lists: units, what is not known yet, and what nobody has seen before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.hashing import list_keys
from lightning_modules.recommendation.features import COLUMN
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.session_learner import SessionLearner
from lightning_modules.recommendation.session_lists import SESSION_FEATURES
from tests.lightning_modules.recommendation.tiny_sessions import (
    SETTINGS,
    fitted,
    session,
    sessions_of,
)
from tests.lightning_modules.recommendation.tiny_shop import FIRST, catalogue, no_items, shop_day

TODAY = FIRST + timedelta(8)
TOMORROW = TODAY + timedelta(1)


@pytest.fixture
def learner(tmp_path: Path) -> SessionLearner:
    return fitted(tmp_path / "spool")


def test_a_unit_is_a_session_whatever_its_places(learner: SessionLearner) -> None:
    today = sessions_of(TODAY)
    examples = learner.examples(today)
    names = sorted(set(today.events["session_id"]))
    assert examples.unit_ids.tolist() == names
    assert examples.keys.tolist() == list_keys(TODAY, names).tolist()
    assert len(examples.lists) == SETTINGS["positions"] * len(examples)
    scores = learner.scores(examples)
    quality = learner.quality(examples, scores)
    assert quality["unit"].tolist() == names
    assert learner.unit_scores(examples, scores).shape == learner.loss(examples).shape == (16,)
    backwards = examples.take(np.arange(len(examples))[::-1])
    assert backwards.unit_ids.tolist() == names[::-1]
    told = learner.quality(backwards, learner.scores(backwards))["ndcg@20"].tolist()
    assert told == quality["ndcg@20"].tolist()[::-1]
    some = examples.take(np.arange(len(examples)) < 3)
    assert learner.loss(some).tolist() == pytest.approx(learner.loss(examples)[:3].tolist())


def test_a_sessions_numbers_are_means_over_its_places(learner: SessionLearner) -> None:
    examples = learner.examples(sessions_of(TODAY))
    scores = learner.scores(examples)
    lists = examples.lists
    by_list = RecommendationLearner.quality(learner, lists, scores)
    assert (lists.bought == 1).all()
    first = slice(0, int(examples.sizes[0]))
    quality = learner.quality(examples, scores)
    for name in ("recall@10", "recall@20", "ndcg@10", "ndcg@20"):
        assert quality[name][0] == pytest.approx(by_list[name][first].mean())
    best = RecommendationLearner.unit_scores(learner, lists, scores)
    assert learner.unit_scores(examples, scores)[0] == pytest.approx(best[first].mean())


def test_the_day_itself_and_the_rest_of_a_session_are_not_known(learner: SessionLearner) -> None:
    whole = sessions_of(TODAY)
    one = whole.events["session_id"] == whole.events["session_id"].iloc[0]
    name = whole.events["session_id"].iloc[0]
    among = learner.examples(whole)
    mine = among.take(among.unit_ids == name).lists
    alone = learner.examples(replace(whole, events=whole.events[one])).lists
    assert np.array_equal(mine.features, alone.features)
    for place in range(len(alone)):  # the features know nothing of the item that comes
        events = whole.events[one].reset_index(drop=True)
        before = round(
            float(np.expm1(4 * alone.features[alone.offsets[place]][COLUMN["log_visits"]]))
        )
        events.loc[before:, "item_id"] = "i59"
        other = learner.examples(replace(whole, events=events)).lists
        span = slice(alone.offsets[place], alone.offsets[place + 1])
        assert np.array_equal(alone.items[span], other.items[span])
        assert np.array_equal(alone.features[span], other.features[span])


def test_a_session_of_strangers_still_gets_candidates(learner: SessionLearner) -> None:
    events = pd.concat([session("s", "new", "newer", "new"), session("t", "i1", "i2")])
    examples = learner.examples(shop_day(events.reset_index(drop=True), no_items(), TODAY))
    strange = examples.take(examples.unit_ids == "s")
    assert strange.lists.lengths.tolist() == [SETTINGS["explore"] + had for had in (1, 2)]
    assert strange.lists.bought_again.tolist() == [0, 1]
    assert strange.lists.hit.tolist() == [False, True]  # first seen today: lost, then it is back
    scores = learner.scores(examples)
    assert np.isfinite(scores).all()
    assert np.isfinite(learner.loss(strange)).all()
    first = learner.quality(examples, scores).iloc[0].to_dict()
    assert (first["unit"], first["recall@20"]) == ("s", first["repeat_recall@20"] / 2)


def test_a_new_item_is_learned_under_the_row_it_gets(learner: SessionLearner) -> None:
    events = session("s", "new", "aaa", "new", "i1", "zzz", "new")
    catalogued = catalogue().iloc[:1].assign(item_id="zzz")
    day = shop_day(events, catalogued, TODAY)
    examples = learner.examples(day)
    learner.absorb(day, examples, np.zeros(1, bool))
    labelled = set(examples.lists.items[examples.lists.labels].tolist())
    names = list(learner.vocabulary.items.row_of)
    targets = {"aaa", "new", "i1", "zzz"}
    assert {names[row] for row in labelled} <= targets
    assert names[max(labelled)] == "new"
    assert learner.examples(sessions_of(TOMORROW)).lists.labels.any()


def test_every_feature_is_a_number(learner: SessionLearner) -> None:
    lists = learner.examples(sessions_of(TODAY)).lists
    assert lists.features.shape[1] == len(SESSION_FEATURES)
    assert np.isfinite(lists.features).all()
    assert not lists.features[:, COLUMN["neighbours"]].std()

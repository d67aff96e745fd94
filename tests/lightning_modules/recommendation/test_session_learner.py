"""The learner of sessions: the contract of the other, by session, and nothing kept of one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import Learner, LearnerFileError
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.session_learner import SessionLearner
from tests.lightning_modules.elsewhere import learned_elsewhere
from tests.lightning_modules.recommendation.tiny_sessions import (
    SETTINGS,
    fitted,
    learn,
    seasoned,
    session,
    sessions_of,
)
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    bought,
    catalogue,
    files,
    no_items,
    shop_day,
)

TODAY = FIRST + timedelta(8)
TOMORROW = TODAY + timedelta(1)


def saved(learner: SessionLearner, directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    learner.save(directory)
    return files(directory)


@pytest.fixture
def learner(tmp_path: Path) -> SessionLearner:
    return fitted(tmp_path / "spool")


def test_it_is_a_learner_of_sessions() -> None:
    kind: type[Learner] = SessionLearner
    assert (kind.unit, kind.metric) == ("session_id", "ndcg@20")


def test_fitting_beats_the_naive_rival(tmp_path: Path) -> None:
    learner = seasoned(20, tmp_path)
    learner.fit(tmp_path, settings={"batch_size": 8, "epochs": 12}, seed=1)
    examples = learner.examples(sessions_of(FIRST + timedelta(20), 60))
    ours, naive = (
        learner.quality(examples, scores)["ndcg@20"].mean()
        for scores in (learner.scores(examples), learner.naive_scores(examples))
    )
    assert ours > naive + 0.1


def test_the_naive_rival_offers_the_last_items_then_what_sells() -> None:
    learner = SessionLearner.new(SETTINGS | {"positions": 9})
    past = pd.concat([session(name, "i5") for name in ("a", "b", "c")] + [session("d", "i6")])
    known = session("e", "i1", "i2")
    day = shop_day(pd.concat([past, known], ignore_index=True), catalogue(), FIRST)
    learner.absorb(day, None, None)
    tomorrow = FIRST + timedelta(1)
    examples = learner.examples(shop_day(session("s", "i1", "i2", "i9"), no_items(), tomorrow))
    lists = examples.lists.take(np.array([1]))
    naive = learner.naive_scores(examples)[examples.lists.rows_of(np.array([1]))]
    names = np.array(list(learner.vocabulary.items.row_of))[lists.items]
    assert names[np.argsort(-naive, kind="stable")].tolist()[:4] == ["i2", "i1", "i5", "i6"]


def test_a_session_leaves_nothing_of_its_own(learner: SessionLearner) -> None:
    events = sessions_of(TODAY).events
    users, pairs = len(learner.state.users.last), len(learner.state.pairs.key)
    sold = learner.state.items.buyers.sum()
    learner.absorb(shop_day(events, no_items(), TODAY), None, None)
    assert (
        (users, pairs) == (len(learner.state.users.last), len(learner.state.pairs.key)) == (1, 0)
    )
    assert len(learner.vocabulary.users) == 1
    rows = events.drop_duplicates(["session_id", "item_id"])
    assert learner.state.items.buyers.sum() - sold == len(rows)
    with pytest.raises(ValueError, match="once"):
        learner.absorb(shop_day(events, no_items(), TODAY), None, None)
    with pytest.raises(ValueError, match="already"):
        learner.examples(shop_day(events, no_items(), TODAY))


def test_examples_change_nothing(learner: SessionLearner, tmp_path: Path) -> None:
    before = saved(learner, tmp_path / "before")
    examples = learner.examples(sessions_of(TODAY))
    learner.quality(examples, learner.scores(examples))
    assert saved(learner, tmp_path / "after") == before


def test_a_learner_resumed_in_another_process_learns_the_same_bits(
    learner: SessionLearner, tmp_path: Path
) -> None:
    learn(learner, TODAY)
    saved(learner, tmp_path / "today")
    shop = "tests.lightning_modules.recommendation.tiny_sessions"
    learned_elsewhere(SessionLearner, shop, tmp_path / "today", TOMORROW, tmp_path / "resumed")
    learn(learner, TOMORROW)
    assert saved(learner, tmp_path / "straight") == files(tmp_path / "resumed")


def test_a_loaded_learner_says_the_same(learner: SessionLearner, tmp_path: Path) -> None:
    first = saved(learner, tmp_path / "made")
    again = SessionLearner.load(tmp_path / "made", SETTINGS)
    assert saved(again, tmp_path / "second") == first
    one, other = learner.examples(sessions_of(TODAY)), again.examples(sessions_of(TODAY))
    assert np.array_equal(one.lists.features, other.lists.features)
    assert np.array_equal(learner.scores(one), again.scores(other))
    assert learner.frozen().unit_ids.tolist() == again.frozen().unit_ids.tolist()
    with pytest.raises(LearnerFileError, match="features"):
        RecommendationLearner.load(tmp_path / "made", {"hidden": [16], "width": 4})


def test_held_out_sessions_teach_nothing(learner: SessionLearner, tmp_path: Path) -> None:
    examples = learner.examples(sessions_of(TODAY))
    holdout = np.arange(len(examples)) % 4 == 0
    learner.save_parameters(tmp_path)
    learner.fine_tune(examples, holdout, update={"replay": 0}, seed=1)
    whole = {name: array.copy() for name, array in learner.parameters.weights.items()}
    learner.load_parameters(tmp_path)
    labels = examples.lists.labels.copy()
    labels[examples.lists.rows_of(np.flatnonzero(examples.by_list(holdout)))] ^= True
    flipped = replace(examples, lists=replace(examples.lists, labels=labels))
    learner.fine_tune(flipped, holdout, update={"replay": 0}, seed=1)
    for name, array in learner.parameters.weights.items():
        assert np.array_equal(array, whole[name])


def test_no_place_of_a_frozen_session_is_replayed(learner: SessionLearner) -> None:
    frozen = learner.frozen()
    assert 0 < len(frozen) <= len(frozen.lists) <= SETTINGS["frozen_size"]
    assert not np.isin(frozen.keys, learner.memory.replay.keys).any()
    assert len(set(frozen.unit_ids)) == len(frozen) == len(learner.loss(frozen))
    assert len(learner.memory.replay) <= SETTINGS["replay_size"]


@pytest.mark.parametrize(
    "events", [bought(), session("s", "i1"), bought(("u", "i1"), kind="view")]
)
def test_a_day_with_nothing_to_foretell_is_an_empty_day(
    learner: SessionLearner, events: pd.DataFrame
) -> None:
    day = shop_day(events, no_items(), TODAY)
    examples = learner.examples(day)
    scores = learner.scores(examples)
    assert len(examples) == len(learner.quality(examples, scores)) == 0
    assert len(learner.unit_scores(examples, scores)) == len(learner.naive_scores(examples)) == 0
    assert learner.fine_tune(examples, np.zeros(0, bool), update={}, seed=1) == []
    learner.absorb(day, examples, np.zeros(0, bool))
    assert learner.examples(sessions_of(TOMORROW)).lists.labels.any()


def test_outputs_are_the_shops_alone(learner: SessionLearner) -> None:
    tables = learner.outputs(TODAY)
    assert len(tables["recommendations"]) == 0
    assert list(tables["recommendations"]) == ["user_id", "rank", "item_id", "score", "kind"]
    assert len(tables["bought_together"]) > 0
    assert set(tables) == {"recommendations", "trending", "bought_together"}


def test_what_a_session_has_not_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="neighbours"):
        SessionLearner.new({"neighbours": 10})
    with pytest.raises(ValueError, match="positions"):
        RecommendationLearner.new({"positions": 3})

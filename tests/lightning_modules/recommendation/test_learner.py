"""The learner end to end: it learns, resumes bit for bit, refuses what is not a number."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import DivergedError, Learner
from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.elsewhere import learned_elsewhere
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    catalogue,
    day_of_trade,
    files,
    learn,
    live_through,
    no_items,
    saved,
    seasoned,
    shop_day,
)

TODAY = FIRST + timedelta(8)
TOMORROW = TODAY + timedelta(1)


def test_it_is_a_learner() -> None:
    kind: type[Learner] = RecommendationLearner
    assert kind.metric == "ndcg@20"


def test_fitting_beats_the_start(tmp_path: Path) -> None:
    learner = seasoned(3)
    for number in range(3, 8):
        live_through(learner, FIRST + timedelta(number), tmp_path)
    curve = learner.fit(tmp_path, settings={"batch_size": 4, "epochs": 10}, seed=1)
    losses = [point["loss"] for point in curve]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.05
    assert len(learner.loss(learner.frozen())) == SETTINGS["frozen_size"]


def test_a_learner_resumed_in_another_process_learns_the_same_bits(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    learn(fitted, TODAY)
    saved(fitted, tmp_path / "today")
    shop = "tests.lightning_modules.recommendation.tiny_shop"
    learned_elsewhere(
        RecommendationLearner, shop, tmp_path / "today", TOMORROW, tmp_path / "resumed"
    )
    learn(fitted, TOMORROW)
    assert saved(fitted, tmp_path / "straight") == files(tmp_path / "resumed")


def test_saving_twice_gives_the_same_bytes(fitted: RecommendationLearner, tmp_path: Path) -> None:
    first = saved(fitted, tmp_path / "first")
    again = RecommendationLearner.load(tmp_path / "first", SETTINGS)
    assert saved(again, tmp_path / "second") == first
    assert set(first) == {
        "model.safetensors",
        "learner.safetensors",
        "state.safetensors",
        "replay.safetensors",
        "vocabulary.json",
    }


def test_examples_change_nothing(fitted: RecommendationLearner, tmp_path: Path) -> None:
    before = saved(fitted, tmp_path / "before")
    lists = fitted.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY))
    fitted.quality(lists, fitted.scores(lists))
    assert saved(fitted, tmp_path / "after") == before


def test_a_day_is_taken_in_once(fitted: RecommendationLearner) -> None:
    events = day_of_trade(TODAY)
    fitted.absorb(shop_day(events, no_items(), TODAY), None, None)
    with pytest.raises(ValueError, match="once"):
        fitted.absorb(shop_day(events, no_items(), TODAY), None, None)
    with pytest.raises(ValueError, match="already"):
        fitted.examples(shop_day(events, no_items(), TODAY))
    count = fitted.state.pairs.count.sum()
    fitted.absorb(shop_day(events, no_items(), TOMORROW), None, None)
    assert fitted.state.pairs.count.sum() > count


def test_held_out_lists_teach_nothing(fitted: RecommendationLearner, tmp_path: Path) -> None:
    events = day_of_trade(TODAY)
    lists = fitted.examples(shop_day(events, no_items(), TODAY))
    holdout = np.arange(len(lists)) % 4 == 0
    fitted.save_parameters(tmp_path)
    fitted.fine_tune(lists, holdout, update={"replay": 0}, seed=1)
    whole = {name: array.copy() for name, array in fitted.parameters.weights.items()}
    fitted.load_parameters(tmp_path)
    flipped = lists.labels.copy()
    flipped[lists.rows_of(np.flatnonzero(holdout))] ^= True
    fitted.fine_tune(replace(lists, labels=flipped), holdout, update={"replay": 0}, seed=1)
    for name, array in fitted.parameters.weights.items():
        assert np.array_equal(array, whole[name])


def test_frozen_lists_are_never_replayed(fitted: RecommendationLearner) -> None:
    frozen = fitted.memory.frozen.keys
    assert len(frozen) == SETTINGS["frozen_size"]
    assert not np.isin(frozen, fitted.memory.replay.keys).any()
    assert len(fitted.memory.replay) <= fitted.settings.replay_size


def test_new_ids_get_rows_and_old_moments_stay(fitted: RecommendationLearner) -> None:
    before = fitted.parameters
    events = bought(("u0", "i1"), ("new user", "i2"), ("u1", "i1"), ("u2", "new item"))
    lists = fitted.examples(shop_day(events, no_items(), TODAY))
    fitted.fine_tune(lists, np.ones(len(lists), bool), update={"replay": 0}, seed=1)
    after = fitted.parameters
    users = len(before.weights["user.weight"])
    assert len(after.weights["user.weight"]) == users + 1
    old, new = (one.optimizer["exp_avg/user.weight"] for one in (before, after))
    assert np.array_equal(new[:users], old)
    assert not new[users:].any()
    assert after.weights["user.weight"][users:].any()


def test_a_user_without_a_history_still_gets_candidates(fitted: RecommendationLearner) -> None:
    lists = fitted.examples(shop_day(bought(("stranger", "i1"), ("u0", "i1")), no_items(), TODAY))
    stranger = lists.take(lists.user_ids == "stranger")
    assert stranger.lengths[0] == SETTINGS["explore"]
    assert not stranger.personal.any()
    assert np.isfinite(fitted.scores(stranger)).all()


def test_a_day_without_purchases_is_an_empty_day(fitted: RecommendationLearner) -> None:
    events = pd.concat([bought(("u0", "i1"), kind="view"), bought(("u0", "i1"), quantity=0)])
    lists = fitted.examples(shop_day(events, no_items(), TODAY))
    assert len(lists) == len(fitted.quality(lists, fitted.scores(lists))) == 0
    assert fitted.fine_tune(lists, np.zeros(0, bool), update={}, seed=1) == []
    pairs = len(fitted.state.pairs.key)
    fitted.absorb(shop_day(events, no_items(), TODAY), lists, np.zeros(0, bool))
    assert len(fitted.state.pairs.key) == pairs


def test_older_parameters_serve_on_a_larger_vocabulary(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    fitted.save_parameters(tmp_path)
    fitted.absorb(shop_day(bought(("u99", "i99"), ("u0", "i99")), no_items(), TODAY), None, None)
    fitted.load_parameters(tmp_path)
    lists = fitted.examples(shop_day(bought(("u99", "i99"), ("u0", "i99")), no_items(), TOMORROW))
    assert lists.labels.sum() == 2
    assert np.isfinite(fitted.scores(lists)).all()


def test_what_is_not_a_number_is_refused(fitted: RecommendationLearner) -> None:
    lists = fitted.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY))
    before = fitted.parameters
    lists.features[0, 0] = np.nan
    with pytest.raises(DivergedError, match="loss"):
        fitted.fine_tune(lists, np.zeros(len(lists), bool), update={"replay": 0}, seed=1)
    assert np.array_equal(fitted.parameters.weights["user.weight"], before.weights["user.weight"])


def test_a_rate_without_bounds_is_refused(fitted: RecommendationLearner) -> None:
    lists = fitted.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY))
    rates = {"learning_rate": 1e30, "embedding_learning_rate": 1e30, "batch_size": 2}
    with pytest.raises(DivergedError):
        fitted.fine_tune(lists, np.zeros(len(lists), bool), update=rates, seed=1)


def test_the_naive_rival_ranks_by_count_then_by_sales() -> None:
    learner = RecommendationLearner.new(SETTINGS)
    learner.absorb(
        shop_day(
            bought(("a", "i1"), ("a", "i2"), ("b", "i3"), ("c", "i3"), ("b", "i4")),
            catalogue(),
            FIRST,
        ),
        None,
        None,
    )
    learner.absorb(shop_day(bought(("a", "i2")), no_items(), FIRST + timedelta(1)), None, None)
    lists = learner.examples(shop_day(bought(("a", "i2")), no_items(), FIRST + timedelta(2)))
    order = lists.items[np.argsort(-learner.naive_scores(lists), kind="stable")]
    names = np.array(list(learner.vocabulary.items.row_of))
    assert names[order].tolist() == ["i2", "i1", "i3", "i4"]


def test_state_needs_no_torch() -> None:
    code = (
        "import sys; from tests.lightning_modules.recommendation.tiny_shop import seasoned;"
        "seasoned(2);"
        "import json; print(json.dumps([n in sys.modules for n in ('torch', 'lightning')]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(shown) == [False, False]


def test_a_users_number_is_the_best_score(fitted: RecommendationLearner) -> None:
    lists = fitted.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY))
    scores = fitted.scores(lists)
    best = fitted.unit_scores(lists, scores)
    for number in (0, len(lists) - 1):
        assert best[number] == scores[lists.offsets[number] : lists.offsets[number + 1]].max()
    nobody = lists.take(np.zeros(len(lists), bool))
    assert fitted.unit_scores(nobody, scores[:0]).shape == (0,)
    first, last = lists.lengths[0], lists.lengths[-1]
    holes = replace(lists, offsets=np.array([0, 0, first, len(scores) - last, *[len(scores)] * 2]))
    numbers = fitted.unit_scores(replace(holes, users=lists.users[:5]), scores)
    assert np.isnan(numbers[[0, 4]]).all()
    assert numbers[[1, 3]].tolist() == [scores[:first].max(), scores[-last:].max()]


def test_a_log_of_sessions_is_learned_from_views(tmp_path: Path) -> None:
    """Each session is a user of its own, and nothing is bought."""
    learner = RecommendationLearner.new(SETTINGS | {"event_types": ["view"], "explore": 40})
    for number in range(5):
        day = FIRST + timedelta(number)
        pairs = [
            (f"session {number} {user}", item)
            for user, item in day_of_trade(day)[["user_id", "item_id"]].to_numpy().tolist()
        ]
        views = shop_day(bought(*pairs, kind="view", quantity=float("nan")), catalogue(), day)
        lists = learner.examples(views)
        if number:
            assert lists.labels.any()
            learner.spool(lists, tmp_path / f"{day}.safetensors")
        learner.absorb(views, lists, None)
    assert len(learner.fit(tmp_path, settings={"batch_size": 8, "epochs": 1}, seed=1)) > 0
    assert learner.state.together.baskets > 0
    assert len(learner.outputs(FIRST + timedelta(5))["bought_together"]) > 0

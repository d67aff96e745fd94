"""The learner end to end: it learns, resumes bit for bit, and knows nothing of the day itself."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import DivergedError, Learner
from tests.lightning_modules.behavior.small_shop import (
    CATEGORIES,
    FIRST,
    SETTINGS,
    catalogue,
    day_of_trade,
    held_out,
    learn,
    saved,
    seasoned,
    shop_day,
)
from tests.lightning_modules.elsewhere import learned_elsewhere

TODAY = FIRST + timedelta(20)
TOMORROW = TODAY + timedelta(1)


def test_it_is_a_learner() -> None:
    kind: type[Learner] = BehaviorLearner
    assert kind.metric == "log_loss"
    assert not kind.higher_is_better


def test_fitting_beats_the_start(tmp_path: Path) -> None:
    learner = seasoned(16, tmp_path)
    curve = learner.fit(tmp_path, settings={"batch_size": 8, "epochs": 12}, seed=1)
    losses = [point["loss"] for point in curve]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.3


def test_a_learner_resumed_in_another_process_learns_the_same_bits(
    fitted: BehaviorLearner, tmp_path: Path
) -> None:
    learn(fitted, TODAY)
    saved(fitted, tmp_path / "today")
    shop = "tests.lightning_modules.behavior.small_shop"
    out = tmp_path / "resumed"
    learned_elsewhere(BehaviorLearner, shop, tmp_path / "today", TOMORROW, out)
    learn(fitted, TOMORROW)
    resumed = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    assert saved(fitted, tmp_path / "straight") == resumed


def test_saving_twice_gives_the_same_bytes(fitted: BehaviorLearner, tmp_path: Path) -> None:
    learn(fitted, TODAY)
    first = saved(fitted, tmp_path / "first")
    again = BehaviorLearner.load(tmp_path / "first", SETTINGS)
    assert saved(again, tmp_path / "second") == first
    assert len(first) == 8


def test_what_happens_on_the_day_is_in_no_feature_of_it(fitted: BehaviorLearner) -> None:
    quiet = fitted.examples(shop_day(TODAY, {"user_id": "u3", "item_id": "soap"}))
    busy = fitted.examples(day_of_trade(TODAY))
    for name in ("inputs", "visits", "past_kind", "past_category", "past_term", "past_gap"):
        assert np.array_equal(
            getattr(quiet.views, name)[quiet.todays()], getattr(busy.views, name)[busy.todays()]
        )
    new = [units.views.buy_1 >= 0 for units in (quiet, busy)]
    for name in ("features", "bits", "share", "frequency"):
        of_quiet, of_busy = getattr(quiet.views, name), getattr(busy.views, name)
        assert np.array_equal(of_quiet[new[0]], of_busy[new[1]])
    assert quiet.views.buy_1[new[0]].sum() == 1
    assert quiet.views.buy_1[new[0]].sum() < busy.views.buy_1[new[1]].sum()


def test_examples_change_nothing(fitted: BehaviorLearner, tmp_path: Path) -> None:
    before = saved(fitted, tmp_path / "before")
    units = fitted.examples(day_of_trade(TODAY))
    fitted.quality(units, fitted.scores(units))
    assert saved(fitted, tmp_path / "after") == before


def test_a_day_is_taken_in_once(fitted: BehaviorLearner) -> None:
    fitted.absorb(day_of_trade(TODAY), None, None)
    visits = fitted.known.state.users.count.copy()
    with pytest.raises(ValueError, match="once"):
        fitted.absorb(day_of_trade(TODAY), None, None)
    with pytest.raises(ValueError, match="already"):
        fitted.examples(day_of_trade(TODAY))
    assert np.array_equal(fitted.known.state.users.count, visits)


def test_held_out_units_teach_nothing(fitted: BehaviorLearner, tmp_path: Path) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    holdout = held_out(units)
    fitted.save_parameters(tmp_path)
    fitted.fine_tune(units, holdout, update={"replay": 0}, seed=1)
    taught = {name: array.copy() for name, array in fitted.parameters.weights.items()}
    for whose, same in ((holdout, True), (~holdout, False)):
        fitted.load_parameters(tmp_path)
        views = units.views
        other = np.where(whose[units.unit] & (views.buy_1 >= 0), 1 - views.buy_1, views.buy_1)
        changed = replace(units, views=views.but(buy_1=other.astype(np.int8)))
        fitted.fine_tune(changed, holdout, update={"replay": 0}, seed=1)
        after = fitted.parameters.weights
        assert all(np.array_equal(after[name], taught[name]) for name in taught) == same


def test_frozen_units_are_never_replayed(fitted: BehaviorLearner) -> None:
    frozen = fitted.frozen().keys
    assert len(frozen) == SETTINGS["frozen_size"]
    assert not np.isin(frozen, fitted.memory.replay.keys).any()
    assert len(fitted.memory.replay) <= fitted.settings.replay_size
    assert np.isfinite(fitted.loss(fitted.frozen())).all()


def test_new_types_and_words_get_rows_and_old_moments_stay(fitted: BehaviorLearner) -> None:
    before = fitted.parameters
    ask = {"event_type": "ask", "item_id": None, "query": "ÉCLAIR, fresh!"}
    today = shop_day(TODAY, {**ask, "user_id": "u1"}, {**ask, "user_id": "u2"})
    units = fitted.examples(today)
    assert np.isfinite(fitted.scores(units)[:, :3]).all()
    nothing = np.zeros(len(units), bool)
    fitted.fine_tune(units, nothing, update={"replay": 0}, seed=1)
    kinds = len(before.weights["kind.weight"])
    after = fitted.parameters
    assert len(after.weights["kind.weight"]) == kinds + 1
    assert len(after.optimizer["exp_avg/kind.weight"]) == kinds + 1
    fitted.absorb(today, units, nothing)
    assert "éclair" in fitted.known.words.terms.row_of
    assert "ask" in fitted.known.words.types.row_of
    tomorrow = fitted.examples(shop_day(TOMORROW, {**ask, "user_id": "u3"}))
    fitted.fine_tune(tomorrow, nothing, update={"replay": 0}, seed=1)
    asker = tomorrow.take(tomorrow.unit_ids == "u3")
    assert np.isfinite(fitted.scores(asker)[asker.views.buy_1 >= 0]).all()
    assert "ask" in set(fitted.outputs(TOMORROW)["next_event"]["event_type"])


def test_a_new_user_is_foretold_from_the_next_day_on(fitted: BehaviorLearner) -> None:
    today = shop_day(TODAY, {"user_id": "stranger", "item_id": "wine"})
    units = fitted.examples(today)
    assert "stranger" not in units.unit_ids
    fitted.absorb(today, units, np.zeros(len(units), bool))
    tomorrow = fitted.examples(day_of_trade(TOMORROW))
    assert "stranger" in tomorrow.unit_ids
    assert np.isfinite(fitted.scores(tomorrow)[:, :3]).all()


@pytest.mark.parametrize("columns", [["item_id"], ["item_id", "category"]])
def test_a_day_without_events_is_an_empty_day(fitted: BehaviorLearner, columns: list[str]) -> None:
    today = shop_day(TODAY, items=catalogue().iloc[:0][columns])
    units = fitted.examples(today)
    assert len(units) == len(fitted.quality(units, fitted.scores(units))) == 0
    assert len(fitted.loss(units)) == len(fitted.unit_scores(units, fitted.scores(units))) == 0
    assert fitted.fine_tune(units, np.zeros(0, bool), update={}, seed=1) == []
    waiting = len(fitted.waiting.views)
    fitted.absorb(today, units, np.zeros(0, bool))
    assert len(fitted.waiting.views) == waiting
    assert len(fitted.examples(day_of_trade(TOMORROW))) == len(fitted.known.words.users)


def test_older_parameters_serve_a_larger_vocabulary(
    fitted: BehaviorLearner, tmp_path: Path
) -> None:
    fitted.save_parameters(tmp_path)
    fitted.absorb(shop_day(TODAY, {"event_type": "wave", "item_id": None}), None, None)
    fitted.load_parameters(tmp_path)
    units = fitted.examples(day_of_trade(TOMORROW))
    assert np.isfinite(fitted.scores(units)[:, :3]).all()


def test_what_is_not_a_number_is_refused(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    before = {name: array.copy() for name, array in fitted.parameters.weights.items()}
    units.views.inputs[0, 0] = np.nan
    with pytest.raises(DivergedError, match="loss"):
        fitted.fine_tune(units, np.zeros(len(units), bool), update={"replay": 0}, seed=1)
    assert all(np.array_equal(fitted.parameters.weights[name], before[name]) for name in before)


def test_quality_has_a_row_for_every_user(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    table = fitted.quality(units, fitted.scores(units))
    assert table["unit"].tolist() == units.unit_ids.tolist()
    assert table["log_loss"].notna().all()
    assert table[["next_type_log_loss", "next_query_log_loss"]].notna().all().all()
    assert table["next_category_hit@10"].dropna().isin([0, 1]).all()
    expected = fitted.unit_scores(units, fitted.scores(units))
    assert expected.shape == (len(units),)
    assert (expected > 0).all()


def test_what_users_like_is_likelier(fitted: BehaviorLearner) -> None:
    likely = fitted.outputs(TODAY)["behavior"]
    user = likely["user_id"].str[1:].astype(int)
    place = likely["category"].map({name: n for n, name in enumerate(CATEGORIES)})
    liked = (place - user) % 6 < 2
    for horizon in ("buy_1_day", "buy_7_days"):
        assert likely[horizon][liked].mean() > likely[horizon][~liked].mean() + 0.02


def test_the_outputs_are_tables_by_user(fitted: BehaviorLearner) -> None:
    tables = fitted.outputs(TODAY)
    assert set(tables) == {"behavior", "next_event", "next_query"}
    likely = tables["behavior"]
    assert likely.columns.tolist() == ["user_id", "category", "buy_1_day", "buy_7_days"]
    assert likely.groupby("user_id").size().eq(5).all()
    total = tables["next_event"].groupby("user_id")["probability"].sum()
    assert np.allclose(total, 1, atol=1e-5)
    assert {"none", "purchase", "search", "view"} == set(tables["next_event"]["event_type"])


def test_state_needs_no_torch() -> None:
    code = (
        "import sys; from tests.lightning_modules.behavior.small_shop import seasoned;"
        "seasoned(3); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

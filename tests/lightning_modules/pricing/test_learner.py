"""The pricing learner end to end: it learns, resumes bit for bit, keeps its promises."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.learner import DivergedError, Learner, LearnerFileError, ShopDay
from lightning_modules.pricing.item_days import TODAY, UNITS
from lightning_modules.pricing.learner import PricingLearner
from tests.lightning_modules.elsewhere import learned_elsewhere
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    catalogue,
    files,
    held_out,
    learn,
    live_through,
    market_day,
    posts,
    saved,
    sold,
)

TODAY_IS = FIRST + timedelta(28)
TOMORROW = TODAY_IS + timedelta(1)


def test_it_is_a_learner() -> None:
    kind: type[Learner] = PricingLearner
    assert (kind.unit, kind.metric, kind.higher_is_better) == ("item_id", "deviance", False)


def test_fitting_beats_the_start_and_the_naive_rival(tmp_path: Path) -> None:
    learner = PricingLearner.new({**SETTINGS, "members": 2})
    for number in range(60):
        live_through(learner, number, tmp_path if number >= 11 else None)
    lazy = {"learning_rate": 1e-7, "embedding_learning_rate": 1e-7, "batch_size": 32, "epochs": 1}
    examples = learner.examples(market_day(FIRST + timedelta(60)))
    found = []
    for settings in (lazy, {"batch_size": 32, "epochs": 20}):
        learner.fit(tmp_path, settings=settings, seed=1)
        table = learner.quality(examples, learner.scores(examples))
        found.append(table["deviance"].mean())
    naive = learner.quality(examples, learner.naive_scores(examples))["deviance"].mean()
    assert found[1] < min(found[0], naive)


def test_a_learner_resumed_in_another_process_learns_the_same_bits(
    priced: PricingLearner, tmp_path: Path
) -> None:
    learn(priced, TODAY_IS)
    saved(priced, tmp_path / "today")
    shop = "tests.lightning_modules.pricing.tiny_market"
    learned_elsewhere(PricingLearner, shop, tmp_path / "today", TOMORROW, tmp_path / "resumed")
    learn(priced, TOMORROW)
    assert saved(priced, tmp_path / "straight") == files(tmp_path / "resumed")


def test_saving_twice_gives_the_same_bytes(priced: PricingLearner, tmp_path: Path) -> None:
    first = saved(priced, tmp_path / "first")
    again = PricingLearner.load(tmp_path / "first", SETTINGS)
    assert saved(again, tmp_path / "second") == first
    assert set(first) == {
        "model.safetensors",
        "learner.safetensors",
        "state.safetensors",
        "replay.safetensors",
        "vocabulary.json",
    }


def test_examples_change_nothing(priced: PricingLearner, tmp_path: Path) -> None:
    before = saved(priced, tmp_path / "before")
    examples = priced.examples(market_day(TODAY_IS))
    priced.quality(examples, priced.scores(examples))
    priced.outputs(TODAY_IS)
    assert saved(priced, tmp_path / "after") == before


def test_a_day_is_taken_in_once(priced: PricingLearner) -> None:
    day = market_day(TODAY_IS)
    priced.absorb(day, None, None)
    with pytest.raises(ValueError, match="once"):
        priced.absorb(day, None, None)
    with pytest.raises(ValueError, match="already"):
        priced.examples(day)


def test_features_know_nothing_of_the_day_but_its_prices(priced: PricingLearner) -> None:
    day = market_day(TODAY_IS)
    known = priced.examples(day)
    nothing_sold = ShopDay(day.day, sold(("u1", "p9", 1)), day.items, day.prices)
    blind = priced.examples(nothing_sold)
    assert np.array_equal(known.features, blind.features)
    assert np.array_equal(known.forecasts, blind.forecasts, equal_nan=True)
    unpriced = priced.examples(ShopDay(day.day, day.events, day.items, posts()))
    assert not np.array_equal(known.features, unpriced.features)


def test_held_out_units_teach_nothing(priced: PricingLearner, tmp_path: Path) -> None:
    examples = priced.examples(market_day(TODAY_IS))
    holdout = held_out(examples)
    assert 0 < holdout.sum() < len(examples)
    priced.save_parameters(tmp_path)
    priced.fine_tune(examples, holdout, update={"replay": 0, "replay_recent": 0}, seed=1)
    whole = {name: array.copy() for name, array in priced.parameters.weights.items()}
    priced.load_parameters(tmp_path)
    labels = examples.labels.copy()
    labels[holdout] = 99
    told = replace(examples, labels=labels)
    priced.fine_tune(told, holdout, update={"replay": 0, "replay_recent": 0}, seed=1)
    for name, array in priced.parameters.weights.items():
        assert np.array_equal(array, whole[name])


def test_frozen_units_are_never_replayed(priced: PricingLearner) -> None:
    frozen = priced.frozen()
    assert 0 < len(frozen) <= SETTINGS["frozen_size"]
    assert (frozen.keys % np.uint64(3) == 0).all()
    own = frozen.training_rows().keys
    assert not np.isin(own, priced.memory.replay.keys).any()
    losses = priced.loss(frozen)
    assert (losses >= 0).all()  # half the deviance, a mean over the members
    quality = priced.quality(frozen, priced.scores(frozen))
    assert losses.mean() == pytest.approx(quality["deviance"].mean() / 2, rel=0.2)


def test_new_items_get_rows_and_old_weights_stay(priced: PricingLearner) -> None:
    tracked = len(priced.kept.state.tracked)
    before = priced.parameters.weights["day.item.weight"]
    for number in range(25):
        rows = [(f"u{user}", "p77", 3.0) for user in range(10)]
        day = ShopDay(TODAY_IS + timedelta(number), sold(*rows), catalogue("p77"), posts())
        priced.absorb(day, None, None)
    examples = priced.examples(market_day(TODAY_IS + timedelta(25)))
    assert "p77" in examples.item_ids
    assert np.isfinite(priced.scores(examples)).all()
    nobody = np.ones(len(examples), bool)
    priced.fine_tune(examples, nobody, update={}, seed=1)
    after = priced.parameters.weights["day.item.weight"]
    assert len(after) > tracked
    assert np.array_equal(after[:tracked], before)


def test_a_closed_day_has_no_units_and_counts_nothing(priced: PricingLearner) -> None:
    closed = ShopDay(TODAY_IS, sold(), catalogue().iloc[:0], posts())
    examples = priced.examples(closed)
    assert len(examples) == len(priced.quality(examples, priced.scores(examples))) == 0
    assert priced.fine_tune(examples, np.zeros(0, bool), update={}, seed=1) == []
    sales, history = priced.kept.state.watched.sold.copy(), priced.kept.history
    priced.absorb(closed, examples, np.zeros(0, bool))
    assert priced.kept.history is history
    assert np.array_equal(priced.kept.state.watched.sold, sales)


def test_what_is_not_a_number_is_refused(priced: PricingLearner) -> None:
    examples = priced.examples(market_day(TODAY_IS))
    before = priced.parameters
    examples.features[0, TODAY, 0] = np.nan
    with pytest.raises(DivergedError, match="loss"):
        priced.fine_tune(examples, np.zeros(len(examples), bool), update={}, seed=1)
    assert priced.parameters.weights["day.item.weight"] is before.weights["day.item.weight"]


def test_other_settings_than_the_bundle_was_made_with_are_refused(
    priced: PricingLearner, tmp_path: Path
) -> None:
    saved(priced, tmp_path / "bundle")
    for changed in ({"members": 4}, {"hidden": [8, 8]}, {"width": 1}):
        with pytest.raises(LearnerFileError, match=r"params\.yaml"):
            PricingLearner.load(tmp_path / "bundle", {**SETTINGS, **changed})
    (tmp_path / "bundle" / "state.safetensors").write_bytes(b"")
    with pytest.raises(LearnerFileError, match=r"state\.safetensors"):
        PricingLearner.load(tmp_path / "bundle", SETTINGS)


def test_settings_that_are_none_are_refused() -> None:
    for wrong in ({"itmes": 3}, {"likelihood": "gauss"}, {"bag": 0.0}, {"members": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PricingLearner.new(wrong)
    with pytest.raises(ValueError, match=r"2024-31-03"):
        PricingLearner.new({"holidays": {"easter": ["2024-31-03"]}})


def test_an_untrained_learner_says_so(seasoned: PricingLearner) -> None:
    examples = seasoned.examples(market_day(FIRST + timedelta(21)))
    assert np.isnan(examples.forecasts).all()
    assert np.isfinite(examples.labels[:, TODAY, UNITS]).all()
    with pytest.raises(ValueError, match="fit it"):
        seasoned.scores(examples)


def test_quality_always_has_its_deciding_column(priced: PricingLearner) -> None:
    examples = priced.examples(market_day(TODAY_IS))
    table = priced.quality(examples, priced.scores(examples))
    assert table["unit"].tolist() == examples.item_ids.tolist()
    assert np.isfinite(table["deviance"]).all()
    assert set(PricingLearner.shown) <= set(table)
    units = priced.unit_scores(examples, priced.scores(examples))
    assert units.shape == (len(examples),)
    assert (units >= 0).all()


def test_state_needs_no_torch() -> None:
    code = (
        "import sys, json; from lightning_modules.pricing.learner import PricingLearner as L;"
        "from tests.lightning_modules.pricing.tiny_market import *;"
        "learner = L.new(SETTINGS); [live_through(learner, n) for n in range(9)];"
        "learner.examples(market_day(FIRST + timedelta(9)));"
        "print(json.dumps([n in sys.modules for n in ('torch', 'lightning')]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(shown) == [False, False]

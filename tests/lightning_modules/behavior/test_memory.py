"""What was frozen, or is to prove the first champion, is never trained on, early or late."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_modules.behavior.examples import no_units
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.sources import SpooledDays, Units
from lightning_modules.behavior.views import UNKNOWN, Views, user_days
from lightning_modules.hashing import in_holdout
from tests.lightning_modules.behavior.small_shop import (
    FIRST,
    SETTINGS,
    day_of_trade,
    held_out,
    learn,
    seasoned,
)

DAYS = 20
TODAY = FIRST + timedelta(DAYS)
HELD_OUT_USERS = [0, 4, 8]  # by `held_out`: all users are known from the second day on


def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[Views]:
    """The views of all that is trained on from now on, filled as it happens."""
    seen: list[Views] = []
    train: Any = BehaviorLearner._train

    def noted(learner: BehaviorLearner, source: Any, rule: dict[str, Any], seed: int) -> Any:
        if isinstance(source, Units):
            seen.append(source.units.views)
        else:
            seen.extend(source.read(path).views for path in source.paths)
        return train(learner, source, rule, seed)

    monkeypatch.setattr(BehaviorLearner, "_train", noted)
    return seen


def test_no_frozen_view_is_ever_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = trained_on(monkeypatch)
    learner = seasoned(DAYS, tmp_path)
    learner.fit(tmp_path, settings={"batch_size": 32, "epochs": 1}, seed=1)
    frozen = set(user_days(learner.frozen().views))
    for number in range(DAYS, DAYS + 10):
        today = day_of_trade(FIRST + timedelta(number))
        units = learner.examples(today)
        holdout = in_holdout(units.keys, 0.3)  # other users each day, as in the daily loop
        learner.fine_tune(units, holdout, update={"batch_size": 32, "replay": 16}, seed=number)
        learner.absorb(today, units, holdout)
        frozen |= set(user_days(learner.frozen().views))
    assert len(frozen) > SETTINGS["frozen_size"]
    assert sum(int((views.buy_7 != UNKNOWN).sum()) for views in seen) > 0
    assert frozen.isdisjoint(np.concatenate([user_days(views) for views in seen]))


def test_a_frozen_unit_keeps_the_days_own_view_only(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    assert units.per_unit.max() > 1
    frozen = fitted.memory.take(units.training_part(), held_out(units))
    kept = fitted.frozen()
    assert 0 < frozen.sum() <= SETTINGS["frozen_a_day"]
    assert (frozen & ~held_out(units)).sum() == 0
    assert (kept.per_unit == 1).all()
    assert (kept.views.buy_7 == UNKNOWN).all()
    assert np.array_equal(kept.views.user, kept.users)


def test_a_fit_leaves_out_what_is_frozen_also_where_others_spooled_it_late(
    fitted: BehaviorLearner, tmp_path: Path
) -> None:
    other = seasoned(DAYS // 2)
    for number in range(DAYS // 2, DAYS + 6):
        today = day_of_trade(FIRST + timedelta(number))
        units = other.examples(today)
        other.spool(units, tmp_path / f"{number}.safetensors")
        other.absorb(today, units, None)
    frozen = user_days(fitted.frozen().views)
    spooled, read = (
        np.concatenate([user_days(source.read(path).views) for path in source.paths])
        for source in (
            SpooledDays(tmp_path, 8, no_units(units.views)),
            SpooledDays(tmp_path, 8, fitted.frozen()),
        )
    )
    assert np.isin(frozen, spooled).all()
    assert not np.isin(frozen, read).any()
    assert len(spooled) - 3 * len(frozen) <= len(read) < len(spooled)


def test_what_proves_the_first_champion_waits_for_no_late_label(tmp_path: Path) -> None:
    learner = seasoned(DAYS, tmp_path)
    waiting = learner.waiting.views
    assert len(waiting) > 0
    assert not np.isin(waiting.user, HELD_OUT_USERS).any()
    learner.fit(tmp_path, settings={"batch_size": 32, "epochs": 1}, seed=1)
    for number in range(DAYS, DAYS + 3):
        learn(learner, FIRST + timedelta(number))
    assert np.isin(learner.waiting.views.user, HELD_OUT_USERS).any()


def test_a_unit_without_a_sampled_row_has_no_loss_and_is_not_frozen(
    fitted: BehaviorLearner,
) -> None:
    part = fitted.examples(day_of_trade(TODAY)).training_part()
    bare = np.isin(part.unit, [0, 4])
    part = replace(part, views=part.views.take_rows(~bare))
    there = np.bincount(part.unit, minlength=len(part)) > 0
    loss = fitted.loss(part)
    assert np.isnan(loss[[0, 4]]).all()
    assert np.array_equal(np.isfinite(loss), there)
    frozen = fitted.memory.take(part, np.isin(np.arange(len(part)), [0, 4, 8]))
    assert np.flatnonzero(frozen).tolist() == [8]

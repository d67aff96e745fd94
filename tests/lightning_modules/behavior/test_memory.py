"""What was frozen, or is to prove the first champion, is never trained on, early or late."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_modules.behavior.examples import no_units
from lightning_modules.behavior.learner import REPLAY_FILE, BehaviorLearner
from lightning_modules.behavior.memory import bought_category, own_inputs
from lightning_modules.behavior.settings import Settings
from lightning_modules.behavior.sources import SpooledDays, Units
from lightning_modules.behavior.views import UNKNOWN, Views, user_days
from lightning_modules.files import read_arrays
from lightning_modules.hashing import in_holdout
from lightning_modules.replay import POLICIES
from tests.lightning_modules.behavior.small_shop import (
    FIRST,
    SETTINGS,
    day_of_trade,
    held_out,
    learn,
    live_through,
    saved,
    seasoned,
)
from tests.lightning_modules.luck import FROZEN, REPLAY, luck, luckiest

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


def by_policy(policy: str, folder: Path) -> BehaviorLearner:
    """Sixteen days old, its memory full."""
    learner = BehaviorLearner.new({**SETTINGS, "replay_policy": policy, "replay_size": 30})
    for number in range(16):
        live_through(learner, FIRST + timedelta(number), folder if number > 6 else None)
    return learner


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_loaded_memory_takes_the_next_day_as_if_it_had_never_been_away(
    policy: str, tmp_path: Path
) -> None:
    told = {**SETTINGS, "replay_policy": policy, "replay_size": 30}
    straight, frozen = by_policy(policy, tmp_path), set[int]()
    for number in range(16, 19):
        here = tmp_path / f"before {number}"
        saved(straight, here)
        again = BehaviorLearner.load(here, told)
        for one in (straight, again):
            live_through(one, FIRST + timedelta(number), tmp_path)
        kept = saved(straight, tmp_path / f"straight {number}")
        assert saved(again, tmp_path / f"again {number}") == kept
        assert len(straight.memory.replay) == 30
        frozen |= set(straight.frozen().keys.tolist())
        assert frozen.isdisjoint(straight.memory.replay.keys.tolist())


def test_what_is_kept_by_default_is_the_newest_of_a_share() -> None:
    learner, offered, held = seasoned(7), list[int](), list[int]()
    for number in range(7, 27):
        today = day_of_trade(FIRST + timedelta(number))
        units = learner.examples(today)
        learner.absorb(today, units, held_out(units))
        part = units.training_part().todays_part()
        judged = np.bincount(part.unit, minlength=len(part)) > 0
        frozen = luckiest(units.keys[held_out(units) & judged], FROZEN, 2)
        lucky = (key for key in units.keys.tolist() if luck(key, REPLAY) / 2**64 < 0.5)
        offered += [key for key in lucky if key not in frozen]
        held += frozen
    assert len(offered) > 80
    assert learner.memory.replay.keys.tolist() == offered[-60:]
    assert sorted(learner.frozen().keys) == sorted(luckiest(held, FROZEN, 8))


def test_only_herding_keeps_more_than_units(tmp_path: Path) -> None:
    names = {}
    for policy in POLICIES:
        by_policy(policy, tmp_path).save(tmp_path)
        names[policy] = set(read_arrays(tmp_path / REPLAY_FILE))
    assert names["herding"] == names["uniform"] | {"moments"}
    assert names["balanced"] == names["newest"] == names["uniform"]


def test_a_bundle_of_one_policy_goes_on_under_any_other(tmp_path: Path) -> None:
    for before in POLICIES:
        saved(by_policy(before, tmp_path), tmp_path / before)
        for after in POLICIES:
            told = {**SETTINGS, "replay_policy": after, "replay_size": 25}
            learner = BehaviorLearner.load(tmp_path / before, told)
            live_through(learner, FIRST + timedelta(16), tmp_path)
            assert len(learner.memory.replay) == 25
            assert (learner.memory.moments is not None) == (after == "herding")


def test_a_unit_is_of_a_category_bought_that_day_and_has_what_was_known_of_its_user(
    fitted: BehaviorLearner,
) -> None:
    units = fitted.memory.replay
    found, inputs = bought_category(units), own_inputs(units)
    starts = np.cumsum(units.per_unit) - units.per_unit
    assert units.per_unit.max() > 1
    assert np.array_equal(inputs, units.views.inputs[starts])
    for number, start in enumerate(starts):
        rows = (units.views.view == start) & (units.views.buy_1 == 1)
        assert found[number] in (units.views.column[rows].tolist() or [-1])
    assert (found >= 0).any()
    assert (found < 0).any()


def test_a_policy_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'latest' is none of .*'newest'"):
        Settings.read({"replay_policy": "latest"})

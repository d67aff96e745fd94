"""Users who stay away are let go, and who gets their rows is a stranger."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.state import BehaviorState
from lightning_modules.behavior.waiting import HORIZON
from lightning_modules.learner import ShopDay
from tests.lightning_modules.behavior.small_shop import (
    FIRST,
    SETTINGS,
    day_of_trade,
    held_out,
    saved,
    shop_day,
)

TODAY = FIRST + timedelta(20)


def day(number: int) -> date:
    return TODAY + timedelta(number)


def trade(number: int, *rows: dict[str, Any], without: str = "u4") -> ShopDay:
    """A day of all but one of the twelve, and of whoever comes besides."""
    whole, more = day_of_trade(day(number)).events, shop_day(day(number), *rows).events
    events = pd.concat([whole[whole["user_id"] != without], more], ignore_index=True)
    return replace(shop_day(day(number)), events=events)


def lives(learner: BehaviorLearner, *days: ShopDay) -> None:
    for today in days:
        units = learner.examples(today)
        learner.absorb(today, units, held_out(units))


def unit(units: UserDays, name: str) -> UserDays:
    return units.take(units.unit_ids == name)


@pytest.fixture
def forgets(champion: Path) -> BehaviorLearner:
    """A learner of the twelve users, of whom u4 has not come for three days."""
    learner = BehaviorLearner.load(champion, SETTINGS | {"expire_days": 3})
    lives(learner, *(trade(number) for number in range(4)))
    return learner


def test_who_stays_away_is_gone_from_everything(
    fitted: BehaviorLearner, forgets: BehaviorLearner
) -> None:
    row = fitted.known.words.users.row_of["u4"]
    assert forgets.known.words.users.free == [row]
    state = forgets.known.state
    for table in (state.users, state.pairs):
        assert not any(array[row].any() for array in vars(table).values())
    assert not forgets.known.sequences.past.kind[row].any()
    assert state.people == 11
    assert row in fitted.waiting.views.user
    assert row not in forgets.waiting.views.user
    assert all(np.isnan(served[row]).all() for served in forgets.waiting.served)
    assert not np.isnan(forgets.waiting.served[-1][row + 1]).any()
    for units in (forgets.memory.replay, forgets.memory.frozen, forgets.examples(trade(4))):
        assert "u4" not in units.unit_ids
        assert row not in units.users
        assert len(units)
    shown = forgets.outputs(day(4))
    assert all(table["user_id"].nunique() == 11 for table in shown.values())


def test_who_stays_keeps_what_is_known(fitted: BehaviorLearner, forgets: BehaviorLearner) -> None:
    lives(fitted, *(trade(number) for number in range(4)))
    kept, row = fitted.known.state, fitted.known.words.users.row_of["u4"]
    for name in ("users", "pairs"):
        for column, array in vars(getattr(forgets.known.state, name)).items():
            before = getattr(getattr(kept, name), column)
            assert np.array_equal(np.delete(array, row, 0), np.delete(before, row, 0))
    others = fitted.memory.replay.unit_ids != "u4"
    assert np.array_equal(fitted.memory.replay.keys[others], forgets.memory.replay.keys)


def test_who_gets_the_row_of_another_is_a_stranger(forgets: BehaviorLearner) -> None:
    row = forgets.known.words.users.free[0]
    rows = [{"user_id": name, "item_id": "wine"} for name in ("heir", "later")]
    lives(forgets, trade(4, *rows))
    assert forgets.known.words.users.find(["heir", "later"]).tolist() == [row, 12]
    units = forgets.examples(trade(5, *rows))
    heir, later = unit(units, "heir"), unit(units, "later")
    for name in ("inputs", "visits", "features", "bits", "past_kind", "past_category", "share"):
        one, other = getattr(heir.views, name), getattr(later.views, name)
        assert np.array_equal(one, other), name
    scores = forgets.scores(heir), forgets.scores(later)  # the heir came a minute before
    np.testing.assert_allclose(*scores, rtol=1e-5)
    for number in range(5, 4 + HORIZON + 1):
        today = trade(number, *rows)
        units = forgets.examples(today)
        for name, known in (("heir", 4), ("u0", 0)):  # the night from which on it was served
            told = ~np.isnan(unit(units, name).served).any(axis=1)
            assert told.tolist() == [number >= known + HORIZON]
        forgets.absorb(today, units, held_out(units))


def test_a_bundle_that_forgets_is_resumed_bit_for_bit(champion: Path, tmp_path: Path) -> None:
    told = SETTINGS | {"expire_days": 2, "admit_after": 2}
    straight, resumed = (BehaviorLearner.load(champion, told) for _ in range(2))
    for number in range(5):
        guest = {"user_id": f"guest {number // 2}"}
        for learner in (straight, resumed):
            lives(learner, trade(number, guest))
        bundle = saved(resumed, tmp_path / f"{number}")
        resumed = BehaviorLearner.load(tmp_path / f"{number}", told)
    assert {"u4", "guest 0"} <= set(straight.known.words.users.gone)
    assert saved(straight, tmp_path / "straight") == bundle


def test_a_guest_is_nobody_until_admitted(champion: Path) -> None:
    guest = {"user_id": "guest", "item_id": "wine"}
    without, with_guest = (
        BehaviorLearner.load(champion, SETTINGS | {"admit_after": 2}) for _ in range(2)
    )
    lives(without, trade(0))
    lives(with_guest, trade(0, guest))
    for name, table in vars(with_guest.known.state).items():
        one = vars(table) if hasattr(table, "__dict__") else {name: table}
        other = getattr(without.known.state, name)
        for column, array in one.items():
            assert np.array_equal(array, getattr(other, column, other)), column
    assert with_guest.known.words.users.counted == {"guest": 1}
    lives(with_guest, trade(1, guest))
    assert with_guest.known.words.users.row_of["guest"] == 12
    assert with_guest.known.state.users.count[12] == 1


def room(state: BehaviorState) -> int:
    return len(state.users.count) + len(state.pairs.count)


def test_with_expiry_two_hundred_days_of_newcomers_take_no_more_room() -> None:
    forgets = BehaviorLearner.new(SETTINGS | {"expire_days": 5})
    keeps = BehaviorLearner.new(SETTINGS)
    taken: dict[int, tuple[int, int]] = {}
    for number in range(200):
        rows = [{"user_id": f"u{number // 2 - place}"} for place in range(4)]
        for learner in (forgets, keeps):
            learner.absorb(shop_day(FIRST + timedelta(number), *rows), None, None)
        taken[number] = room(forgets.known.state), room(keeps.known.state)
    assert taken[199][0] == taken[99][0] < 20
    assert taken[199][1] == taken[99][1] + 2 * 50


def test_a_rule_of_nothing_is_refused_at_once() -> None:
    for told in ({"admit_after": 0}, {"expire_days": 0}):
        with pytest.raises(ValueError, match="at least 1 is needed"):
            BehaviorLearner.new(SETTINGS | told)
    with pytest.raises(ValueError, match="unknown setting 'warm_start'"):
        BehaviorLearner.new(SETTINGS | {"warm_start": True})

"""What is kept to replay, by each policy."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.files import read_arrays
from lightning_modules.pricing.item_days import SLOTS
from lightning_modules.pricing.learner import REPLAY_FILE, PricingLearner
from lightning_modules.pricing.settings import Settings
from lightning_modules.replay import POLICIES
from tests.lightning_modules.luck import FROZEN, REPLAY, luck, luckiest
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    held_out,
    live_through,
    market_day,
    saved,
)

SIZE, RECENT = 60, SETTINGS["recent_days"]


def told(policy: str, size: int = SIZE) -> dict[str, object]:
    return {**SETTINGS, "replay_policy": policy, "replay_size": size}


def by_policy(policy: str, folder: Path) -> PricingLearner:
    """Sixteen days old, its memory full."""
    learner = PricingLearner.new(told(policy))
    for number in range(16):
        live_through(learner, number, folder if number > 5 else None)
    return learner


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_loaded_memory_takes_the_next_day_as_if_it_had_never_been_away(
    policy: str, tmp_path: Path
) -> None:
    straight, frozen = by_policy(policy, tmp_path), set[int]()
    for number in range(16, 19):
        here = tmp_path / f"before {number}"
        saved(straight, here)
        again = PricingLearner.load(here, told(policy))
        drawn = straight.memory.replayed(20, 5, seed=1)
        assert np.array_equal(again.memory.replayed(20, 5, seed=1).keys, drawn.keys)
        for one in (straight, again):
            live_through(one, number, tmp_path)
        kept = saved(straight, tmp_path / f"straight {number}")
        assert saved(again, tmp_path / f"again {number}") == kept
        frozen |= rows_of(straight.memory.frozen.keys.tolist())
        assert frozen.isdisjoint(straight.memory.replay.keys.tolist())


def rows_of(units: list[int]) -> set[int]:
    """The keys of all rows that units may have."""
    return {luck((unit + slot) % 2**64, 0) for unit in units for slot in range(SLOTS)}


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_memory_holds_no_more_than_its_places_and_the_last_days(
    policy: str, tmp_path: Path
) -> None:
    memory = by_policy(policy, tmp_path).memory
    old = memory.replay.day <= memory.replay.day.max() - RECENT
    assert old.sum() <= SIZE
    assert len(memory.replayed(1000, 0, seed=1)) == SIZE


def test_what_is_kept_by_default_is_the_luckiest_of_all_rows_and_those_of_the_last_days() -> None:
    learner, held = PricingLearner.new({**SETTINGS, "replay_size": SIZE}), list[int]()
    offered: list[tuple[int, int]] = []
    for number in range(16):
        day = market_day(FIRST + timedelta(number))
        units = learner.examples(day)
        learner.absorb(day, units, held_out(units))
        held += luckiest(units.keys[held_out(units)], FROZEN, 2)
        rows = units.take(~held_out(units)).training_rows()
        offered += zip(rows.keys.tolist(), rows.day.tolist(), strict=True)
    kept = set(luckiest((key for key, _ in offered), REPLAY, SIZE))
    last = max(day for _, day in offered)
    assert len(offered) > 2 * SIZE
    assert learner.memory.replay.keys.tolist() == [
        key for key, day in offered if key in kept or day > last - RECENT
    ]
    assert sorted(learner.frozen().keys) == sorted(luckiest(held, FROZEN, 12))
    drawn = learner.memory.replayed(1000, 0, seed=1)
    assert sorted(drawn.keys) == sorted(kept)


def test_balanced_replays_as_much_of_a_category_with_few_items(tmp_path: Path) -> None:
    learner, of_one_item = by_policy("uniform", tmp_path), {}
    rows = learner.memory.replay
    rows.category[:] = rows.item > 0
    for policy in ("uniform", "balanced"):
        learner.memory.replay_policy = policy
        of_one_item[policy] = (learner.memory.replayed(1000, 0, seed=1).category == 0).sum()
    assert of_one_item["balanced"] == min((rows.category == 0).sum(), SIZE // 2)
    assert of_one_item["balanced"] > of_one_item["uniform"]


def test_only_herding_keeps_more_than_rows(tmp_path: Path) -> None:
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
            learner = PricingLearner.load(tmp_path / before, told(after, 50))
            live_through(learner, 16, tmp_path)
            assert len(learner.memory.replayed(1000, 0, seed=1)) == 50
            assert (learner.memory.moments is not None) == (after == "herding")


def test_a_policy_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'latest' is none of .*'newest'"):
        Settings.read({"replay_policy": "latest"})
    with pytest.raises(ValueError, match=r"herding.*60000.*at most"):
        Settings.read({"replay_policy": "herding"})

"""Streaming lists: all of them, once an epoch, a few days at a time."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.events import Events
from lightning_modules.recommendation.lists import joined, spool, unspool
from lightning_modules.recommendation.sources import SpooledDays
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
)

NOBODY = np.zeros(0, np.uint64)


@pytest.fixture
def spooled(tmp_path: Path) -> Path:
    learner = seasoned(3)
    for number in range(3, 8):
        day = FIRST + timedelta(number)
        lists = learner.examples(shop_day(day_of_trade(day), no_items(), day))
        spool(lists, tmp_path / f"{day}.safetensors")
    return tmp_path


def test_a_spooled_day_is_its_training_part(tmp_path: Path) -> None:
    day = FIRST + timedelta(3)
    lists = seasoned(3).examples(shop_day(day_of_trade(day), no_items(), day))
    spool(lists, tmp_path / "day.safetensors")
    again = unspool(tmp_path / "day.safetensors")
    assert np.array_equal(again.features, lists.training_part().features)
    assert np.array_equal(again.keys, lists.keys)
    assert again.negative_share == lists.sampling_share


def test_an_epoch_is_every_list_once(spooled: Path) -> None:
    days = SpooledDays(spooled, 2, NOBODY)
    windows = list(days.windows(np.random.default_rng(1)))
    everything = joined([unspool(path) for path in sorted(spooled.iterdir())])
    wanted = everything.keys[everything.hit]
    found = np.concatenate([window.keys for window in windows])
    assert sorted(found) == sorted(wanted)
    assert len(windows) == 3


def test_batches_hold_whole_lists_and_repeat_with_the_seed(spooled: Path) -> None:
    days = SpooledDays(spooled, 2, NOBODY)
    first, again, other = (list(Events(days, 4, seed).train_dataloader()) for seed in (1, 1, 2))
    assert len(first) <= Events(days, 4, 1).steps
    assert all(batch.labels[batch.owner == 0].any() for batch in first)
    users = [[batch.users.tolist() for batch in batches] for batches in (first, again, other)]
    assert users[0] == users[1]
    assert users[0] != users[2]


def test_frozen_lists_are_left_out(spooled: Path) -> None:
    whole = joined([unspool(path) for path in sorted(spooled.iterdir())])
    days = SpooledDays(spooled, 2, whole.keys[:5])
    found = np.concatenate([w.keys for w in days.windows(np.random.default_rng(1))])
    assert not np.isin(found, whole.keys[:5]).any()


def test_an_empty_spool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="spool"):
        SpooledDays(tmp_path, 2, NOBODY)


def test_whole_and_sampled_lists_do_not_join() -> None:
    day = FIRST + timedelta(3)
    lists = seasoned(3).examples(shop_day(day_of_trade(day), no_items(), day))
    with pytest.raises(ValueError, match="training part"):
        joined([lists, lists.training_part()])

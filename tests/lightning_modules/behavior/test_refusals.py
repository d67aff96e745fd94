"""What a behavior learner will not take, and what it says then."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import LearnerFileError
from tests.lightning_modules.behavior.small_shop import (
    FIRST,
    SETTINGS,
    catalogue,
    day_of_trade,
    saved,
    seasoned,
    shop_day,
)

TODAY = FIRST + timedelta(20)
TOMORROW = TODAY + timedelta(1)


@pytest.mark.parametrize("name", ["width", "hidden", "user_width", "past_events", "term_buckets"])
def test_files_of_other_settings_are_refused(champion: Path, name: str) -> None:
    told = SETTINGS[name]
    other = [*told, 4] if isinstance(told, list) else told - 1
    with pytest.raises(LearnerFileError, match=f"made with {name}"):
        BehaviorLearner.load(champion, {**SETTINGS, name: other})


def test_files_of_two_versions_do_not_mix(
    fitted: BehaviorLearner, champion: Path, tmp_path: Path
) -> None:
    fitted.absorb(shop_day(TODAY, {"user_id": "stranger"}), None, None)
    saved(fitted, tmp_path / "later")
    (tmp_path / "later" / "vocabulary.json").write_bytes(
        (champion / "vocabulary.json").read_bytes()
    )
    with pytest.raises(LearnerFileError, match="other users"):
        BehaviorLearner.load(tmp_path / "later", SETTINGS)


@pytest.mark.parametrize("file", ["vocabulary.json", "state.safetensors", "waiting.safetensors"])
def test_a_missing_file_is_named(fitted: BehaviorLearner, tmp_path: Path, file: str) -> None:
    saved(fitted, tmp_path / "some")
    (tmp_path / "some" / file).unlink()
    with pytest.raises(LearnerFileError, match=file):
        BehaviorLearner.load(tmp_path / "some", SETTINGS)


def test_unknown_and_senseless_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown setting 'wdith'"):
        BehaviorLearner.new({"wdith": 3})
    with pytest.raises(ValueError, match="categories is 0"):
        BehaviorLearner.new({"categories": 0})
    with pytest.raises(ValueError, match="waiting_share"):
        BehaviorLearner.new({"waiting_share": 0})


def test_an_untrained_learner_says_so() -> None:
    learner = seasoned(2)
    units = learner.examples(day_of_trade(FIRST + timedelta(2)))
    with pytest.raises(ValueError, match="no parameters yet"):
        learner.scores(units)


def test_a_shop_without_purchases_says_so() -> None:
    learner = BehaviorLearner.new(SETTINGS)
    learner.absorb(shop_day(FIRST, {"event_type": "view"}), None, None)
    with pytest.raises(ValueError, match="no category was bought"):
        learner.examples(shop_day(FIRST + timedelta(1), {}))


def test_a_shop_without_categories_says_so() -> None:
    learner = BehaviorLearner.new(SETTINGS)
    items = catalogue()[["item_id"]]
    learner.absorb(shop_day(FIRST, items=items.iloc[:0]), None, None)
    learner.absorb(shop_day(FIRST + timedelta(1), {"item_id": "milk"}, items=items), None, None)
    with pytest.raises(ValueError, match="let the source's items name their categories"):
        learner.examples(shop_day(FIRST + timedelta(2), {"item_id": "milk"}))


def test_an_event_without_a_user_is_refused(fitted: BehaviorLearner) -> None:
    today = shop_day(TODAY, {"user_id": None})
    today.events["user_id"] = pd.Series([None], dtype="str")
    with pytest.raises(ValueError, match="no user_id"):
        fitted.examples(today)

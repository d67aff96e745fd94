"""Files and settings that do not fit are refused by name."""

from datetime import timedelta
from pathlib import Path

import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation import RecommendationLearner
from tests.lightning_modules.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    day_of_trade,
    no_items,
    saved,
    seasoned,
)

TODAY = FIRST + timedelta(8)


def test_a_damaged_file_is_named(fitted: RecommendationLearner, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    (tmp_path / "state.safetensors").write_bytes(b"nothing")
    with pytest.raises(LearnerFileError, match=r"state\.safetensors"):
        RecommendationLearner.load(tmp_path, SETTINGS)


@pytest.mark.parametrize("name", ["vocabulary.json", "state.safetensors"])
def test_files_of_two_days_do_not_mix(
    fitted: RecommendationLearner, tmp_path: Path, name: str
) -> None:
    before = saved(fitted, tmp_path / "before")
    fitted.absorb(bought(("u99", "i99")), no_items(), None, None, TODAY)
    saved(fitted, tmp_path / "after")
    (tmp_path / "after" / name).write_bytes(before[name])
    with pytest.raises(LearnerFileError, match="one version"):
        RecommendationLearner.load(tmp_path / "after", SETTINGS)


def test_a_missing_file_is_named(fitted: RecommendationLearner, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    (tmp_path / "vocabulary.json").unlink()
    with pytest.raises(LearnerFileError, match=r"vocabulary\.json"):
        RecommendationLearner.load(tmp_path, SETTINGS)


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="'explor'"):
        RecommendationLearner.new({"explor": 3})


def test_an_untrained_learner_says_so() -> None:
    learner = seasoned(2)
    with pytest.raises(ValueError, match="fit it"):
        learner.scores(learner.examples(day_of_trade(TODAY), no_items(), TODAY))

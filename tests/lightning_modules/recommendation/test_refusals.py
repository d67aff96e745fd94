"""Files and settings that do not fit are refused by name."""

from datetime import timedelta
from pathlib import Path

import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    day_of_trade,
    no_items,
    saved,
    seasoned,
    shop_day,
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
    fitted.absorb(shop_day(bought(("u99", "i99")), no_items(), TODAY), None, None)
    saved(fitted, tmp_path / "after")
    (tmp_path / "after" / name).write_bytes(before[name])
    with pytest.raises(LearnerFileError, match="one version"):
        RecommendationLearner.load(tmp_path / "after", SETTINGS)


def test_a_missing_file_is_named(fitted: RecommendationLearner, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    (tmp_path / "vocabulary.json").unlink()
    with pytest.raises(LearnerFileError, match=r"vocabulary\.json"):
        RecommendationLearner.load(tmp_path, SETTINGS)


@pytest.mark.parametrize(
    ("setting", "told", "said"),
    [
        ("hidden", [8], r"hidden = \[16\], but the settings say \[8\]"),
        ("hidden", [16, 16], r"hidden = \[16\], but the settings say \[16, 16\]"),
        ("width", 2, "width = 4, but the settings say 2"),
        ("sampling_share", 0.25, r"sampling_share = 0\.5, but the settings say 0\.25"),
    ],
)
def test_files_made_with_another_setting_are_refused_with_the_cure(
    fitted: RecommendationLearner, tmp_path: Path, setting: str, told: object, said: str
) -> None:
    saved(fitted, tmp_path / "made")
    cure = r"put params\.yaml back, or bootstrap a new line"
    with pytest.raises(LearnerFileError, match=f"made: made with {said}; {cure}"):
        RecommendationLearner.load(tmp_path / "made", SETTINGS | {setting: told})


def test_the_network_of_an_untrained_learner_is_still_to_be_made(tmp_path: Path) -> None:
    saved(seasoned(2), tmp_path / "made")
    wider = SETTINGS | {"hidden": (32, 8), "width": 8}
    learner = RecommendationLearner.load(tmp_path / "made", wider)
    assert not learner.parameters
    with pytest.raises(LearnerFileError, match="sampling_share"):
        RecommendationLearner.load(tmp_path / "made", SETTINGS | {"sampling_share": 0.25})


def test_settings_that_the_files_do_not_fix_can_be_changed(
    fitted: RecommendationLearner, tmp_path: Path
) -> None:
    saved(fitted, tmp_path / "made")
    changed = SETTINGS | {"hidden": (16,), "explore": 5, "replay_size": 10}
    learner = RecommendationLearner.load(tmp_path / "made", changed)
    assert learner.settings.explore == 5


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="'explor'"):
        RecommendationLearner.new({"explor": 3})


def test_an_untrained_learner_says_so() -> None:
    learner = seasoned(2)
    with pytest.raises(ValueError, match="fit it"):
        learner.scores(learner.examples(shop_day(day_of_trade(TODAY), no_items(), TODAY)))

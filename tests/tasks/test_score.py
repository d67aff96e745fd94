"""The champion's batch outputs: all tables of a version, or none."""

from pathlib import Path

import pandas as pd
import pytest

from lightning_modules.recommendation.learner import RecommendationLearner
from tasks import score, workspace
from tasks.bundle import CorruptBundleError
from tasks.due import NoChampionError
from tasks.reference import read_frame
from tests.line import APPLICATION, Place, learn

SHELF = workspace.OUTPUTS / APPLICATION


def write(place: Place) -> list[Path]:
    return score.score(place.ledger, APPLICATION, place.params)


def test_the_tables_are_of_the_head_and_latest_points_at_them(seasoned: Place) -> None:
    written = write(seasoned)
    assert {path.parent for path in written} == {SHELF / seasoned.line.head}
    assert {path.stem for path in written} == {"recommendations", "trending", "bought_together"}
    assert (SHELF / score.LATEST).readlink() == Path(seasoned.line.head)
    top = read_frame(SHELF / score.LATEST / "recommendations.parquet")
    assert top.groupby("user_id")["rank"].max().le(20).all()
    assert {"repeat", "explore"} == set(top["kind"])


def test_the_same_version_is_written_once_and_a_new_one_beside_it(seasoned: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in write(seasoned)}
    assert {path: path.stat().st_mtime_ns for path in write(seasoned)} == before
    learn(seasoned, "keep")
    after = write(seasoned)
    assert all(path.exists() for path in before)
    assert set(after).isdisjoint(before)
    assert (SHELF / score.LATEST).readlink() == Path(seasoned.line.head)


def test_a_run_that_failed_leaves_nothing_of_it(
    seasoned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: RecommendationLearner, day: object) -> dict[str, pd.DataFrame]:
        return {"first": pd.DataFrame({"a": [1]}), "second": None}  # type: ignore[dict-item]

    monkeypatch.setattr(RecommendationLearner, "outputs", broken)
    with pytest.raises(AttributeError):
        write(seasoned)
    assert [path.name for path in SHELF.iterdir()] == [score.LOCK]


def test_a_damaged_head_scores_nobody(seasoned: Place) -> None:
    model = seasoned.head / "model.safetensors"
    model.chmod(0o644)
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(CorruptBundleError):
        write(seasoned)
    assert not (SHELF / score.LATEST).exists()


def test_without_a_champion_there_is_a_cure(empty_place: Place) -> None:
    with pytest.raises(NoChampionError, match="bootstrap flow"):
        write(empty_place)

"""A small shop's first champion, fitted once; a learner of its own for each test."""

from pathlib import Path

import pytest

from lightning_modules.behavior.learner import BehaviorLearner
from tests.lightning_modules.behavior.small_shop import SETTINGS, seasoned


@pytest.fixture(scope="session")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a learner fitted on the last ten of twenty days. Not to be changed."""
    folder = tmp_path_factory.mktemp("behavior")
    (folder / "spool").mkdir()
    (folder / "champion").mkdir()
    learner = seasoned(20, folder / "spool")
    learner.fit(folder / "spool", settings={"batch_size": 8, "epochs": 3}, seed=1)
    learner.save(folder / "champion")
    return folder / "champion"


@pytest.fixture
def fitted(champion: Path) -> BehaviorLearner:
    return BehaviorLearner.load(champion, SETTINGS)

"""A learner that eight days of a tiny shop have made."""

from datetime import timedelta
from pathlib import Path

import pytest

from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.recommendation.tiny_shop import FIRST, live_through, seasoned


@pytest.fixture
def fitted(tmp_path: Path) -> RecommendationLearner:
    """Eight days old, fitted on the last five."""
    learner = seasoned(3)
    spool = tmp_path / "spool"
    spool.mkdir()
    for number in range(3, 8):
        live_through(learner, FIRST + timedelta(number), spool)
    learner.fit(spool, settings={"batch_size": 4, "epochs": 3}, seed=1)
    return learner

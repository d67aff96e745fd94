"""A learner that four weeks of a tiny market have made."""

from pathlib import Path

import pytest

from lightning_modules.pricing.learner import PricingLearner
from tests.lightning_modules.pricing.tiny_market import SETTINGS, live_through


@pytest.fixture
def seasoned() -> PricingLearner:
    """Twenty-one days old, untrained."""
    learner = PricingLearner.new(SETTINGS)
    for number in range(21):
        live_through(learner, number)
    return learner


@pytest.fixture
def priced(tmp_path: Path) -> PricingLearner:
    """Twenty-eight days old, fitted on the last seventeen."""
    learner = PricingLearner.new(SETTINGS)
    spool = tmp_path / "spool"
    spool.mkdir()
    for number in range(28):
        live_through(learner, number, spool if number >= 11 else None)
    learner.fit(spool, settings={"batch_size": 32, "epochs": 4}, seed=1)
    return learner

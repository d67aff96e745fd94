"""What a fit knows of its features before it begins."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from lightning_modules.pricing.features import FEATURES
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.sources import Bag, SpooledDays
from tests.lightning_modules.pricing.tiny_market import FIRST, market_day


def test_a_feature_that_never_moved_is_not_blown_up(
    seasoned: PricingLearner, tmp_path: Path
) -> None:
    examples = seasoned.examples(market_day(FIRST + timedelta(21)))
    seasoned.spool(examples, tmp_path / "day.safetensors")
    days = SpooledDays(tmp_path, 1, np.zeros(0, np.uint64), Bag(1, 1.0))
    centre, spread = days.scale()
    month, base = FEATURES.index("month"), FEATURES.index("base")
    assert spread[month] == 1
    values = examples.features[:, 0, base].astype(np.float64)
    assert np.isclose(spread[base], values.std() + 0.05, atol=1e-5)
    assert np.isclose(centre[base], values.mean(), atol=1e-5)

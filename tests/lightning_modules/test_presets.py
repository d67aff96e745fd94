"""The presets: what they are, and the same arithmetic small, on a CPU."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lightning_modules.behavior import weights as behavior
from lightning_modules.learner import Learner
from lightning_modules.parameters import Parameters
from lightning_modules.pricing import network as pricing
from lightning_modules.pricing.tower import Shape
from lightning_modules.recommendation import network as recommendation
from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.learner import RecommendationLearner
from tasks.learners import learner_class
from tasks.params import ApplicationParams, Params
from tests.lightning_modules.behavior import small_shop
from tests.lightning_modules.pricing import tiny_market
from tests.lightning_modules.recommendation import tiny_shop
from tests.lightning_modules.recommendation.tiny_shop import with_rows

CONTENT = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())


def preset(application: str, name: str) -> ApplicationParams:
    """The application's section with a preset over it."""
    CONTENT["applications"][application]["preset"] = name
    return Params.model_validate(CONTENT).application(application)


def large(application: str) -> Learner:
    """An untrained learner with the preset's settings."""
    section = preset(application, "large")
    assert section.fine_tune.precision == section.bootstrap.fit["precision"] == "bf16-mixed"
    return learner_class(section).new(section.settings)


def ranker(settings: Any) -> Parameters:
    found = recommendation.initial([len(FEATURES), *settings.hidden], settings.width, 1)
    return with_rows(found, 2469, 68_000)


def behavior_network(settings: Any) -> Parameters:
    return behavior.initial(settings, 425, settings.categories, 1)


def demand(settings: Any) -> Parameters:
    told = (settings.hidden, settings.width, settings.category_width, settings.members)
    return pricing.grown(pricing.initial(Shape(*told), 60, 1), settings.items, 300)


@pytest.mark.parametrize(
    ("application", "network"),
    [("recommendation", ranker), ("behavior", behavior_network), ("pricing", demand)],
)
def test_a_large_preset_has_tens_of_millions_of_weights(
    application: str, network: Callable[[Any], Parameters]
) -> None:
    settings = large(application).settings  # type: ignore[attr-defined]
    count = sum(array.size for array in network(settings).weights.values())
    assert 20e6 < count < 100e6


@pytest.mark.parametrize("application", ["recommendation", "behavior", "pricing"])
def test_adapters_are_a_small_part_of_the_same_large_network(application: str) -> None:
    told, usual = preset(application, "adapters"), preset(application, "large")
    settings = learner_class(told).new(told.settings).settings  # type: ignore[attr-defined]
    widths = sum(settings.hidden) + sum(getattr(settings, "user_hidden", ()))
    assert settings.adapters < min(settings.hidden) / 8
    assert 2 * widths * settings.adapters < 2e6
    assert {**told.settings, "adapters": 0} == {**usual.settings, "adapters": 0}
    assert told.bootstrap == usual.bootstrap
    assert told.fine_tune == usual.fine_tune.model_copy(update={"train": "adapters"})


def spooled_recommendation(folder: Path) -> RecommendationLearner:
    learner = tiny_shop.seasoned(3)
    for number in range(3, 8):
        tiny_shop.live_through(learner, tiny_shop.FIRST + timedelta(number), folder)
    return learner


def spooled_pricing(folder: Path) -> Any:
    learner = pricing_learner()
    for number in range(28):
        tiny_market.live_through(learner, number, folder if number >= 11 else None)
    return learner


def pricing_learner() -> Any:
    from lightning_modules.pricing.learner import PricingLearner

    return PricingLearner.new(tiny_market.SETTINGS)


@pytest.mark.parametrize(
    "spooled",
    [spooled_recommendation, lambda folder: small_shop.seasoned(20, folder), spooled_pricing],
    ids=["recommendation", "behavior", "pricing"],
)
def test_half_precision_learns_what_full_precision_does(
    spooled: Callable[[Path], Any], tmp_path: Path
) -> None:
    learner = spooled(tmp_path)
    losses = {}
    for precision in ("32-true", "bf16-mixed"):
        told = {"batch_size": 8, "epochs": 3, "precision": precision}
        curve = learner.fit(tmp_path, settings=told, seed=1)
        losses[precision] = np.array([point["loss"] for point in curve])
        assert np.isfinite(losses[precision]).all()
    full, half = losses.values()
    assert not np.array_equal(full, half)
    fall = abs(full[:5].mean() - full[-5:].mean())
    assert abs(full[-5:].mean() - half[-5:].mean()) < 0.2 * fall

"""Three learners of made-up shops, and larger settings of each."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior import growth as behavior
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.network import Behavior
from lightning_modules.learner import Learner
from lightning_modules.parameters import Parameters
from lightning_modules.pricing import growth as pricing
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.network import PricingNetwork
from lightning_modules.pricing.tower import told_shape
from lightning_modules.recommendation import growth as recommendation
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.network import Ranker
from tests.lightning_modules.behavior import small_shop
from tests.lightning_modules.pricing import tiny_market
from tests.lightning_modules.recommendation import tiny_shop
from tests.lightning_modules.test_presets import spooled_recommendation


@dataclass(frozen=True)
class Kind:
    """A made-up shop and its learner; `day` is a day of it."""

    learner: type[Learner]
    shop: Any
    days: int
    spooled: Callable[[Path], Any]
    day: Callable[[date], Any]
    enlarged: Callable[[Parameters, Any], Parameters]
    tables: tuple[str, ...]


def shopping(day: date) -> Any:
    return tiny_shop.shop_day(tiny_shop.day_of_trade(day), tiny_shop.no_items(), day)


def market(folder: Path) -> PricingLearner:
    """Tomorrow a week ends, whose demand is learned by itself."""
    learner = PricingLearner.new(tiny_market.SETTINGS)
    for number in range(27):
        tiny_market.live_through(learner, number, folder if number >= 11 else None)
    return learner


KINDS: dict[str, Kind] = {
    "recommendation": Kind(
        RecommendationLearner,
        tiny_shop,
        8,
        spooled_recommendation,
        shopping,
        recommendation.enlarged,
        Ranker.tables,
    ),
    "behavior": Kind(
        BehaviorLearner,
        small_shop,
        20,
        lambda folder: small_shop.seasoned(20, folder),
        small_shop.day_of_trade,
        behavior.enlarged,
        Behavior.tables,
    ),
    "pricing": Kind(
        PricingLearner,
        tiny_market,
        27,
        market,
        tiny_market.market_day,
        lambda parameters, told: pricing.enlarged(parameters, told_shape(told)),
        PricingNetwork.tables,
    ),
}
GROWTH: dict[str, dict[str, dict[str, Any]]] = {
    "recommendation": {
        "hidden": {"hidden": [24]},
        "width": {"width": 7},
        "blocks": {"blocks": 2},
        "adapters": {"adapters": 3},
    },
    "behavior": {
        "hidden": {"hidden": [11, 6]},
        "user_hidden": {"user_hidden": [12]},
        "width": {"width": 7},
        "user_width": {"user_width": 9},
        "memory_width": {"memory_width": 6},
        "cross_rank": {"cross_rank": 7},
        "cross_layers": {"cross_layers": 3},
        "blocks": {"blocks": 2},
        "adapters": {"adapters": 3},
    },
    "pricing": {
        "hidden": {"hidden": [12]},
        "width": {"width": 5},
        "category_width": {"category_width": 4},
        "blocks": {"blocks": 2},
        "adapters": {"adapters": 3},
    },
}
for several in GROWTH.values():
    several["all"] = {name: size for one in several.values() for name, size in one.items()}
CASES = [(kind, growth) for kind in GROWTH for growth in GROWTH[kind]]


def loaded(kind: str, folder: Path, growth: str = "") -> Any:
    """The learner of a bundle, with settings larger by a growth if one is named."""
    told = KINDS[kind].shop.SETTINGS | (GROWTH[kind][growth] if growth else {})
    return KINDS[kind].learner.load(folder, told)


def tomorrow(kind: str, more: int = 0) -> date:
    found: date = KINDS[kind].shop.FIRST + timedelta(KINDS[kind].days + more)
    return found


def enlarged(kind: str, learner: Any) -> Any:
    """The learner with its network grown to its settings, and not yet trained."""
    other = copy.copy(learner)
    other.parameters = KINDS[kind].enlarged(learner.parameters, learner.settings)
    return other


def bits(arrays: dict[str, NDArray[Any]]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


def traced(parameters: Parameters) -> Parameters:
    """Weights whose moments are their own values, to see where these go; no weight is zero."""
    weights = {
        name: np.where(a == 0, np.float32(0.5), a) for name, a in parameters.weights.items()
    }
    moments = {f"exp_avg/{name}": array for name, array in weights.items()}
    steps = {f"step/{name}": np.ones(1, np.float32) for name in weights}
    return Parameters(weights, moments | steps)

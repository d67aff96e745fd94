"""Learners whose networks grow: they say what they said, then all that is new learns."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightning_modules.behavior import growth as behavior
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import Learner, LearnerFileError
from lightning_modules.parameters import Parameters
from lightning_modules.pricing import growth as pricing
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.tower import told_shape
from lightning_modules.recommendation import growth as recommendation
from lightning_modules.recommendation.learner import RecommendationLearner
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
    ),
    "behavior": Kind(
        BehaviorLearner,
        small_shop,
        20,
        lambda folder: small_shop.seasoned(20, folder),
        small_shop.day_of_trade,
        behavior.enlarged,
    ),
    "pricing": Kind(
        PricingLearner,
        tiny_market,
        27,
        market,
        tiny_market.market_day,
        lambda parameters, told: pricing.enlarged(parameters, told_shape(told)),
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


@pytest.fixture(scope="module")
def champions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A champion's bundle of each kind. Not to be changed."""
    found = {}
    for name, kind in KINDS.items():
        folder = tmp_path_factory.mktemp(name)
        learner = kind.spooled(folder)
        learner.fit(folder, settings={"batch_size": 8, "epochs": 2}, seed=1)
        found[name] = folder / "champion"
        kind.shop.saved(learner, found[name])
    return found


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


@pytest.mark.parametrize(("kind", "growth"), CASES)
def test_a_network_says_after_its_growth_what_it_said_before(
    champions: dict[str, Path], kind: str, growth: str
) -> None:
    learner = loaded(kind, champions[kind], growth)
    examples = learner.examples(KINDS[kind].day(tomorrow(kind)))
    before = learner.scores(examples)
    assert before.tobytes() == loaded(kind, champions[kind]).scores(examples).tobytes()
    grown = enlarged(kind, learner)
    size = sum(array.size for array in learner.parameters.weights.values())
    assert sum(array.size for array in grown.parameters.weights.values()) > size
    np.testing.assert_allclose(grown.scores(examples), before, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kind", "growth"), CASES)
def test_moments_stay_with_their_weights_and_new_ones_are_zero(
    champions: dict[str, Path], kind: str, growth: str
) -> None:
    learner = loaded(kind, champions[kind], growth)
    learner.parameters = traced(learner.parameters)
    grown = enlarged(kind, learner).parameters
    for name, old in learner.parameters.weights.items():
        moment = grown.optimizer[f"exp_avg/{name}"]
        kept = moment != 0
        assert moment.shape == grown.weights[name].shape
        assert np.array_equal(moment[kept], grown.weights[name][kept])
        assert np.array_equal(np.sort(moment[kept]), np.sort(old.ravel()))
        assert grown.optimizer[f"step/{name}"].shape == (1,)


@pytest.mark.parametrize(("kind", "growth"), CASES)
def test_all_that_is_new_learns_and_a_night_between_changes_no_bit(
    champions: dict[str, Path], kind: str, growth: str, tmp_path: Path
) -> None:
    learner = loaded(kind, champions[kind], growth)
    start = enlarged(kind, learner)
    KINDS[kind].shop.saved(start, tmp_path / "grown")
    study(kind, learner)
    resumed = loaded(kind, tmp_path / "grown", growth)
    study(kind, resumed)
    assert bits(resumed.parameters.weights) == bits(learner.parameters.weights)
    assert bits(resumed.parameters.optimizer) == bits(learner.parameters.optimizer)
    other = copy.copy(learner)
    other.parameters = traced(loaded(kind, champions[kind]).parameters)
    traces = enlarged(kind, other).parameters.part("exp_avg")
    moved = []
    for name, before in start.parameters.weights.items():
        new = traces[name] == 0 if name in traces else np.ones(before.shape, bool)
        after = learner.parameters.weights[name][: len(before)]  # of ids there may be more rows
        if new.any():
            assert (after != before)[new].any(), name
            moved.append((after != before)[new])
    assert np.concatenate(moved).mean() > 0.6  # what a constant feature or no row feeds rests


def study(kind: str, learner: Any) -> None:
    """Some passes over tomorrow: the first ones only move what is zero at first."""
    examples = learner.examples(KINDS[kind].day(tomorrow(kind)))
    held = np.zeros(len(examples), bool)
    learner.fine_tune(examples, held, update={"batch_size": 8, "epochs": 3}, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_goes_back_to_what_it_was_and_grows_again(
    champions: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    learner = loaded(kind, champions[kind], "all")
    KINDS[kind].shop.learn(learner, tomorrow(kind))
    KINDS[kind].shop.saved(learner, tmp_path / "larger")
    again = loaded(kind, tmp_path / "larger", "all")
    examples = again.examples(KINDS[kind].day(tomorrow(kind, 1)))
    again.load_parameters(champions[kind])
    small = loaded(kind, champions[kind])
    assert bits(again.parameters.weights) == bits(small.parameters.weights)
    assert np.isfinite(again.loss(again.frozen())).any()
    KINDS[kind].shop.saved(again, tmp_path / "back")  # what a rollback writes
    back = loaded(kind, tmp_path / "back", "all")
    assert back.scores(examples).tobytes() == again.scores(examples).tobytes()
    KINDS[kind].shop.learn(back, tomorrow(kind, 1))
    shapes = {name: array.shape for name, array in learner.parameters.weights.items()}
    grown = {name: array.shape for name, array in back.parameters.weights.items()}
    assert grown.keys() == shapes.keys()
    KINDS[kind].shop.learn(learner, tomorrow(kind, 1))
    assert grown == {name: a.shape for name, a in learner.parameters.weights.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_never_shrinks(champions: dict[str, Path], kind: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="blocks is -1"):
        KINDS[kind].learner.new({"blocks": -1})
    learner = enlarged(kind, loaded(kind, champions[kind], "all"))
    KINDS[kind].shop.saved(learner, tmp_path / "larger")
    with pytest.raises(LearnerFileError, match=r"put params\.yaml back.*never shrinks"):
        loaded(kind, tmp_path / "larger")

"""Learners whose networks grow: they say what they said, then all that is new learns."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.parameters import Parameters
from tests.lightning_modules.growing import CASES, KINDS, bits, enlarged, loaded, tomorrow, traced


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


def study(kind: str, learner: Any, **told: Any) -> None:
    """Some passes over tomorrow: the first ones only move what is zero at first."""
    examples = learner.examples(KINDS[kind].day(tomorrow(kind)))
    held = np.zeros(len(examples), bool)
    learner.fine_tune(examples, held, update={"batch_size": 8, "epochs": 3, **told}, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_learn_alone_in_a_network_that_stays(
    champions: dict[str, Path], kind: str
) -> None:
    learner = loaded(kind, champions[kind], "adapters")
    start = enlarged(kind, learner)
    retention = {"ewc": 1.0, "average": 0.5, "trust": 0.1}
    study(kind, learner, train="adapters", retention=retention)
    before, after = start.parameters, learner.parameters
    was, now = bits(before.weights), bits(after.weights)
    moved = {name for name in now if now[name] != was[name]}
    adapters = {name for name in after.weights if "adapter" in name}
    assert adapters and adapters <= moved
    assert all(name.startswith(KINDS[kind].tables) for name in moved - adapters)
    assert moved - adapters
    for key, array in before.optimizer.items():
        if key.partition("/")[2] not in moved:
            assert np.array_equal(after.optimizer[key], array)


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


@pytest.mark.parametrize("kind", KINDS)
def test_under_an_average_the_weights_that_learn_grow_too(
    champions: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    retention = {"ewc": 1.0, "average": 0.5}
    small = loaded(kind, champions[kind])
    study(kind, small, retention=retention)
    KINDS[kind].shop.saved(small, tmp_path / "averaged")
    examples = small.examples(KINDS[kind].day(tomorrow(kind)))
    learner = loaded(kind, tmp_path / "averaged", "all")
    grown = enlarged(kind, learner)
    assert grown.parameters.part("fisher").keys() == small.parameters.part("fisher").keys()
    for one in (small, grown):
        one.parameters = Parameters(one.parameters.weights | one.parameters.part("raw"))
    before, after = small.scores(examples), grown.scores(examples)
    assert not np.array_equal(before, learner.scores(examples))
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)
    study(kind, learner, retention=retention)
    for part in ("fisher", "raw"):
        shapes = {name: array.shape for name, array in learner.parameters.part(part).items()}
        assert shapes
        assert all(
            learner.parameters.weights[name].shape == shape for name, shape in shapes.items()
        )

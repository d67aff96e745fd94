"""Estimators by hand on four rows, and on a shop whose truth is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import price_simulator as simulator
from lightning_modules.pricing.off_policy import (
    EvidenceError,
    Logged,
    Numbers,
    bernstein_low,
    doubly_robust,
    effective_size,
    importance,
    ips,
    normal_low,
    snips,
    unsupported_mass,
)

FOUR = Logged(
    action=np.array([0, 1, 0, 1]),
    reward=np.array([1.0, 0.0, 2.0, 4.0]),
    propensity=np.array([0.5, 0.5, 0.25, 0.25]),
)
EVEN = np.full((4, 2), 0.5)


def error(terms: list[float]) -> float:
    return float(np.std(terms, ddof=1) / math.sqrt(len(terms)))


def test_inverse_propensity_by_hand() -> None:
    assert importance(FOUR, EVEN).tolist() == [1, 1, 2, 2]
    estimate = ips(FOUR, EVEN)
    assert estimate.value == pytest.approx((1 + 0 + 4 + 8) / 4)
    assert estimate.gain == pytest.approx((0 + 0 + 2 + 4) / 4)
    assert estimate.error == pytest.approx(error([1, 0, 4, 8]))
    assert estimate.gain_error == pytest.approx(error([0, 0, 2, 4]))
    assert estimate.low is None  # no range of the reward, no bound


def test_self_normalised_by_hand() -> None:
    estimate = snips(FOUR, EVEN)
    value = 13 / 6
    assert estimate.value == pytest.approx(value)
    assert estimate.gain == pytest.approx(value - 7 / 4)
    weights, rewards = (1, 1, 2, 2), FOUR.reward
    pulls = [
        weight * (reward - value) / 1.5 for weight, reward in zip(weights, rewards, strict=True)
    ]
    assert estimate.error == pytest.approx(error(pulls))


def test_self_normalised_does_not_care_where_zero_is() -> None:
    moved = replace(FOUR, reward=FOUR.reward - 100)
    assert snips(moved, EVEN).value == pytest.approx(snips(FOUR, EVEN).value - 100)
    assert snips(moved, EVEN).gain == pytest.approx(snips(FOUR, EVEN).gain)
    assert ips(moved, EVEN).gain != pytest.approx(ips(FOUR, EVEN).gain)


def test_doubly_robust_by_hand() -> None:
    estimate = doubly_robust(FOUR, EVEN, np.tile([1.0, 2.0], (4, 1)))
    terms = [1.5 + 0, 1.5 - 2, 1.5 + 2, 1.5 + 4]
    assert estimate.value == pytest.approx(np.mean(terms))
    assert estimate.error == pytest.approx(error(terms))
    nothing = np.zeros((4, 2))
    assert doubly_robust(FOUR, EVEN, nothing).value == pytest.approx(ips(FOUR, EVEN).value)


@pytest.mark.fault(40)
def test_no_row_of_the_target_is_refused() -> None:
    with pytest.raises(EvidenceError, match="no row of the log"):
        snips(FOUR, np.tile([0.0, 0.0, 1.0], (4, 1)))


def test_effective_size_by_hand() -> None:
    weight = np.array([1.0, 1.0, 2.0, 2.0])
    assert effective_size(FOUR, weight) == pytest.approx(36 / 10)
    assert effective_size(FOUR, np.ones(4)) == pytest.approx(4)
    paired = replace(FOUR, unit=np.array([0, 0, 1, 1]))
    assert effective_size(paired, np.ones(4)) == pytest.approx(2)
    assert effective_size(FOUR, np.zeros(4)) == 0


@pytest.mark.fault(40)
def test_what_was_never_or_hardly_tried_has_no_support() -> None:
    target = np.tile([0.5, 0.3, 0.2], (4, 1))
    assert unsupported_mass(FOUR, target, 0.0) == pytest.approx(0.2)  # the third was never chosen
    rare = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.99, 0.01, 0.0], [1.0, 0.0, 0.0]])
    known = replace(FOUR, policy=rare)
    assert unsupported_mass(known, target, 0.0) == pytest.approx(0.2 + 0.3 / 4)
    assert unsupported_mass(known, target, 0.02) == pytest.approx(0.2 + 0.3 / 2)


def test_bernstein_bound_by_hand() -> None:
    weight = importance(FOUR, EVEN)
    # Weights clipped at 1.5 leave the terms 0, 0, 1 and 2, which lie within 1.5 times 4.
    logs = math.log(2 / 0.05)
    spread = math.sqrt(2 * np.var([0, 0, 1, 2], ddof=1) * logs / 4)
    expected = 0.75 - spread - 7 * 1.5 * 4 * logs / (3 * 3)
    low = bernstein_low(FOUR, weight, 0.05, clip=1.5, reward_range=(0.0, 4.0))
    assert low == pytest.approx(expected)
    assert bernstein_low(FOUR, weight, 0.05, clip=1.5, reward_range=(0.0, 3.9)) is None
    assert bernstein_low(FOUR, weight, 0.05, clip=1.5, reward_range=(0.1, 4.0)) is None
    assert bernstein_low(FOUR, weight, 0.05, clip=1.5, reward_range=None) is None


def test_bernstein_bound_of_uneven_units_reaches_as_far_as_the_largest() -> None:
    log = replace(FOUR, unit=np.array([0, 0, 0, 1]))
    # Terms 0, 0, 2 and 4 in two units of two rows on average; the first has three.
    logs = math.log(2 / 0.05)
    spread = math.sqrt(2 * np.var([1, 2], ddof=1) * logs / 2)
    expected = 1.5 - spread - 7 * (10 * 4 * 3 / 2) * logs / 3
    low = bernstein_low(log, importance(log, EVEN), 0.05, clip=10, reward_range=(0.0, 4.0))
    assert low == pytest.approx(expected)


def test_bernstein_bound_with_losses_counts_from_the_least_reward() -> None:
    moved = replace(FOUR, reward=FOUR.reward - 3)
    weight = importance(FOUR, EVEN)
    assert bernstein_low(moved, weight, 0.05, clip=10, reward_range=(-3, 1)) == pytest.approx(
        bernstein_low(FOUR, weight, 0.05, clip=10, reward_range=(0, 4))
    )


def test_normal_bound_is_the_t_bound_and_lower_where_losses_are_rare_and_large() -> None:
    count = 50
    rows = Logged(np.zeros(count, np.int64), np.zeros(count), np.ones(count))
    lucky = np.where(np.arange(count) == 0, 10.0, 0.0)
    t_quantile = 1.6765509  # 49 degrees of freedom, 5%
    plain = error(list(lucky)) * t_quantile
    assert normal_low(rows, lucky, 0.05) == pytest.approx(0.2 - plain)
    assert normal_low(rows, -lucky, 0.05) < -0.2 - 1.2 * plain
    assert normal_low(rows, np.full(count, 0.5), 0.05) == 0.5


def test_rows_of_a_unit_count_as_one() -> None:
    twice = Logged(
        action=np.repeat(FOUR.action, 2),
        reward=np.repeat(FOUR.reward, 2),
        propensity=np.repeat(FOUR.propensity, 2),
        unit=np.repeat(np.arange(4), 2),
    )
    target = np.repeat(EVEN, 2, axis=0)
    for estimate in (ips, snips):
        assert estimate(twice, target).gain_error == pytest.approx(estimate(FOUR, EVEN).gain_error)
    bounds = [
        ips(log, policy, clip=2.0, reward_range=(0.0, 4.0)).low
        for log, policy in ((twice, target), (FOUR, EVEN))
    ]
    assert bounds[0] == pytest.approx(bounds[1])


@pytest.fixture(scope="module")
def shop() -> simulator.Shop:
    return simulator.open_shop(20, np.random.default_rng(5))


def many(shop: simulator.Shop, target: Numbers, q_hat: Numbers, logs: int) -> dict[str, Numbers]:
    """Value, gain and bound of each estimate on many logs of 300 item-weeks, (logs, 3)."""
    rows: dict[str, list[tuple[float, ...]]] = {"ips": [], "snips": [], "dr": []}
    most = 8 * float(shop.price.max() * shop.units.max())
    for number in range(logs):
        logged, item = shop.draw(300, np.random.default_rng([5, number]))
        estimates = {
            "ips": ips(logged, target[item], reward_range=(0.0, most)),
            "snips": snips(logged, target[item]),
            "dr": doubly_robust(logged, target[item], q_hat[item]),
        }
        for name, one in estimates.items():
            rows[name].append((one.value, one.gain, -math.inf if one.low is None else one.low))
    return {name: np.array(part) for name, part in rows.items()}


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_estimates_are_right_on_average_and_bounds_hold(shop: simulator.Shop, name: str) -> None:
    target = simulator.leaning(shop, shop.earned())
    flat = np.repeat(shop.earned().mean(axis=1, keepdims=True), 5, axis=1)
    logs = 150
    value, gain, low = many(shop, target, flat, logs)[name].T
    truth = shop.value(target)
    gained = truth - shop.value(shop.policy)
    # Four standard errors; the self-normalised one has a bias of its own, of order 1 / weeks.
    own_bias = 0.02 * truth if name == "snips" else 0.0
    assert abs(value.mean() - truth) < 4 * value.std() / math.sqrt(logs) + own_bias
    assert abs(gain.mean() - gained) < 4 * gain.std() / math.sqrt(logs) + own_bias
    # 95% less four standard errors of a share.
    assert (low <= gained).mean() > 0.95 - 4 * math.sqrt(0.95 * 0.05 / logs)
    assert np.isfinite(low).all()


def test_a_right_model_makes_up_for_wrong_propensities(shop: simulator.Shop) -> None:
    target = simulator.leaning(shop, shop.earned())
    right, wrong = [], []
    for number in range(60):
        logged, item = shop.draw(300, np.random.default_rng([6, number]))
        uniform = replace(logged, propensity=np.full(len(item), 0.2))
        right.append(doubly_robust(uniform, target[item], shop.earned()[item]).value)
        wrong.append(ips(uniform, target[item]).value)
    truth = shop.value(target)
    reach = 4 * float(np.std(right)) / math.sqrt(60)
    assert abs(np.mean(right) - truth) < reach
    assert abs(np.mean(wrong) - truth) > reach

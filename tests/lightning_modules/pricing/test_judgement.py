"""The judge passes what is shown and refuses, with a reason, whatever cannot be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import price_simulator as simulator
from lightning_modules.pricing.judgement import Judgement, Rules, judge
from lightning_modules.pricing.off_policy import Logged, Numbers


@pytest.fixture(scope="module")
def shop() -> simulator.Shop:
    return simulator.open_shop(20, np.random.default_rng(5))


def judged(shop: simulator.Shop, target: Numbers, weeks: int = 1000, **rules: Any) -> Judgement:
    logged, item = shop.draw(weeks, np.random.default_rng(7))
    flat = np.repeat(shop.earned().mean(axis=1, keepdims=True), 5, axis=1)
    return judge(logged, target[item], Rules(**rules), flat[item])


def test_a_better_policy_passes_and_its_bound_decided(shop: simulator.Shop) -> None:
    better = simulator.leaning(shop, shop.earned())
    verdict = judged(shop, better)
    assert verdict.passed and verdict.usable
    assert verdict.low == verdict.estimates["dr"].low
    assert verdict.low is not None and verdict.low > 0
    assert set(verdict.estimates) == {"ips", "snips", "dr"}
    assert verdict.why.startswith(f"gain {verdict.estimates['dr'].gain:+.4g}")
    assert 100 < verdict.effective < 1000
    assert verdict.unsupported == 0


def test_a_worse_policy_is_not_promoted_but_a_margin_may_allow_it(shop: simulator.Shop) -> None:
    worse = simulator.leaning(shop, -shop.earned(), weight=0.1)
    strict = judged(shop, worse)
    assert strict.usable and not strict.passed
    assert strict.low is not None and strict.logged_value is not None
    needed = -strict.low / strict.logged_value
    assert judged(shop, worse, margin=needed * 1.01).passed
    assert not judged(shop, worse, margin=needed * 0.99).passed


def test_each_estimate_can_decide(shop: simulator.Shop) -> None:
    better = simulator.leaning(shop, shop.earned())
    assert judged(shop, better, decides="snips").low != judged(shop, better).low
    bare = judged(shop, better, decides="ips")
    assert not bare.passed and "reward_range" in bare.why
    ranged = judged(shop, better, decides="ips", reward_range=(0.0, 1e4))
    assert not ranged.passed and ranged.low is not None and ranged.low < 0
    assert not judged(shop, better, decides="ips", reward_range=(0.0, 1.0)).passed


def test_without_support_it_refuses_and_says_so(shop: simulator.Shop) -> None:
    better = simulator.leaning(shop, shop.earned())
    bare = simulator.without_support(shop, better)
    verdict = judged(bare, better)
    assert not verdict.passed and not verdict.usable
    assert verdict.why.startswith("no support: the log has not tried 4")
    assert 0.4 < verdict.unsupported < 0.5  # 0.8 of the mass of half the items
    assert verdict.estimates["dr"].gain > 0  # what it would have believed


def test_missing_support_shows_in_the_weights_where_the_policy_is_not_logged(
    shop: simulator.Shop,
) -> None:
    better = simulator.leaning(shop, shop.earned())
    bare = simulator.without_support(shop, better)
    logged, item = bare.draw(1000, np.random.default_rng(7))
    verdict = judge(replace(logged, policy=None), better[item], Rules(decides="snips"))
    assert verdict.unsupported == 0
    assert not verdict.passed and "the propensities do not fit" in verdict.why


def test_few_effective_units_are_no_evidence(shop: simulator.Shop) -> None:
    better = simulator.leaning(shop, shop.earned())
    verdict = judged(shop, better, weeks=60)
    assert not verdict.passed and verdict.effective < 60
    assert verdict.why == f"too little evidence: {verdict.effective:.0f} effective units of 100"
    assert judged(shop, better, weeks=1000, min_effective=1e6).usable is False


def small() -> dict[str, Any]:
    return {
        "action": np.array([0, 1, 0, 1]),
        "reward": np.ones(4),
        "propensity": np.full(4, 0.5),
        "policy": np.full((4, 2), 0.5),
    }


GOOD = np.full((4, 2), 0.5)
BROKEN: dict[str, tuple[dict[str, Any], Numbers, Numbers | None, str]] = {
    "NaN reward": ({"reward": np.array([1.0, np.nan, 1, 1])}, GOOD, GOOD, "a reward is not"),
    "propensity 0": ({"propensity": np.array([0.5, 0, 0.5, 0.5])}, GOOD, GOOD, "propensity"),
    "NaN propensity": ({"propensity": np.full(4, np.nan)}, GOOD, GOOD, "propensity"),
    "propensity above 1": ({"propensity": np.full(4, 1.5)}, GOOD, GOOD, "propensity"),
    "lengths": ({"reward": np.ones(3)}, GOOD, GOOD, "differ in number"),
    "action unknown": ({"action": np.array([0, 1, 2, 0])}, GOOD, GOOD, "an action is not"),
    "action below 0": ({"action": np.array([0, 1, -1, 0])}, GOOD, GOOD, "an action is not"),
    "target NaN": ({}, np.full((4, 2), np.nan), GOOD, "the target policy has a row"),
    "target no distribution": ({}, np.full((4, 2), 0.6), GOOD, "the target policy has a row"),
    "target below 0": ({}, np.tile([1.5, -0.5], (4, 1)), GOOD, "the target policy has a row"),
    "target of other rows": ({}, GOOD[:3], GOOD, "for 4 rows"),
    "policy shape": ({"policy": np.ones((4, 1))}, GOOD, GOOD, "the logging policy is"),
    "policy NaN": ({"policy": np.full((4, 2), np.nan)}, GOOD, GOOD, "the logging policy has"),
    "model NaN": ({}, GOOD, np.full((4, 2), np.nan), "the reward model"),
    "model shape": ({}, GOOD, np.ones((4, 3)), "the reward model"),
    "no model": ({}, GOOD, None, "give it a reward model"),
    "one unit": ({"unit": np.zeros(4, np.int64)}, GOOD, GOOD, "fewer than two units"),
    "gaps in units": ({"unit": np.array([0, 0, 2, 2])}, GOOD, GOOD, "without gaps"),
    "units below 0": ({"unit": np.array([0, 0, -1, 1])}, GOOD, GOOD, "without gaps"),
    "nothing of the target": ({}, np.tile([0.0, 0.0, 1.0], (4, 1)), np.ones((4, 3)), "no row"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_computed_is_not_passed(case: str) -> None:
    fields, target, model, why = BROKEN[case]
    if target.shape[1] == 3:
        fields = {**fields, "policy": None}
    verdict = judge(Logged(**{**small(), **fields}), target, Rules(min_effective=0), model)
    assert not verdict.passed and not verdict.usable
    assert verdict.why.startswith("no evidence: ") and why in verdict.why
    assert verdict.low is None and verdict.estimates == {}


def test_an_empty_log_is_no_evidence() -> None:
    nothing = Logged(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    assert judge(nothing, np.zeros((0, 2))).why == (
        "no evidence: fewer than two units, whose spread says nothing"
    )


def test_the_same_policy_gains_exactly_nothing() -> None:
    verdict = judge(Logged(**small()), GOOD, Rules(min_effective=0, decides="snips"))
    assert verdict.passed and verdict.low == 0
    assert verdict.effective == pytest.approx(4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decides": "luck"},
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"floor": -0.1},
        {"max_unsupported": 1.0},
        {"margin": -0.1},
        {"clip": 0.0},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rules(**wrong)

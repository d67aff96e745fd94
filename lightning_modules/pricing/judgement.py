"""May a policy be promoted on what the log of another one says? It fails closed."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from lightning_modules.pricing.off_policy import (
    Estimate,
    EvidenceError,
    Logged,
    Numbers,
    clustered_error,
    doubly_robust,
    effective_size,
    importance,
    ips,
    snips,
    unit_rows,
    unsupported_mass,
)

FALSE_ALARM = 0.001  # the chance that right propensities are refused for their mean weight


@dataclass(frozen=True)
class Rules:
    """When a target policy may be promoted.

    Attributes:
        decides: The estimate whose lower bound decides. "dr" needs a reward model and has the
            smallest error, "snips" does without. Their bounds are approximate; benchmarks/
            off_policy.py counts how often they miss. That of "ips" holds for any number of rows,
            needs `reward_range`, and takes a great many rows to pass anything.
        alpha: The chance to pass a target that is worse by `margin`.
        margin: How much worse than the logging policy is allowed, as a share of its mean reward.
        min_effective: The effective number of units below which nothing is said.
        floor: The propensity below which an action counts as not tried.
        max_unsupported: The share of the target's choices that may be on actions not tried.
        clip: The largest weight in the bound of "ips".
        reward_range: The least and the largest reward that a row can have, known beforehand.
    """

    decides: Literal["ips", "snips", "dr"] = "dr"
    alpha: float = 0.05
    margin: float = 0.0
    min_effective: float = 100.0
    floor: float = 0.02
    max_unsupported: float = 0.0
    clip: float = 10.0
    reward_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.decides not in ("ips", "snips", "dr"):
            raise ValueError(f"decides is {self.decides!r}: one of ips, snips, dr")
        for name in ("alpha", "floor", "max_unsupported"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a share from 0, below 1")
        if not (self.alpha > 0 and self.margin >= 0 and self.clip > 0):
            raise ValueError("alpha and clip must be above 0, margin at least 0")


@dataclass(frozen=True)
class Judgement:
    """The verdict on a target policy and its grounds.

    Attributes:
        passed: Whether it may be promoted.
        why: One line for the merchant.
        usable: Whether the log can speak of the target at all: tried, weights right, rows enough.
        unsupported: The share of the target's choices that the log has not tried.
        effective: The effective number of units (Kish).
        logged_value: The logging policy's mean reward; None without usable evidence.
        low: The lower bound of the gain that decides; None where there is none.
        estimates: By name: "ips", "snips" and, with a reward model, "dr".
    """

    passed: bool
    why: str
    usable: bool = False
    unsupported: float = 1.0
    effective: float = 0.0
    logged_value: float | None = None
    low: float | None = None
    estimates: dict[str, Estimate] = field(default_factory=dict)


def judge(
    logged: Logged, target: Numbers, rules: Rules | None = None, q_hat: Numbers | None = None
) -> Judgement:
    """Is the target shown to earn no less than the logging policy, up to the margin?

    `target` and `q_hat` are (n, A): the target's chance of each action in each row of the log,
    and a reward model's mean reward of it. Rewards that went into the making of the target or of
    the model flatter them: give the log of other days. What cannot be computed is not passed.
    """
    rules = rules or Rules()
    try:
        _check(logged, target, q_hat)
        estimates = _estimates(logged, target, rules, q_hat)
    except EvidenceError as problem:
        return Judgement(passed=False, why=f"no evidence: {problem}")
    weight = importance(logged, target)
    unsupported = unsupported_mass(logged, target, rules.floor)
    effective = effective_size(logged, weight)
    mean = float(logged.reward.mean())
    low = estimates[rules.decides].low
    refusal = (
        _not_tried(unsupported, rules) or _odd(logged, weight) or _too_little(effective, rules)
    )
    passed, verdict = _bounded(rules, estimates[rules.decides], mean)
    return Judgement(
        passed=passed and refusal is None,
        why=refusal or verdict,
        usable=refusal is None,
        unsupported=unsupported,
        effective=effective,
        logged_value=mean,
        low=low,
        estimates=estimates,
    )


def _estimates(
    logged: Logged, target: Numbers, rules: Rules, q_hat: Numbers | None
) -> dict[str, Estimate]:
    found = {
        "ips": ips(logged, target, rules.alpha, clip=rules.clip, reward_range=rules.reward_range),
        "snips": snips(logged, target, rules.alpha),
    }
    if q_hat is not None:
        found["dr"] = doubly_robust(logged, target, q_hat, rules.alpha)
    if rules.decides not in found:
        raise EvidenceError("dr is to decide: give it a reward model, or let snips decide")
    return found


def _bounded(rules: Rules, estimate: Estimate, mean: float) -> tuple[bool, str]:
    if estimate.low is None:
        return False, f"{rules.decides} has no lower bound: its reward_range is missing or broken"
    allowed = rules.margin * abs(mean)
    words = f"gain {estimate.gain:+.4g}, {estimate.low:+.4g} at worst ({rules.decides})"
    return estimate.low >= -allowed, f"{words}; {-allowed:+.4g} is allowed"


def _not_tried(unsupported: float, rules: Rules) -> str | None:
    # Sums of shares leave their last digits behind.
    if unsupported <= rules.max_unsupported + 1e-12:
        return None
    return f"no support: the log has not tried {unsupported:.1%} of what the target would do"


def _too_little(effective: float, rules: Rules) -> str | None:
    if effective >= rules.min_effective:
        return None
    return f"too little evidence: {effective:.0f} effective units of {rules.min_effective:.0f}"


def _odd(logged: Logged, weight: Numbers) -> str | None:
    """Right propensities give weights of mean one, a test of the log (Lefortier et al. 2016)."""
    mean = float(weight.mean())
    error, units = clustered_error(logged, weight)
    if abs(mean - 1) <= float(stdtrit(units - 1, 1 - FALSE_ALARM / 2)) * error + 1e-9:
        return None
    return f"the propensities do not fit: the mean weight is {mean:.3f} and not 1"


def _check(logged: Logged, target: Numbers, q_hat: Numbers | None) -> None:
    """Raise EvidenceError on what would make the estimates meaningless or NaN."""
    rows = len(logged.action)
    if target.ndim != 2 or len(target) != rows:
        raise EvidenceError(f"the target policy is {target.shape} for {rows} rows of the log")
    units = unit_rows(logged)
    if rows < 2 or len(units) != rows or len(np.unique(units)) < 2:
        raise EvidenceError("fewer than two units, whose spread says nothing")
    if units.min() < 0 or np.bincount(units).min() == 0:
        raise EvidenceError("units must be counted from 0 without gaps")
    _check_log(logged, target.shape[1])
    _check_policy("the target policy", target)
    if logged.policy is not None:
        if logged.policy.shape != target.shape:
            raise EvidenceError(f"the logging policy is {logged.policy.shape}, not {target.shape}")
        _check_policy("the logging policy", logged.policy)
    if q_hat is not None and (q_hat.shape != target.shape or not np.isfinite(q_hat).all()):
        raise EvidenceError("the reward model has another shape or no number somewhere")


def _check_log(logged: Logged, actions: int) -> None:
    if not (len(logged.reward) == len(logged.propensity) == len(logged.action)):
        raise EvidenceError("actions, rewards and propensities differ in number")
    if logged.action.min() < 0 or logged.action.max() >= actions:
        raise EvidenceError(f"an action is not one of the target's {actions}")
    if not np.isfinite(logged.reward).all():
        raise EvidenceError("a reward is not a finite number")
    # Not `<=`: NaN must fail as well.
    if not ((logged.propensity > 0) & (logged.propensity <= 1)).all():
        raise EvidenceError("the propensity of a logged action is not above 0 and at most 1")


def _check_policy(name: str, chances: Numbers) -> None:
    if not ((chances >= 0).all() and np.allclose(chances.sum(axis=1), 1, atol=1e-6)):
        raise EvidenceError(f"{name} has a row that is no distribution over the actions")

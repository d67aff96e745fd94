"""What another policy would have earned, estimated from the log of the one that acted.

Importance weighting can only speak of actions that the log has tried: `judgement.judge` puts the
estimates beside the checks without which they mean nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Numbers = NDArray[np.float64]


class EvidenceError(ValueError):
    """The log, the target policy or the reward model cannot be used; the message says why."""


@dataclass(frozen=True)
class Logged:
    """What was done and what came of it, n rows of A possible actions.

    Attributes:
        action: What was chosen, (n,), from 0 to A - 1.
        reward: What it earned, (n,), in the unit of every value and gain below.
        propensity: The chance that the logging policy had given to the action chosen, (n,).
        policy: The chances that it had given to every action, (n, A), where they are known: with
            them the support of an action is judged row by row, without them over the whole log.
        unit: Which rows belong together, (n,), counted from 0 without gaps, such as an item's
            days. Rows of one unit may depend on each other, so every error is one between units.
            None: each row alone.
    """

    action: NDArray[np.int64]
    reward: Numbers
    propensity: Numbers
    policy: Numbers | None = None
    unit: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Estimate:
    """The target's mean reward and its gain over the logging policy, with standard errors.

    `low` is the one-sided lower bound of the gain; None where there is none.
    """

    value: float
    error: float
    gain: float
    gain_error: float
    low: float | None


def importance(logged: Logged, target: Numbers) -> Numbers:
    """Weights (n,): how much likelier each logged action is under the target policy (n, A)."""
    chosen = np.take_along_axis(target, logged.action[:, None], axis=1)[:, 0]
    return np.asarray(chosen / logged.propensity, np.float64)


def ips(
    logged: Logged,
    target: Numbers,
    alpha: float = 0.05,
    *,
    clip: float = 10.0,
    reward_range: tuple[float, float] | None = None,
) -> Estimate:
    """Inverse propensity score: the weighted mean (Horvitz & Thompson 1952). Unbiased.

    Its lower bound is `bernstein_low`, from weights clipped at `clip`.
    """
    weight = importance(logged, target)
    terms = weight * logged.reward
    low = bernstein_low(logged, weight, alpha, clip=clip, reward_range=reward_range)
    return _estimate(logged, terms, terms - logged.reward, low)


def snips(logged: Logged, target: Numbers, alpha: float = 0.05) -> Estimate:
    """Self-normalised inverse propensity score (Swaminathan & Joachims 2015).

    The weighted sum over the sum of weights: a bias that vanishes as 1/n, for a smaller variance
    and a value that does not depend on where the rewards' zero lies. Errors by linearisation
    (Owen 2013, section 9.2), the bound by `normal_low`.
    """
    weight = importance(logged, target)
    if not weight.sum() > 0:
        raise EvidenceError("no row of the log has an action that the target would choose")
    value = float(weight @ logged.reward / weight.sum())
    terms = value + weight * (logged.reward - value) / weight.mean()
    gain = terms - logged.reward
    return _estimate(logged, terms, gain, normal_low(logged, gain, alpha))


def doubly_robust(
    logged: Logged, target: Numbers, q_hat: Numbers, alpha: float = 0.05
) -> Estimate:
    """A reward model corrected by the weighted residuals (Dudik, Langford & Li 2011).

    `q_hat` (n, A) is the model's reward of each action in each row, learned from other rows than
    these. Unbiased if the propensities are right or the model is. The bound is `normal_low`.
    """
    weight = importance(logged, target)
    of_chosen = np.take_along_axis(q_hat, logged.action[:, None], axis=1)[:, 0]
    terms = (target * q_hat).sum(axis=1) + weight * (logged.reward - of_chosen)
    gain = terms - logged.reward
    return _estimate(logged, terms, gain, normal_low(logged, gain, alpha))


def normal_low(logged: Logged, gain: Numbers, alpha: float) -> float:
    """One-sided lower bound of the mean of `gain` (n,): t quantile, errors between units.

    Where the units are skewed to the left, as when the target avoids what now and then earns much,
    that bound lies too high too often; the first term of the Edgeworth expansion of the t
    statistic (Hall 1992) then lowers it. Skewed to the right it is careful, and stays as it is.
    """
    error, units = clustered_error(logged, gain)
    totals = np.bincount(unit_rows(logged), gain - gain.mean())
    spread = float(np.square(totals).mean())
    skewness = float((totals**3).mean()) / spread**1.5 if spread > 0 else 0.0
    reach = float(stdtrit(units - 1, 1 - alpha))
    reach += max(-skewness, 0.0) * (2 * reach**2 + 1) / (6 * math.sqrt(units))
    return float(gain.mean()) - reach * error


def bernstein_low(
    logged: Logged,
    weight: Numbers,
    alpha: float,
    *,
    clip: float,
    reward_range: tuple[float, float] | None,
) -> float | None:
    """One-sided lower bound of the gain for any n (Maurer & Pontil 2009, theorem 4).

    Rewards are counted from the least possible one, `reward_range[0]`. They are not negative
    then, so that clipped weights have a lower mean, and what bounds it from below bounds the true
    gain too (Bottou et al. 2013). None without a range known beforehand, or where
    the log leaves it.
    """
    if reward_range is None:
        return None
    least, most = reward_range
    if logged.reward.min() < least or logged.reward.max() > most:
        return None
    terms = (np.minimum(weight, clip) - 1) * (logged.reward - least)
    units = unit_rows(logged)
    sizes = np.bincount(units)
    count = len(sizes)
    totals = np.bincount(units, terms) * (count / len(units))
    width = max(clip, 1.0) * (most - least) * float(sizes.max()) * count / len(units)
    logs = math.log(2 / alpha)
    spread = math.sqrt(2 * float(totals.var(ddof=1)) * logs / count)
    return float(totals.mean()) - spread - 7 * width * logs / (3 * (count - 1))


def effective_size(logged: Logged, weight: Numbers) -> float:
    """Kish's effective sample size (1965), of the weights summed by unit."""
    totals = np.bincount(unit_rows(logged), weight)
    square = float(np.square(totals).sum())
    return float(totals.sum()) ** 2 / square if square > 0 else 0.0


def unsupported_mass(logged: Logged, target: Numbers, floor: float) -> float:
    """The share of the target's choices that the log has not tried.

    Not tried is what no row of the log has chosen and, where the log has its whole policy, what
    that gave a chance below `floor`, or none.
    """
    never = np.bincount(logged.action, minlength=target.shape[1]) == 0
    missing = np.broadcast_to(never, target.shape)
    if logged.policy is not None:
        missing = missing | (logged.policy < floor) | (logged.policy == 0)
    return float(np.where(missing, target, 0.0).sum() / len(target))


def unit_rows(logged: Logged) -> NDArray[np.int64]:
    """The unit of each row, (n,)."""
    return np.arange(len(logged.action)) if logged.unit is None else logged.unit


def clustered_error(logged: Logged, terms: Numbers) -> tuple[float, int]:
    """Standard error of the mean of `terms` (n,), rows of a unit taken as one; and the units."""
    totals = np.bincount(unit_rows(logged), terms - terms.mean())
    count = len(totals)
    square = float(np.square(totals).sum())
    return math.sqrt(square * count / (count - 1)) / len(terms), count


def _estimate(logged: Logged, terms: Numbers, gain: Numbers, low: float | None) -> Estimate:
    return Estimate(
        value=float(terms.mean()),
        error=clustered_error(logged, terms)[0],
        gain=float(gain.mean()),
        gain_error=clustered_error(logged, gain)[0],
        low=low,
    )

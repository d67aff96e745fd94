"""The statistics of the gate: paired by household, pooled over days, looks paid for.

Evidence is a table with one row per user and comparison: `against` (a version id), `user_id`,
`difference` (sum over the user's days of champion minus the other), `champion` (sum of the
champion's own metric) and `days` (how many). It is bounded by the number of users, adds up day by
day, and lets every interval be clustered by user however many days are pooled.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.records import Check

EVIDENCE = ("against", "user_id", "difference", "champion", "days")


@dataclass(frozen=True)
class Interval:
    """A paired mean with a one-sided bound on either side, in the metric's own unit."""

    mean: float
    low: float
    high: float
    error: float
    clusters: int


def no_evidence() -> pd.DataFrame:
    """An empty table of evidence."""
    return pd.DataFrame(
        {
            "against": pd.Series(dtype="str"),
            "user_id": pd.Series(dtype="str"),
            "difference": pd.Series(dtype="float64"),
            "champion": pd.Series(dtype="float64"),
            "days": pd.Series(dtype="int64"),
        }
    )


def evidence_of(against: str, champion: pd.Series, other: pd.Series) -> pd.DataFrame:
    """One day's evidence from two columns of per-user metrics, both indexed by user id."""
    table = pd.DataFrame({"difference": champion - other, "champion": champion, "days": 1})
    table.insert(0, "against", against)
    return table.rename_axis("user_id").reset_index()[list(EVIDENCE)]


def pool(memory: pd.DataFrame, today: pd.DataFrame) -> pd.DataFrame:
    """Add a day's evidence to the memory; sorted, so that the same days are the same bytes."""
    both = pd.concat([memory, today], ignore_index=True)
    return both.groupby(["against", "user_id"], sort=True, as_index=False)[
        ["difference", "champion", "days"]
    ].sum()


def spent(alpha: float, look: int) -> float:
    """The share of `alpha` for the k-th look: alpha / (k (k + 1)), which sums to alpha.

    A test repeated every night on growing data finds something by chance sooner or later; a
    convergent series of levels bounds the chance over all nights (union bound).
    """
    return alpha / (look * (look + 1))


def paired_interval(
    total: NDArray[np.float64], days: NDArray[np.float64], alpha: float, draws: int, seed: int
) -> Interval:
    """Mean of paired differences per household-day, users resampled whole.

    `total` (users,) sums the differences of a user over `days` (users,). The standard error is the
    bootstrap's over `draws` resamplings of users (Efron & Tibshirani 1993, chapter 6); the bounds
    are normal at the one-sided level `alpha`, because small levels lie beyond what the draws'
    own quantiles resolve. Raises ValueError when there is nothing to resample or a value is not
    finite, so that a caller cannot mistake it for evidence.
    """
    if len(total) < 2 or not (np.isfinite(total).all() and (days > 0).all()):
        raise ValueError("paired differences are too few or not finite")
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(total), np.full(len(total), 1 / len(total)), size=draws)
    means = (weights @ total) / (weights @ days)
    mean = float(total.sum() / days.sum())
    error = float(means.std(ddof=1))
    reach = NormalDist().inv_cdf(1 - alpha) * error
    return Interval(mean, mean - reach, mean + reach, error, len(total))


def power(error: float, margin: float, alpha: float) -> float:
    """Chance to show non-inferiority when the two are equal (normal approximation)."""
    if error == 0:
        return 1.0
    return NormalDist().cdf(margin / error - NormalDist().inv_cdf(1 - alpha))


def not_worse(
    name: str, evidence: pd.DataFrame, margin: float, alpha: float, *, draws: int, seed: int
) -> Check:
    """Non-inferiority: is the lower bound of (new minus old) above minus the margin?

    `evidence` holds new minus old under `difference` and the old one's own metric under
    `champion`; `margin` is a share of the latter's mean. What cannot be computed is not passed.
    """
    try:
        interval, allowed = _interval(evidence, margin, alpha, draws, seed)
    except ValueError as problem:
        return Check(name=name, passed=False, why=f"no evidence: {problem}")
    passed = interval.low > -allowed
    return Check(
        name=name,
        passed=passed,
        why=f"lower bound {interval.low:+.4f} {'>' if passed else '<='} {-allowed:+.4f}",
        effect=interval.mean,
        low=interval.low,
        high=interval.high,
        margin=allowed,
        households=interval.clusters,
        power=power(interval.error, allowed, alpha),
    )


def not_proven_worse(
    name: str,
    evidence: pd.DataFrame,
    margin: float,
    alpha: float,
    look: int,
    *,
    draws: int,
    seed: int,
) -> Check:
    """Over all pooled days: has the champion not been shown to be worse by more than the margin?

    Fails when the mean of (champion minus other) lies below minus the margin and its upper bound,
    at the level that this look may spend, lies below zero. Missing evidence does not fail here:
    a champion is not taken back for what nobody saw.
    """
    level = spent(alpha, look)
    try:
        interval, allowed = _interval(evidence, margin, level, draws, seed)
    except ValueError as problem:
        return Check(name=name, passed=True, why=f"nothing to compare: {problem}", looks=look)
    worse = interval.high < 0 and interval.mean < -allowed
    return Check(
        name=name,
        passed=not worse,
        why=(
            f"mean {interval.mean:+.4f}, upper bound {interval.high:+.4f}, "
            f"{'is' if worse else 'is not shown to be'} below {-allowed:+.4f}"
        ),
        effect=interval.mean,
        low=interval.low,
        high=interval.high,
        margin=allowed,
        households=interval.clusters,
        looks=look,
        power=power(interval.error, allowed, level),
    )


def _interval(
    evidence: pd.DataFrame, margin: float, alpha: float, draws: int, seed: int
) -> tuple[Interval, float]:
    days = evidence["days"].to_numpy(np.float64)
    interval = paired_interval(
        evidence["difference"].to_numpy(np.float64), days, alpha, draws, seed
    )
    level = abs(float(evidence["champion"].sum())) / float(days.sum())
    if not math.isfinite(level):
        raise ValueError("the champion's own metric is not finite")
    return interval, margin * level

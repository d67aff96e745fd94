"""The statistics of the gate: paired by unit, pooled over a window of days, looks paid for.

Evidence is a table with one row per unit-day and comparison: `against` (a version id), `day`
(ISO), `unit` (a user or an item), `difference` (champion minus the other) and `champion` (the
champion's own metric), both turned so that higher is better. It holds the days of one
window, so that good days long past do not outvote bad new ones; every interval is clustered by
unit, however many days are pooled.
"""

import datetime as dt
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.figures import figure
from tasks.records import Check

EVIDENCE = ("against", "day", "unit", "difference", "champion")
DRAWS_AT_ONCE = 100  # draws x units numbers at a time


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
    numbers = ("difference", "champion")
    return pd.DataFrame(
        {name: pd.Series(dtype="float64" if name in numbers else "str") for name in EVIDENCE}
    )


def evidence_of(against: str, day: dt.date, champion: pd.Series, other: pd.Series) -> pd.DataFrame:
    """One day's evidence from two columns of per-unit metrics, both indexed by unit."""
    table = pd.DataFrame({"difference": champion - other, "champion": champion})
    table = table.rename_axis("unit").reset_index()
    return table.assign(against=against, day=day.isoformat())[list(EVIDENCE)]


def pool(memory: pd.DataFrame, today: pd.DataFrame, since: dt.date) -> pd.DataFrame:
    """Both tables from `since` on; sorted, so that the same days are the same bytes."""
    both = pd.concat([memory, today], ignore_index=True)
    recent = both[both["day"] >= since.isoformat()]
    return recent.sort_values(["against", "day", "unit"], ignore_index=True)


def window_of(day: dt.date, days: int) -> int:
    """The number of the stretch of `days` calendar days in which the looks of `day` are paid."""
    return day.toordinal() // days


def spent(alpha: float, look: int) -> float:
    """The share of `alpha` for the k-th look: alpha / (k (k + 1)), which sums to alpha.

    A test repeated every night finds something by chance sooner or later; a convergent series of
    levels bounds the chance over all nights of a stretch (union bound). It begins anew with the
    next stretch, or a line that has gone well for a year could no longer be found to go ill.
    """
    return alpha / (look * (look + 1))


def paired_interval(
    total: NDArray[np.float64], days: NDArray[np.float64], alpha: float, draws: int, seed: int
) -> Interval:
    """Mean of paired differences per unit-day, units resampled whole.

    `total` (units,) sums the differences of a unit over `days` (units,). The standard error is the
    bootstrap's over `draws` resamplings of units (Efron & Tibshirani 1993, chapter 6); the bounds
    are normal at the one-sided level `alpha`, because small levels lie beyond what the draws'
    own quantiles resolve. Raises ValueError when there is nothing to resample or a value is not
    finite, so that a caller cannot mistake it for evidence.
    """
    if len(total) < 2:
        raise ValueError("fewer than two units")
    if not (np.isfinite(total).all() and (days > 0).all()):
        raise ValueError("a paired difference is not finite")
    generator = np.random.default_rng(seed)
    chances = np.full(len(total), 1 / len(total))
    means = np.empty(draws)
    for begin in range(0, draws, DRAWS_AT_ONCE):
        part = slice(begin, min(begin + DRAWS_AT_ONCE, draws))
        weights = generator.multinomial(len(total), chances, size=part.stop - begin)
        means[part] = (weights @ total) / (weights @ days)
    mean = float(total.sum() / days.sum())
    error = float(means.std(ddof=1))
    reach = NormalDist().inv_cdf(1 - alpha) * error
    return Interval(mean, mean - reach, mean + reach, error, len(total))


def interval_by_unit(evidence: pd.DataFrame, alpha: float, *, draws: int, seed: int) -> Interval:
    """The `paired_interval` of `difference` over unit-days, clustered by `unit`; its errors."""
    days = evidence[["difference"]].assign(days=1.0)
    sums = days.groupby(evidence["unit"], sort=True).sum(skipna=False)
    total, counts = (sums[name].to_numpy(np.float64) for name in sums.columns)
    return paired_interval(total, counts, alpha, draws, seed)


def power(error: float, margin: float, alpha: float) -> float:
    """Chance to show non-inferiority when the two are equal (normal approximation)."""
    if error == 0:
        return 1.0
    return NormalDist().cdf(margin / error - NormalDist().inv_cdf(1 - alpha))


def power_to_catch(error: float, margin: float, alpha: float) -> float:
    """Chance that `not_proven_worse` fails for one that is worse by twice the margin."""
    if error == 0:
        return 1.0
    needed = max(margin, NormalDist().inv_cdf(1 - alpha) * error)
    return NormalDist().cdf((2 * margin - needed) / error)


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
        why=f"{figure(interval.low, '+')} at worst, {figure(-allowed, '+')} is allowed",
        effect=interval.mean,
        low=interval.low,
        high=interval.high,
        margin=allowed,
        units=interval.clusters,
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
    """Over the pooled days: has the champion not been shown to be worse by more than the margin?

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
            f"{figure(interval.mean, '+')} on average, {figure(interval.high, '+')} at best: "
            + (f"worse, by more than {figure(allowed)}" if worse else "not shown to be worse")
        ),
        effect=interval.mean,
        low=interval.low,
        high=interval.high,
        margin=allowed,
        units=interval.clusters,
        looks=look,
        power=power_to_catch(interval.error, allowed, level),
    )


def _interval(
    evidence: pd.DataFrame, margin: float, alpha: float, draws: int, seed: int
) -> tuple[Interval, float]:
    interval = interval_by_unit(evidence, alpha, draws=draws, seed=seed)
    level = abs(float(evidence["champion"].sum(skipna=False))) / len(evidence)
    if not math.isfinite(level):
        raise ValueError("the champion's own metric is not finite")
    return interval, margin * level

"""What is unusual about a day, with false alarms controlled over all that is watched, every night.

Each thing watched (a column's drift, the champion's loss, the number of rows) is one number a day.
Its p-value is the chance of a number as far out as today's, were today one more day like the
past ones: the prediction interval of a normal sample (Student's t), by weekday once every weekday
was seen often enough. What is usual is how far the shop's own days lie from each other, not what
sampling alone would do: on large days the latter calls every Sunday drift.

Two steps control the false alarms. Within a night, Holm's procedure (1979) bounds the chance of
any false alarm by the night's level, however the watched numbers depend on each other. Over nights
each has the same level, a share 1 / n of what n nights may spend, so that by the union bound any n
nights in a row hold a false alarm with at most that chance, again whatever depends on what, and a
line that has gone well for a year can still be found to go ill. It rests on this: the past days
are like each other (or those of a weekday are), independent, and their numbers about normal. An
index is a sum of squares, so it is its cube root that is (Wilson & Hilferty 1931).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from tasks.records import Signal

Numbers = Sequence[float] | NDArray[np.float64]

FREEDOM = 6  # fewest degrees of freedom: what is usual is not known from less
PER_WEEKDAY = 3  # days of each weekday, from which on weekdays are told apart
BINS = 10  # of a numerical column: deciles of the past
UNSEEN = 0.5  # added to each count (Jeffreys), so that an empty bin is no infinite index
LEAST_SPREAD = 0.1  # of an index's cube root: a column that never varied may a little, once


@dataclass(frozen=True)
class Past:
    """One number of each past day: `values` (D,), `weekdays` (D,) from 0 to 6."""

    values: NDArray[np.float64]
    weekdays: NDArray[np.int64]


@dataclass(frozen=True)
class Unusual:
    """How far out today is: the number, what was usual, and the chance of one so far out."""

    today: float
    usual: float
    p: float


def chance(
    today: float, weekday: int, past: Past, least_spread: float, *, two_sided: bool = False
) -> Unusual | None:
    """The p-value of a number at least as high as today's (or, two-sided, as far out).

    `least_spread` bounds the standard deviation from below: past days that happen to agree are no
    proof. None where too few past days are known, or today's number is none.
    """
    values, weekdays = past.values, past.weekdays
    known, count = np.unique(weekdays, return_counts=True)
    if not (len(known) and weekday in known and count.min() >= PER_WEEKDAY):
        known, weekdays, weekday = np.array([0]), np.zeros(len(values), np.int64), 0
    freedom = len(values) - len(known)
    if freedom < FREEDOM or not math.isfinite(today):
        return None
    centre = {day: values[weekdays == day].mean() for day in known}
    rest = values - np.array([centre[day] for day in weekdays])
    spread = max(math.sqrt(float((rest**2).sum()) / freedom), least_spread)
    usual, alike = float(centre[weekday]), int((weekdays == weekday).sum())
    way = (today - usual) / (spread * math.sqrt(1 + 1 / alike))
    tail = float(stdtr(freedom, -abs(way) if two_sided else -way))
    return Unusual(today, usual, min(1.0, 2 * tail) if two_sided else tail)


def index_of(
    today: pd.Series, past: pd.Series, days: pd.Series, weekday: int, seed: int
) -> Unusual | None:
    """How unusual the population stability index of today's column against the past days is.

    Each past day's own index against all the others is what is usual. All of them are taken of
    equally many rows (drawn by `seed`), as the index of a small sample is high by itself. `days`
    names the ISO day of each row of `past`. None where too few days are known.
    """
    counts, names = _counts(today, past, days, seed)
    if len(names) < 2 or not counts[0].sum():
        return None
    total = counts[1:].sum(axis=0)
    indices = np.array([_index(row, total - row) for row in counts[1:]])
    weekdays = np.array([pd.Timestamp(name).weekday() for name in names])
    found = chance(
        float(np.cbrt(_index(counts[0], total))),
        weekday,
        Past(np.cbrt(indices), weekdays),
        LEAST_SPREAD,
    )
    if found is None:
        return None
    return Unusual(found.today**3, found.usual**3, found.p)


def signals(found: Mapping[str, Unusual], level: float) -> tuple[Signal, ...]:
    """Holm's adjusted p-value of each; at most `level` is unusual. The least likely first."""
    order = sorted(found, key=lambda name: (found[name].p, name))
    adjusted, made = 0.0, []
    for rank, name in enumerate(order):
        one = found[name]
        adjusted = min(1.0, max(adjusted, (len(order) - rank) * one.p))
        made.append(
            Signal(
                name=name,
                today=round(one.today, 6),
                usual=round(one.usual, 6),
                p=one.p,
                adjusted=adjusted,
                unusual=adjusted <= level,
            )
        )
    return tuple(made)


def strength(found: Sequence[Signal], level: float) -> float:
    """How strong an alarm is: 0 (none, or just at the level) to 1 (at its square, or less)."""
    least = min((one.adjusted for one in found if one.unusual), default=1.0)
    if least > level:
        return 0.0
    return min(1.0, math.log(level / max(least, 1e-300)) / math.log(1 / level))


def _counts(
    today: pd.Series, past: pd.Series, days: pd.Series, seed: int
) -> tuple[NDArray[np.float64], list[str]]:
    """Rows by bin (1 + D, K), today's first, and the D days; a null is in a bin of its own."""
    both = pd.concat([today, past], ignore_index=True)
    owner = pd.concat([pd.Series([""] * len(today)), days.reset_index(drop=True)])
    if pd.api.types.is_numeric_dtype(both):
        known = past.dropna().to_numpy(np.float64)
        shares = np.arange(1, BINS) / BINS
        edges = np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)
        code = np.searchsorted(edges, both.to_numpy(np.float64), side="right")
        code[both.isna().to_numpy()] = len(edges) + 1
    else:
        code = pd.factorize(both, use_na_sentinel=False)[0]
    width = int(code.max(initial=0)) + 1
    names = sorted(set(days))
    by_day = [code[owner.to_numpy() == name] for name in ("", *names)]
    usual = np.median([len(day) for day in by_day[1:]]) if names else 0
    size = int(min(len(today), usual))
    draw = np.random.default_rng(seed)
    taken = [day[draw.permutation(len(day))[:size]] for day in by_day]
    return np.array([np.bincount(day, minlength=width) for day in taken], np.float64), names


def _index(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Population stability index of two counts (K,): the symmetric Kullback-Leibler divergence."""
    first, second = one + UNSEEN, other + UNSEEN
    first, second = first / first.sum(), second / second.sum()
    return float(((first - second) * np.log(first / second)).sum())

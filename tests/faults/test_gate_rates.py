"""What the gate promises over many nights, counted on nights whose truth is known.

1. A challenger that is worse by the whole margin is promoted on at most alpha of the nights. (An
   equal one is promoted with the power that the verdict shows: it is not a false promotion.)
2. A champion equal to its predecessor is taken back in at most alpha of the windows of
   `window_days` nights, however often it is looked at within one.
3. A line that sinks ever so slowly below its anchor, by steps that no night can see, is stopped
   before it has lost much more than `anchor_margin`.
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tasks import gate

pytestmark = pytest.mark.fault(26)
ALPHA, WINDOW, MARGIN, ANCHOR_MARGIN = 0.05, 21, 0.05, 0.02  # as in params.yaml
DRAWS = 200
FIRST = dt.date(2024, 1, 1)
# Nights; of tests that just keep the promise, one in 1,000 fails.
FEW, MANY = 63, 1000
SURE = 0.999


def night(number: int, units: int, loss: float) -> pd.DataFrame:
    """New minus old on a night's units, where the new one is worse by that share of the old."""
    generator = np.random.default_rng([number, units])
    old = pd.Series(generator.beta(3, 7, units), index=[f"u{unit:03d}" for unit in range(units)])
    new = old * (1 - loss) + generator.normal(0, 0.05, units)
    return gate.evidence_of("other", FIRST + dt.timedelta(days=number), new, old)


def promoted(number: int, loss: float) -> bool:
    """Whether the night's challenger passes on the held-out units."""
    return gate.not_worse(
        "challenger", night(number, 70, loss), MARGIN, ALPHA, draws=DRAWS, seed=number
    ).passed


def false_promotions(nights: int) -> int:
    """Of challengers that are worse by the whole margin."""
    return sum(promoted(number, MARGIN) for number in range(nights))


def windows_with_a_false_alarm(nights: int) -> int:
    """Of a champion that equals its predecessor, looked at every night, nights pooled."""
    pooled, alarms, looks, before = gate.no_evidence(), set(), 0, -1
    for number in range(nights):
        day = FIRST + dt.timedelta(days=number)
        pooled = gate.pool(pooled, night(number, 70, 0.0), day - dt.timedelta(days=WINDOW - 1))
        window = gate.window_of(day, WINDOW)
        looks, before = (looks + 1 if window == before else 1), window
        check = gate.not_proven_worse(
            "champion", pooled, 0.0, ALPHA, looks, draws=DRAWS, seed=number
        )
        if not check.passed:
            alarms.add(window)
    return len(alarms)


def check_rates(nights: int) -> None:
    assert false_promotions(nights) <= binom.ppf(SURE, nights, ALPHA)
    assert windows_with_a_false_alarm(nights) <= binom.ppf(SURE, -(-nights // WINDOW) + 1, ALPHA)


def test_over_three_windows() -> None:
    check_rates(FEW)


@pytest.mark.slow
def test_over_a_thousand_nights() -> None:
    check_rates(MANY)


def test_a_gate_that_forgot_its_margin_would_be_found_out() -> None:
    """The count is no check if a looser gate passed it: a challenger a tenth of it worse."""
    looser = sum(promoted(number, MARGIN / 10) for number in range(FEW))
    assert looser > binom.ppf(SURE, FEW, ALPHA)


def test_a_decay_of_a_thousandth_a_day_is_stopped_by_the_anchor() -> None:
    """Each step passes its own night; the line is stopped, and no night later lets it go on."""
    pooled, lost, stopped, looks, before = gate.no_evidence(), 0.0, 0, 0, -1
    steps = []
    for number in range(90):
        day = FIRST + dt.timedelta(days=number)
        today = night(number, 350, lost)
        pooled = gate.pool(pooled, today, day - dt.timedelta(days=WINDOW - 1))
        window = gate.window_of(day, WINDOW)
        looks, before = (looks + 1 if window == before else 1), window
        check = gate.not_proven_worse(
            "anchor", pooled, ANCHOR_MARGIN, ALPHA, looks, draws=DRAWS, seed=number
        )
        if check.passed:  # the challenger is promoted wherever its own night lets it
            steps.append(promoted(number, 0.001))
            lost += 0.001 * steps[-1]
        else:
            stopped += 1
    assert np.mean(steps) > 0.7  # hardly a night saw it
    assert stopped > 20
    assert ANCHOR_MARGIN < lost < 2 * ANCHOR_MARGIN

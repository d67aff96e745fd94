"""Forecast intervals that keep their promise: widened after misses, narrowed after hits.

Adaptive conformal inference (Gibbs & Candes, NeurIPS 2021, "Adaptive conformal inference under
distribution shift"), applied to the width of learned quantiles: whatever the network believes,
the share of misses over many days comes out as promised.
"""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.pricing.item_days import COLUMN, DAY_AGO, MOVE_1, MOVE_7, WEEK_AGO, ItemDays

MISSES = 0.2  # of an 80% interval
WIDEST = 3.0  # of the logarithm of a stretch
# Per horizon: slot, label, and the columns of low, median and high.
HORIZONS = {
    days: (slot, move, [COLUMN[f"{name}_{days}"] for name in ("low", "median", "high")])
    for days, slot, move in ((1, DAY_AGO, MOVE_1), (7, WEEK_AGO, MOVE_7))
}

Floats = NDArray[np.float32]


def stretched(outputs: Floats, stretch: Floats) -> Floats:
    """Outputs (..., O) with intervals `exp(stretch)` (2,) times as far from their median."""
    wide = outputs.copy()
    for place, (_, _, (low, median, high)) in enumerate(HORIZONS.values()):
        factor = np.exp(stretch[place])
        for end in (low, high):
            away = outputs[..., end] - outputs[..., median]
            wide[..., end] = outputs[..., median] + factor * away
    return wide


def followed(stretch: Floats, examples: ItemDays, pace: float) -> Floats:
    """The stretch after a day on which some forecasts came due.

    A day counts by the share of its units that have a label: most prices one day ahead come due
    on one day of the week. A label of h days ahead overlaps with h - 1 others, which mostly see
    the same change, and counts an h-th. So each horizon moves as far in a week.
    """
    after = stretch.copy()
    for place, days in enumerate(HORIZONS):
        inside = covered(examples, examples.forecasts, days)
        known = inside[np.isfinite(inside)]
        if len(known):
            weight = len(known) / len(inside) / days
            after[place] += pace * weight * (1 - known.mean() - MISSES) / MISSES
    found: Floats = np.clip(after, -WIDEST, WIDEST).astype(np.float32)
    return found


def covered(examples: ItemDays, outputs: Floats, days: int) -> Floats:
    """Whether each unit's price came to lie in its interval (L,): 1, 0, or NaN if not known."""
    slot, move, (low, _, high) = HORIZONS[days]
    label, said = examples.labels[:, slot, move], outputs[:, slot]
    inside = (label >= said[:, low] - 1e-6) & (label <= said[:, high] + 1e-6)
    known = np.isfinite(label) & np.isfinite(said[:, low])
    found: Floats = np.where(known, inside, np.nan).astype(np.float32)
    return found

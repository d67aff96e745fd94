"""How good forecasts are: one row per item and day."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.pricing.features import BASE, DAYS_LEFT, FEATURES, FLOOR
from lightning_modules.pricing.intervals import HORIZONS, covered
from lightning_modules.pricing.item_days import (
    COLUMN,
    OUTPUTS,
    REST_OF_WEEK,
    TODAY,
    WEEK_AGO,
    ItemDays,
)
from lightning_modules.pricing.shelf import CHANGE

LEAST = 1e-3  # units that any forecast promises at least: log 0 has no deviance
LEVELS = (0.1, 0.5, 0.9)
WEEKDAY = FEATURES.index("weekday")

Floats = NDArray[np.float32]


def deviance(units: Floats, mean: Floats) -> NDArray[np.float64]:
    """Poisson deviance of each count: 2 (y log(y / m) - (y - m))."""
    y, m = units.astype(np.float64), np.maximum(mean.astype(np.float64), LEAST)
    part = np.where(y > 0, y * np.log(np.maximum(y, LEAST) / m), 0.0)
    found: NDArray[np.float64] = 2 * (part - (y - m))
    return found


def unit_quality(examples: ItemDays, scores: Floats) -> pd.DataFrame:
    """One row per unit, for scores (L, SLOTS, OUTPUTS).

    `deviance` (Poisson) and `absolute_error` of today's `units`; `week_deviance` of the rest of
    the week forecast seven days ago; for prices 1 and 7 days ahead that came due today:
    `pinball_*` (mean quantile loss of the log move), `brier_*` (of the chance of a change) and
    `covered_*` (of the interval as served on its day). NaN where nothing came due.
    """
    mean = scores[:, TODAY, COLUMN["units"]]
    rest = examples.labels[:, WEEK_AGO, REST_OF_WEEK]
    columns = {
        "unit": examples.item_ids,
        "deviance": deviance(examples.units, mean),
        "absolute_error": np.abs(examples.units - mean),
        "units": examples.units,
        "week_deviance": deviance(rest, scores[:, WEEK_AGO, COLUMN["rest_of_week"]]),
    }
    for days, (slot, move, ends) in HORIZONS.items():
        label = examples.labels[:, slot, move].astype(np.float64)
        miss = label[:, None] - scores[:, slot, ends]
        changed = np.where(np.isnan(label), np.nan, np.abs(label) > np.log1p(CHANGE))
        columns[f"pinball_{days}"] = np.maximum(
            np.multiply(LEVELS, miss), np.subtract(LEVELS, 1) * miss
        ).mean(axis=1)
        columns[f"brier_{days}"] = (scores[:, slot, COLUMN[f"chance_{days}"]] - changed) ** 2
        columns[f"covered_{days}"] = covered(examples, examples.forecasts, days)
    return pd.DataFrame(columns)


def naive_outputs(examples: ItemDays) -> Floats:
    """The simple rival (L, SLOTS, OUTPUTS): 28 faded days times the weekday; no price changes."""
    outputs = np.zeros((*examples.features.shape[:2], len(OUTPUTS)), np.float32)
    features = examples.features.astype(np.float32)
    level = np.maximum(np.exp(features[..., BASE]) - FLOOR, 0)
    today = np.maximum((level + 0.3) * np.exp(features[..., WEEKDAY]) - 0.3, 0)
    outputs[..., COLUMN["units"]] = today
    outputs[..., COLUMN["rest_of_week"]] = level * np.exp(features[..., DAYS_LEFT])
    return outputs

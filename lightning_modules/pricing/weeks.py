"""Rows whose price's week is over: what a week's demand is learned from.

The units of a week are known when its last day is over. `examples` come to its first row again a
day later, and that day forecasts the next week before it is learned: such a forecast would rest on
the week before the last.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import mixed
from lightning_modules.pricing.days import Known, tracked_on
from lightning_modules.pricing.item_days import (
    LABELS,
    REST_OF_WEEK,
    ItemDays,
    TrainingRows,
    joined,
)
from lightning_modules.pricing.queue import LONG
from lightning_modules.pricing.take_in import first_lost


def weeks_over(
    known: Known, day: int, examples: ItemDays, but: NDArray[np.int32] | None = None
) -> TrainingRows:
    """Rows of the last days whose week ended with `day`, or on a closed day just before it.

    They carry the units of the week's rest and no other label; a sum with a lost day in it is not
    known. `known` is what was known before the day, so each row is here on one day only. `but` are
    tracked rows to leave out: those held out today, whose sales are part of the sums.
    """
    state, queue = known.state, known.queue
    ended = (queue.end > state.shop.day) & (queue.end <= day)
    ended &= queue.end - queue.day + 1 >= LONG
    lost = first_lost(state.shop.day, day, known.settings)
    if lost is not None:
        ended &= queue.end < lost
    if but is not None:
        ended &= ~np.isin(queue.item, but)
    rows = queue.take(ended & np.isfinite(queue.units))
    sold = np.zeros(len(tracked_on(known)), np.float32)
    sold[examples.item] = examples.units
    labels = np.full((len(rows.day), len(LABELS)), np.nan, np.float32)
    labels[:, REST_OF_WEEK] = rows.units + np.where(rows.end == day, sold[rows.item], 0)
    place = rows.day.astype(np.uint64) << np.uint64(32) | rows.item.astype(np.uint64)
    return TrainingRows(
        keys=mixed(place),
        day=rows.day,
        item=rows.item,
        category=state.seen.category[state.watched.item[state.tracked[rows.item]]],
        features=rows.features,
        labels=labels,
        censored=np.zeros(len(rows.day), bool),
    )


def but_weeks(*parts: TrainingRows) -> TrainingRows:
    """All rows without the label of the week, and only those that have another one."""
    rows = joined(parts)
    labels = rows.labels.copy()
    labels[:, REST_OF_WEEK] = np.nan
    taught: NDArray[np.bool_] = np.any(np.isfinite(labels), axis=1)
    return replace(rows, labels=labels).take(taught)

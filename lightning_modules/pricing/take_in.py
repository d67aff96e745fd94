"""A day into all that a learner keeps: catalogue, state, queue, history, intervals."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.absorb import absorb_day
from lightning_modules.pricing.days import Known, day_number, shelf_of, tracked_on
from lightning_modules.pricing.features import closed_numbers
from lightning_modules.pricing.intervals import followed
from lightning_modules.pricing.item_days import COLUMN, TODAY, ItemDays
from lightning_modules.pricing.offers import promoted
from lightning_modules.pricing.sales import sales
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.state import ERROR_TAU, kept
from lightning_modules.pricing.state_file import Kept
from lightning_modules.vocabulary import Rows

UNKNOWN = "|"  # an item without a department and a category


def take_in(
    before: Kept, known: Known, groups: Rows, day: ShopDay, examples: ItemDays | None
) -> Kept:
    """Take the day in; `known` is what was known before it.

    The tables of the state change in place. With `examples`, the day's units join the queue and
    the history, and the intervals follow the forecasts that came due. Raises ValueError on a
    day not after the last.
    """
    state, settings, number = before.state, known.settings, day_number(day.day)
    if number <= state.shop.day:
        raise ValueError(f"{day.day} was taken in already: each day counts once")
    shelf = shelf_of(known, day)
    after = before
    if examples is not None:
        state.tracked = tracked_on(known)
        rows = state.tracked[examples.item].astype(np.int64)
        price = shelf.price[rows]
        after = replace(
            before,
            queue=before.queue.after(
                number, examples, shelf, rows, first_lost(state.shop.day, number, settings)
            ),
            # History counts open days: a closed one leaves no gap in it.
            history=before.history.after(len(state.tracked), examples.item, price, examples.units)
            if len(examples)
            else before.history,
            stretch=followed(before.stretch, examples, settings.pace),
        )
        _count_errors(before, examples, rows)
    sold = sales(day.events)
    _admit(before, known.items, groups, day.items, sold.item_ids)
    state.shop.channels = max(state.shop.channels, promoted(day.prices, known.items).channels)
    excluded = excluded_groups(groups, settings)
    absorb_day(state, number, shelf, known.items.find(sold.item_ids), sold, settings, excluded)
    return after


def first_lost(last: int, day: int, settings: Settings) -> int | None:
    """The first open day between the last one taken in and `day`; None if there is none.

    Days before the first one are not lost.
    """
    if last == 0:
        return None
    skipped = np.setdiff1d(np.arange(last + 1, day), closed_numbers(settings))
    return int(skipped[0]) if len(skipped) else None


def excluded_groups(groups: Rows, settings: Settings) -> NDArray[np.bool_]:
    """Which groups (`department|category`) are of an excluded department or category.

    In a shop that names no category at all, not to have one excludes nothing.
    """
    parts = [name.split("|", 1) for name in groups.row_of]
    named = any(category for _, category in parts)
    left_out = [
        department in settings.exclude_departments
        or (category in settings.exclude_categories and (named or category != ""))
        for department, category in parts
    ]
    return np.array(left_out, bool)


def item_groups(items: pd.DataFrame) -> dict[str, str]:
    """The group `department|category` of each item in the catalogue's rows, ids sorted."""
    if len(items) == 0:
        return {}
    parts = [
        items[name].astype("object").where(items[name].notna(), "").astype(str)
        if name in items
        else pd.Series("", index=items.index)
        for name in ("department", "category")
    ]
    names = parts[0] + "|" + parts[1]
    return dict(sorted(zip(items["item_id"].astype(str), names, strict=True)))


def _admit(
    before: Kept, items: Rows, groups: Rows, catalogue: pd.DataFrame, sold: list[str]
) -> None:
    """New items get rows; a group becomes known when the catalogue tells it."""
    found = item_groups(catalogue)
    groups.admit([UNKNOWN])
    groups.admit(sorted(set(found.values())))
    items.admit(found)
    items.admit(sold)
    before.state.seen.grow(len(items))
    before.state.categories.grow(len(groups))
    before.state.seen.category[items.find(found)] = groups.find(found.values())


def _count_errors(before: Kept, examples: ItemDays, rows: NDArray[np.int64]) -> None:
    """Squared misses of the forecasts made for today, beside their means."""
    mean = examples.forecasts[:, TODAY, COLUMN["units"]]
    made = np.isfinite(mean)
    table = before.state.watched
    table.error *= kept(ERROR_TAU)
    miss = (examples.units[made] - mean[made]) ** 2
    table.error[rows[made]] += np.stack([miss, mean[made]], axis=1)

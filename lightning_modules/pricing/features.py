"""What the network sees of an item's day: everything known when the day opens.

The price of the day enters through `ratio` alone; no other feature moves with it, so the network
can hold the price effect to one sign. Prices of earlier days are features like any others.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightning_modules.pricing.absorb import moved, price_ratio
from lightning_modules.pricing.offers import EPOCH, FOREVER
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.shelf import references
from lightning_modules.pricing.state import (
    BUYER_TAUS,
    CATEGORY_TAUS,
    SOLD_TAUS,
    WEEKDAY_KEPT,
    PricingState,
    Shelf,
    mass,
    weekday_of,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Their order is that of the columns.
FEATURES = (
    *("base", "sold_3", "sold_7", "sold_84", "buyers_7", "buyers_28", "weekday", "yesterday"),
    *("week_ago", "best_of_week", "zero_days", "age"),
    *("steady", "when_cut", "when_plain", "share_cut", "spell_mean", "spell_days"),
    *("reference", "regular", "before", "display", "mailer", "display_gain", "mailer_gain"),
    *("days_left", "category", "shop", "month", "holiday_before", "holiday_after", "holiday"),
    *WEEKDAYS,
    "ratio",
)
BASE, DAYS_LEFT, RATIO = (FEATURES.index(name) for name in ("base", "days_left", "ratio"))
SPELL_MEAN, SPELL_DAYS = FEATURES.index("spell_mean"), FEATURES.index("spell_days")
HOLIDAY_REACH = 6  # days before and after a holiday that feel it
GROWN_UP = 56  # days after which an item is no longer new: an age without end is a date
FLOOR = 0.1  # added to a mean before its logarithm

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """A day to be forecast: the state before it, the shelf on it."""

    state: PricingState
    shelf: Shelf
    day: int
    settings: Settings


def _sales(scene: Scene, rows: Rows) -> dict[str, Floats]:
    table = scene.state.watched
    age = table.age[rows][:, None]
    mean = table.sold[rows] / mass(age, SOLD_TAUS)
    buyers = table.buyers[rows] / mass(age, BUYER_TAUS)
    level = mean[:, 2]
    base = np.log(level + FLOOR)
    weekday = weekday_of(scene.day)
    weeks = age[:, 0] // 7
    same = table.weekday[rows, weekday] / np.maximum(
        (1 - WEEKDAY_KEPT**weeks) / (1 - WEEKDAY_KEPT), 0.1
    )
    spread = table.latest[rows]
    return {
        "base": base,
        **{
            f"sold_{int(t)}": np.log(mean[:, k] + FLOOR) - base
            for k, t in enumerate(SOLD_TAUS)
            if k != 2
        },
        "buyers_7": np.log(buyers[:, 0] + FLOOR) - base,
        "buyers_28": np.log(buyers[:, 1] + FLOOR) - base,
        "weekday": np.log((same + 0.3) / (level + 0.3)),
        "yesterday": np.log1p(table.latest[rows, (weekday - 1) % 7]),
        "week_ago": np.log1p(table.latest[rows, weekday]),
        "best_of_week": np.log1p(spread.max(axis=1)),
        "zero_days": (spread == 0).mean(axis=1),
        "age": np.log1p(np.minimum(age[:, 0], GROWN_UP)),
    }


def _by_price(scene: Scene, rows: Rows, base: Floats) -> dict[str, Floats]:
    table = scene.state.watched
    level = np.exp(base)
    steady = table.steady[rows]
    cut, plain = table.promotion[rows], table.plain[rows]
    spell = np.where(_changed(scene, rows)[:, None], 0, table.spell[rows])
    return {
        "steady": np.log((steady[:, 0] + FLOOR) / (steady[:, 1] + 1)) - base,
        "when_cut": np.log((cut[:, 0] + 3 * level) / (cut[:, 1] + 3)) - base,
        "when_plain": np.log((plain[:, 0] + 3 * level) / (plain[:, 1] + 3)) - base,
        "share_cut": cut[:, 1] / np.maximum(cut[:, 1] + plain[:, 1], 1),
        "spell_mean": np.log((spell[:, 0] + 2 * level) / (spell[:, 1] + 2)) - base,
        "spell_days": np.log1p(spell[:, 1]),
    }


def _prices(scene: Scene, rows: Rows) -> dict[str, Floats]:
    shelf = scene.shelf
    reference = references(shelf, rows)

    def relative(price: Floats) -> Floats:
        known = np.where(price[rows] > 0, price[rows], reference)
        ratio: Floats = np.clip(np.log(known / reference), -1.5, 1).astype(np.float32)
        return ratio

    left = open_days_left(scene, rows)
    return {
        "reference": np.log(reference),
        "regular": relative(shelf.regular),
        "before": relative(shelf.before),
        "display": shelf.display[rows],
        "mailer": shelf.mailer[rows],
        "display_gain": shelf.display[rows] - shelf.display_before[rows],
        "mailer_gain": shelf.mailer[rows] - shelf.mailer_before[rows],
        "days_left": np.log(left),
    }


def _surroundings(scene: Scene, rows: Rows) -> dict[str, Floats]:
    state = scene.state
    category = state.seen.category[state.watched.item[rows]]
    sold = state.categories.sold[category] / mass(np.array(state.shop.open_days), CATEGORY_TAUS)
    shop = state.shop.sold / mass(np.array(state.shop.open_days), CATEGORY_TAUS)
    weekday = weekday_of(scene.day)
    today = date.fromordinal(date(1970, 1, 1).toordinal() + scene.day)
    before, after, now = holiday(today, scene.settings.holidays)
    whole = {
        "shop": float(np.log((shop[0] + 1) / (shop[1] + 1))),
        "month": today.day / 15.5 - 1,
        "holiday_before": before,
        "holiday_after": after,
        "holiday": now,
        **{name: float(place == weekday) for place, name in enumerate(WEEKDAYS)},
    }
    return {
        "category": np.log((sold[:, 0] + 1) / (sold[:, 1] + 1)),
        **{name: np.full(len(rows), value) for name, value in whole.items()},
    }


def holiday(day: date, holidays: dict[str, tuple[str, ...]]) -> tuple[float, float, float]:
    """How near the next and the last holiday are, up to 1, and whether the day is one.

    The day itself is neither before nor after: shops fill before a holiday and empty on it.
    """
    away = [(date.fromisoformat(text) - day).days for days in holidays.values() for text in days]
    before = max((1 - d / HOLIDAY_REACH for d in away if 0 < d < HOLIDAY_REACH), default=0.0)
    after = max((1 + d / HOLIDAY_REACH for d in away if -HOLIDAY_REACH < d < 0), default=0.0)
    return before, after, float(0 in away)


def _changed(scene: Scene, rows: Rows) -> NDArray[np.bool_]:
    """Whether the price is another one than on the last day taken in."""
    last = scene.state.shelf.price
    return moved(last[rows], scene.shelf.price[rows])


def window_end(shelf: Shelf, rows: Rows, day: int) -> NDArray[np.int32]:
    """The last day of each price's week (n,): its own last day, but at most a week in all.

    A price without a last day to come has the week of the shop, which is the longest of those
    that run. Where all prices are posted for the same week, the end is thus the same with and
    without a row of one's own: that there is a row may say that the item will be sold.
    """
    running = (shelf.until >= day) & (shelf.until != FOREVER)
    whole = shelf.until[running].max() if running.any() else day + 6
    end = np.where(running[rows], shelf.until[rows], whole)
    found: NDArray[np.int32] = np.minimum(end, day + 6).astype(np.int32)
    return found


def closed_numbers(settings: Settings) -> NDArray[np.int64]:
    """The closed days as days since 1970."""
    closed = np.array([date.fromisoformat(text) for text in settings.closed_days], "M8[D]")
    found: NDArray[np.int64] = (closed - EPOCH).astype(np.int64)
    return found


def open_days_left(scene: Scene, rows: Rows) -> Floats:
    """Open days from today through the end of the price's week, 1 to 7."""
    end = window_end(scene.shelf, rows, scene.day)
    number = closed_numbers(scene.settings)
    shut = ((number >= scene.day) & (number <= end[:, None])).sum(axis=1)
    left: Floats = np.maximum(end - scene.day + 1 - shut, 1).astype(np.float32)
    return left


def feature_matrix(scene: Scene, rows: Rows) -> NDArray[np.float16]:
    """The features of some watched rows, (n, FEATURES)."""
    columns = feature_columns(scene, rows)
    matrix = np.column_stack([columns[name] for name in FEATURES])
    return matrix.astype(np.float16)


def feature_columns(scene: Scene, rows: Rows) -> dict[str, Floats]:
    """The features of some watched rows by name, the price's last."""
    sales = _sales(scene, rows)
    return {
        **sales,
        **_by_price(scene, rows, sales["base"]),
        **_prices(scene, rows),
        **_surroundings(scene, rows),
        "ratio": price_ratio(scene.shelf, rows),
    }

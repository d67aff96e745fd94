"""A made-up market: ten products in two categories, prices by the week, sales by price."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.item_days import ItemDays
from lightning_modules.pricing.learner import PricingLearner

SETTINGS: dict[str, Any] = {
    "items": 10,
    "watch_after": 3,
    "hidden": [8],
    "width": 2,
    "category_width": 2,
    "members": 3,
    "replay_size": 200,
    "recent_days": 4,
    "frozen_size": 12,
    "frozen_a_day": 2,
    "history_days": 28,
    "min_days_at_price": 2,
}
FIRST = date(2024, 1, 1)  # a Monday
PRODUCTS = [f"p{number}" for number in range(10)]
EVENT_COLUMNS = ("event_type", "user_id", "item_id", "quantity", "price")
PRICE_COLUMNS = ("item_id", "until", "channel", "price", "list_price", "display", "mailer")


def catalogue(*products: str) -> pd.DataFrame:
    """Products in two categories; without names, all of them."""
    names = list(products) or PRODUCTS
    return pd.DataFrame(
        {
            "item_id": names,
            "department": "food",
            "category": [f"c{int(name[1:]) % 2}" for name in names],
        }
    )


def price_of(product: str, day: date) -> float:
    """Two to eleven; every third week a product is a quarter off."""
    week = (day - FIRST).days // 7
    number = int(product[1:])
    return (2 + number) * (0.75 if (week + number) % 3 == 0 else 1.0)


def sold(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Purchases of (user, product, quantity) at two a piece."""
    frame = pd.DataFrame(
        [("purchase", user, item, quantity, 2.0) for user, item, quantity in rows],
        columns=list(EVENT_COLUMNS),
    )
    return frame.astype({"quantity": "float64", "price": "float64"})


def posts(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows of the prices table; what is not given is missing."""
    frame = pd.DataFrame([{name: row.get(name) for name in PRICE_COLUMNS} for row in rows])
    if not rows:
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in PRICE_COLUMNS})
    numbers = dict.fromkeys(("price", "list_price"), "float64")
    return frame.astype({"until": "datetime64[us]", **numbers})


def week_posts(day: date) -> pd.DataFrame:
    """Prices posted on a Monday through Sunday; what is cheap is on display in one of two."""
    until = pd.Timestamp(day + timedelta(6))
    rows: list[dict[str, Any]] = []
    for product in PRODUCTS:
        regular, price = 2.0 + int(product[1:]), price_of(product, day)
        rows.append({"item_id": product, "until": until, "price": price, "list_price": regular})
        if price < regular:
            rows.append({"item_id": product, "until": until, "channel": "s1", "display": "front"})
    rows.append({"item_id": "p0", "until": until, "channel": "s2", "mailer": "cover"})
    return posts(*rows)


def market_day(day: date) -> ShopDay:
    """Ten households; more of a product is bought when it is cheap, none of it is free of luck."""
    generator = np.random.default_rng(day.toordinal())
    rows: list[tuple[str, str, float]] = []
    for product in PRODUCTS:
        cheap = price_of(product, day) < 2 + int(product[1:])
        for user in np.flatnonzero(generator.random(10) < (0.7 if cheap else 0.35)):
            rows.append((f"u{user}", product, float(generator.integers(1, 3))))
    prices = week_posts(day) if day.weekday() == 0 else posts()
    return ShopDay(day, sold(*rows), catalogue() if day == FIRST else catalogue().iloc[:0], prices)


def held_out(examples: ItemDays) -> NDArray[np.bool_]:
    """A third of the units, on most days."""
    held: NDArray[np.bool_] = examples.keys % np.uint64(3) == 0
    return held


def live_through(learner: PricingLearner, number: int, folder: Path | None = None) -> None:
    """Take in a day of history, spooled if there is a folder, only counted if there is none."""
    day = market_day(FIRST + timedelta(number))
    if folder is None:
        learner.absorb(day, None, None)
        return
    examples = learner.examples(day)
    learner.spool(examples.take(~held_out(examples)), folder / f"{day.day}.safetensors")
    learner.absorb(day, examples, held_out(examples))


def learn(learner: PricingLearner, day: date) -> None:
    """One increment: fine-tune on the day, then take it in."""
    today = market_day(day)
    examples = learner.examples(today)
    update = {"batch_size": 16, "replay": 24, "replay_recent": 8}
    learner.fine_tune(examples, held_out(examples), update=update, seed=day.toordinal())
    learner.absorb(today, examples, held_out(examples))


def files(directory: Path) -> dict[str, bytes]:
    """The files of a bundle."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def saved(learner: PricingLearner, directory: Path) -> dict[str, bytes]:
    """The learner's files, written anew."""
    directory.mkdir()
    learner.save(directory)
    return files(directory)

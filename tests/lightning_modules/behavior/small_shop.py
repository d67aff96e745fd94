"""A made-up shop where people search, look and buy: twelve users, six categories, a few weeks."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import ShopDay

SETTINGS: dict[str, Any] = {
    "categories": 5,
    "not_judged": ["bags"],
    "past_events": 6,
    "next_events": 3,
    "term_buckets": 4,
    "width": 4,
    "memory_width": 4,
    "user_width": 6,
    "user_hidden": [8],
    "hidden": [8, 4],
    "cross_rank": 4,
    "rows_a_user": 3,
    "waiting_share": 0.8,
    "replay_share": 0.5,
    "replay_size": 60,
    "frozen_size": 8,
    "frozen_a_day": 2,
}
FIRST = date(2024, 1, 1)
CATEGORIES = ["bread", "milk", "fruit", "soap", "wine", "cheese"]
COLUMNS = {
    "event_type": "purchase",
    "user_id": "u0",
    "item_id": "bread",
    "query": None,
    "quantity": 1.0,
    "price": 2.0,
    "discount": 0.5,
}


def catalogue() -> pd.DataFrame:
    """One item a category, of the same name; and a bag."""
    names = [*CATEGORIES, "bags"]
    return pd.DataFrame({"item_id": names, "category": names})


def events(day: date, *rows: dict[str, Any]) -> pd.DataFrame:
    """Events with what is told of each, one a minute in the order given."""
    frame = pd.DataFrame([{**COLUMNS, **row} for row in rows], columns=list(COLUMNS))
    start = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=9)
    frame.insert(0, "event_time", start + pd.to_timedelta(np.arange(len(rows)), unit="min"))
    numbers = dict.fromkeys(("quantity", "price", "discount"), "float64")
    words = dict.fromkeys(("event_type", "user_id", "item_id", "query"), "str")
    return frame.astype({**numbers, **words})


def shop_day(day: date, *rows: dict[str, Any], items: pd.DataFrame | None = None) -> ShopDay:
    """A day with these events; the catalogue is known from the first day on, unless told."""
    if items is None:
        items = catalogue() if day == FIRST else catalogue().iloc[:0]
    return ShopDay(day, events(day, *rows), items, pd.DataFrame())


def day_of_trade(day: date) -> ShopDay:
    """Everyone searches; two of three look at what they like and mostly buy it."""
    generator = np.random.default_rng(day.toordinal())
    rows: list[dict[str, Any]] = []
    for user in range(12):
        liked = CATEGORIES[(user + int(generator.integers(0, 2))) % 6]
        who = {"user_id": f"u{user}"}
        rows.append({**who, "event_type": "search", "item_id": None, "query": f"Fresh {liked}"})
        if generator.random() < 0.7:
            rows.append({**who, "event_type": "view", "item_id": liked, "quantity": np.nan})
            rows.append({**who, "item_id": liked, "quantity": float(generator.random() < 0.8)})
    return shop_day(day, *rows)


def held_out(units: UserDays) -> NDArray[np.bool_]:
    """Every fourth unit."""
    fourth: NDArray[np.bool_] = np.arange(len(units)) % 4 == 0
    return fourth


def live_through(learner: BehaviorLearner, day: date, folder: Path | None = None) -> None:
    """Spool a day's units if there is a folder, take the day in."""
    today = day_of_trade(day)
    units = learner.examples(today) if folder else None
    if units is not None and folder:
        learner.spool(units.take(~held_out(units)), folder / f"{day}.safetensors")
    learner.absorb(today, units, None if units is None else held_out(units))


def seasoned(days: int, folder: Path | None = None) -> BehaviorLearner:
    """A learner that has lived through some days, the later half of them spooled."""
    learner = BehaviorLearner.new(SETTINGS)
    for number in range(days):
        live_through(learner, FIRST + timedelta(number), folder if number >= days // 2 else None)
    return learner


def learn(learner: BehaviorLearner, day: date) -> None:
    """One increment: fine-tune on the day, then take it in."""
    today = day_of_trade(day)
    units = learner.examples(today)
    update = {"batch_size": 8, "replay": 16}
    learner.fine_tune(units, held_out(units), update=update, seed=day.toordinal())
    learner.absorb(today, units, held_out(units))


def saved(learner: BehaviorLearner, directory: Path) -> dict[str, bytes]:
    """The bytes of the learner's files."""
    directory.mkdir()
    learner.save(directory)
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}

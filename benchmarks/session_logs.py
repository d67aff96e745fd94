"""Two real logs as sessions of nobody: a supermarket's baskets, and a shop's clicks."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.session_rivals import ANOTHER, Own
from lightning_modules.hashing import list_keys
from lightning_modules.learner import ShopDay

SESSIONS_A_DAY = 120
BASKETS_FROM, BASKETS_FIT = dt.date(2017, 5, 1), dt.date(2017, 9, 3)
BASKETS_FIRST, BASKETS_LAST = dt.date(2017, 10, 1), dt.date(2017, 10, 21)
CLICKS_FIT, CLICKS_FIRST = dt.date(2016, 2, 15), dt.date(2016, 3, 14)
CLICKS_LAST = dt.date(2016, 4, 10)
QUICK_DAYS = 3
BASKETS = {
    "sessions_a_day": SESSIONS_A_DAY,
    "explore": 200,
    "seen_together": 400,
    "most_pairs": 1_500_000,
    "sampling_share": 0.2,
}


@dataclass(frozen=True)
class Shop:
    """A log: its days, when the fit and the scored days begin, and what is to be said of it.

    `own` and `own_in_popularity` say where the rivals put a session's own items.
    """

    name: str
    about: str
    days: Iterable[ShopDay]
    fit_from: dt.date
    first: dt.date
    settings: dict[str, Any]
    own: Own
    own_in_popularity: Own
    fit: dict[str, Any] = field(default_factory=dict)
    update: dict[str, Any] = field(default_factory=dict)


def baskets(*, quick: bool) -> Shop:
    """Complete Journey's baskets, the household hidden."""
    last = BASKETS_FIRST + dt.timedelta(QUICK_DAYS - 1) if quick else BASKETS_LAST
    return Shop(
        name="Complete Journey, baskets",
        about=(
            "The household is hidden: a basket is a session. All rows of a receipt have one "
            "time and come sorted by product, so the order in the basket is not known; a fixed "
            "order by hash stands for it. The aim is the hidden next item of a basket given those "
            f"before it in that order, at up to 4 places of {SESSIONS_A_DAY} baskets a day, both "
            "drawn by hash. No item comes twice in a basket: no rival offers one again."
        ),
        days=_baskets(last),
        fit_from=BASKETS_FIT,
        first=BASKETS_FIRST,
        settings=BASKETS,
        own="never",
        own_in_popularity="never",
    )


def clicks(file: Path, *, quick: bool) -> Shop:
    """JD's clicks: a user's day is the session."""
    last = CLICKS_FIRST + dt.timedelta(QUICK_DAYS - 1) if quick else CLICKS_LAST
    return Shop(
        name="JD, clicks",
        about=(
            "A user's day is the session, the aim the next item clicked. This log was sampled "
            "by (user, item) pair, which took the signal between items away: nearly every click "
            "is on the item before it, and who offers that again has won. What is left of the "
            f"question is in the column `{ANOTHER}`, on few places."
        ),
        days=_clicks(pd.read_parquet(file, use_threads=False), last),
        fit_from=CLICKS_FIT,
        first=CLICKS_FIRST,
        settings={"event_types": ["click"]},
        own="first",
        own_in_popularity="scored",
    )


def _baskets(last: dt.date) -> Iterator[ShopDay]:
    from tasks.sources.complete_journey import CompleteJourney

    source = CompleteJourney()
    days = [day for day in source.days() if BASKETS_FROM <= day <= last]
    for day, frames in source.read_days(days):
        rows = frames.events[frames.events["event_type"] == "purchase"]
        yield ShopDay(day, in_hash_order(rows, day), frames.items, frames.prices)


def in_hash_order(rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The rows in an order that tells nothing, with the session as the user."""
    names = (rows["session_id"] + " " + rows["item_id"]).tolist()
    luck = list_keys(day, names)
    return rows.iloc[np.argsort(luck, kind="stable")].assign(user_id=lambda r: r["session_id"])


def _clicks(rows: pd.DataFrame, last: dt.date) -> Iterator[ShopDay]:
    rows = rows[rows["event_type"] == "click"].rename(columns={"timestamp": "event_time"})
    rows = rows.assign(quantity=np.nan, day=rows["event_time"].dt.date)
    newcomers = ~rows["item_id"].duplicated()
    for day in sorted(set(rows["day"][rows["day"] <= last])):
        events = rows[rows["day"] == day]
        fresh = events[newcomers[events.index]]
        items = pd.DataFrame(
            {
                "item_id": fresh["item_id"],
                "department": "",
                "category": fresh["category"],
                "subcategory": fresh["brand"],
            }
        )
        yield ShopDay(day, events.reset_index(drop=True), items, pd.DataFrame())

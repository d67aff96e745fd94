"""A made-up shop of sessions: nobody comes back, and three items in a row go together."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.session_learner import SessionLearner
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    bought,
    catalogue,
    no_items,
    shop_day,
)

SETTINGS: dict[str, Any] = {
    "explore": 10,
    "seen_together": 5,
    "positions": 3,
    "hidden": [16],
    "width": 4,
    "replay_size": 40,
    "frozen_size": 9,
    "frozen_a_day": 3,
    "sampling_share": 0.5,
}


def session(name: str, *items: str) -> pd.DataFrame:
    """One session's purchases in order, a minute apart, of a user of the same name."""
    events = bought(*((f"user of {name}", item) for item in items))
    times = pd.date_range("2024-01-01", periods=len(items), freq="min", tz="UTC")
    return events.assign(session_id=pd.Series(name, events.index, dtype="str"), event_time=times)


def sessions_of(day: date, count: int = 16) -> ShopDay:
    """Five items a session: some of a row of three, then some others."""
    generator = np.random.default_rng(day.toordinal())
    parts = []
    for number in range(count):
        begin = 3 * int(generator.integers(20))
        row = [f"i{begin + place}" for place in generator.permutation(3)]
        others = [f"i{place}" for place in generator.integers(60, size=2)]
        parts.append(session(f"{day} {number}", *row, *others))
    items = catalogue() if day == FIRST else no_items()
    return shop_day(pd.concat(parts, ignore_index=True), items, day)


def seasoned(days: int, spool: Path | None = None) -> SessionLearner:
    """A learner that has lived through some days, the first three of them unspooled."""
    learner = SessionLearner.new(SETTINGS)
    for number in range(days):
        day = sessions_of(FIRST + timedelta(number))
        examples = learner.examples(day, whole=False)
        if spool is not None and number >= 3:
            learner.spool(examples, spool / f"{day.day}.safetensors")
        learner.absorb(day, examples, np.arange(len(examples)) % 4 == 0)
    return learner


def fitted(folder: Path) -> SessionLearner:
    """Eight days old, fitted on the last five."""
    folder.mkdir()
    learner = seasoned(8, folder)
    learner.fit(folder, settings={"batch_size": 8, "epochs": 3}, seed=1)
    return learner


def learn(learner: SessionLearner, day: date) -> None:
    """One increment: fine-tune on the day, then take it in."""
    today = sessions_of(day)
    examples = learner.examples(today)
    holdout = np.arange(len(examples)) % 4 == 0
    update = {"batch_size": 4, "replay": 16}
    learner.fine_tune(examples, holdout, update=update, seed=day.toordinal())
    learner.absorb(today, examples, holdout)

"""Days on which some come and some stay away, after the eight days of the tiny shop."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.learner import RecommendationLearner
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    day_of_trade,
    no_items,
    saved,
    shop_day,
)

TODAY = FIRST + timedelta(8)
ALL = [f"i{row}" for row in range(60)]


def day(number: int) -> date:
    return TODAY + timedelta(number)


def with_settings(
    learner: RecommendationLearner, folder: Path, **settings: Any
) -> RecommendationLearner:
    """The same bundle, read under other settings."""
    if not folder.exists():
        saved(learner, folder)
    return RecommendationLearner.load(folder, SETTINGS | settings)


def trade(number: int, *pairs: tuple[str, str], without: str = "u9") -> ShopDay:
    """A day of all but one household; u0 buys all there is, so that no item goes."""
    everything = [("u0", item) for item in ALL]
    events = day_of_trade(day(number))
    parts = [events[events["user_id"] != without], bought(*everything, *pairs)]
    return shop_day(pd.concat(parts, ignore_index=True), no_items(), day(number))


def lives(learner: RecommendationLearner, *days: ShopDay) -> RecommendationLearner:
    for today in days:
        lists = learner.examples(today)
        learner.absorb(today, lists, np.arange(len(lists)) % 4 == 0)
    return learner


def grow(learner: RecommendationLearner, today: ShopDay) -> None:
    """All that a night does but learn: everything is held out."""
    lists = learner.examples(today)
    assert learner.fine_tune(lists, np.ones(len(lists), bool), update={}, seed=1) == []

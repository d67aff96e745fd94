"""A made-up shop: twelve households with favourites, sixty items, a few days."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_modules.learner import ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner

SETTINGS = {
    "explore": 10,
    "hidden": [16],
    "width": 4,
    "replay_size": 40,
    "frozen_size": 6,
    "sampling_share": 0.5,
}
FIRST = date(2024, 1, 1)


def catalogue() -> pd.DataFrame:
    """Sixty items in nine groups."""
    rows = range(60)
    return pd.DataFrame(
        {
            "item_id": [f"i{row}" for row in rows],
            "department": "food",
            "category": [f"c{row % 3}" for row in rows],
            "subcategory": [f"s{row % 9}" for row in rows],
        }
    )


def shop_day(events: pd.DataFrame, items: pd.DataFrame, day: date) -> ShopDay:
    """A day without offers."""
    return ShopDay(day, events, items, pd.DataFrame())


def no_items() -> pd.DataFrame:
    """No item was first seen that day."""
    return catalogue().iloc[:0]


def bought(*pairs: tuple[str, str], kind: str = "purchase", quantity: float = 1.0) -> pd.DataFrame:
    """Events of (user, item) pairs."""
    return pd.DataFrame(
        {
            "event_type": pd.Series(kind, index=range(len(pairs)), dtype="str"),
            "user_id": pd.Series([user for user, _ in pairs], dtype="str"),
            "item_id": pd.Series([item for _, item in pairs], dtype="str"),
            "quantity": pd.Series(quantity, index=range(len(pairs)), dtype="float64"),
            "price": pd.Series(2.0, index=range(len(pairs)), dtype="float64"),
            "discount": pd.Series(0.5, index=range(len(pairs)), dtype="float64"),
        }
    )


def day_of_trade(day: date, users: int = 12) -> pd.DataFrame:
    """Five purchases a household, drawn from its fifteen favourites."""
    generator = np.random.default_rng(day.toordinal())
    user = np.repeat(np.arange(users), 5)
    item = (user * 5 + generator.integers(0, 15, len(user))) % 60
    pairs = [(f"u{u}", f"i{i}") for u, i in zip(user, item, strict=True)]
    return bought(*pairs)


def seasoned(days: int) -> RecommendationLearner:
    """A learner whose state has lived through some days; no parameters yet."""
    learner = RecommendationLearner.new(SETTINGS)
    for number in range(days):
        live_through(learner, FIRST + timedelta(number))
    return learner


def live_through(learner: RecommendationLearner, day: date, folder: Path | None = None) -> None:
    """Spool a day's lists if there is a folder, hold a quarter of them out, take the day in."""
    events, items = day_of_trade(day), catalogue() if day == FIRST else no_items()
    lists = learner.examples(shop_day(events, items, day), whole=False)
    if folder is not None:
        learner.spool(lists, folder / f"{day}.safetensors")
    learner.absorb(shop_day(events, items, day), lists, np.arange(len(lists)) % 4 == 0)


def learn(learner: RecommendationLearner, day: date) -> None:
    """One increment: fine-tune on the day, then take it in."""
    events = day_of_trade(day)
    lists = learner.examples(shop_day(events, no_items(), day))
    holdout = np.arange(len(lists)) % 4 == 0
    learner.fine_tune(lists, holdout, update={"batch_size": 4, "replay": 16}, seed=day.toordinal())
    learner.absorb(shop_day(events, no_items(), day), lists, holdout)


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def saved(learner: RecommendationLearner, directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    learner.save(directory)
    return files(directory)


def with_rows(parameters: Parameters, users: int, items: int) -> Parameters:
    """A ranker's parameters with rows for so many users and items."""
    return parameters.grown({"user.weight": users, "item.weight": items, "bias.weight": items})

"""What is known of an item whoever buys, and of a user whatever is bought."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.offers import DISPLAY, MAILER
from lightning_modules.recommendation.scene import Scene, columns
from lightning_modules.recommendation.state import BASKET_TAU, MARKDOWN_TAUS
from lightning_modules.recommendation.tables import fade

ITEM = (
    "sold_3",
    "sold_7",
    "sold_28",
    "sold_90",
    "trend",
    "repeat_share",
    "buyers",
    "age",
    "share_in_group",
    "display_share",
    "mailer_share",
    "markdown",
    "markdown_now",
)
USER = (
    "since_visit",
    "visits_21",
    "basket",
    "new_share",
    "log_visits",
    "weekend",
    "weekday_sine",
    "weekday_cosine",
    "saved_share",
)


def item_block(scene: Scene) -> NDArray[np.float16]:
    """ITEM of each item row."""
    table, sold = scene.state.items, scene.shop.sold
    first, buyers, repeats = (
        column.astype(np.float32) for column in (table.first, table.buyers, table.repeats)
    )
    group_sold = scene.shop.group_sold[scene.shop.group]
    saved, spent = (
        fade(column, table.last, scene.shop.day, MARKDOWN_TAUS)
        for column in (table.saved, table.spent)
    )
    markdown = np.clip(saved / (np.maximum(spent, 0) + 0.5), 0, 1)
    return columns(
        *(np.log1p(sold) / 4).T,
        np.log((sold[:, 1] / 7 + 0.05) / (sold[:, 2] / 28 + 0.05)),
        repeats / (repeats + buyers + 5),
        np.log1p(buyers) / 5,
        np.log1p(np.maximum(scene.shop.day - first, 0)) / 5,
        np.sqrt(sold[:, 2] / (group_sold + 1)),
        np.sqrt(scene.offers.share(DISPLAY, len(first))),
        np.sqrt(scene.offers.share(MAILER, len(first))),
        markdown[:, 0],
        markdown[:, 0] - markdown[:, 1],
    )


def user_block(scene: Scene) -> NDArray[np.float16]:
    """One row per list; a user never seen is one who has not been there for long."""
    table, users = scene.state.users, scene.users
    known = users < len(table.last)
    rows = np.where(known, users, 0)
    size = np.zeros((len(users), 5), np.float32)
    if known.any():
        counted = (table.basket, table.firsts, table.saved, table.spent, table.count)
        told = np.stack([column.astype(np.float32) for column in counted], axis=1)
        size[known] = told[rows[known]]
        last = table.last[rows[known]]
        size[known, :4] = fade(size[known, :4], last, scene.shop.day, BASKET_TAU)
    since = np.full(len(users), 200, np.float32)
    since[known] = np.minimum(scene.shop.day - table.last[rows[known]].astype(np.float32), 200)
    visits = scene.past.visits
    weekday = scene.day.weekday()
    turn = 2 * np.pi * weekday / 7
    ones = np.ones(len(users))
    return columns(
        np.log1p(since) / 3,
        visits[:, 1] / 10,
        np.log1p(size[:, 0] / np.maximum(visits[:, 2], 0.2)) / 3,
        size[:, 1] / np.maximum(size[:, 0], 1),
        np.log1p(size[:, 4]) / 4,
        ones * (weekday >= 5),
        ones * np.sin(turn),
        ones * np.cos(turn),
        np.clip(size[:, 2] / (np.maximum(size[:, 3], 0) + 1), 0, 1),
    )

"""A day's lists: who bought, what could be ranked for them, and what they did buy."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.hashing import list_keys
from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.candidates import (
    Candidates,
    candidates,
    histories,
    shelf,
    tastes,
)
from lightning_modules.recommendation.features import feature_matrix
from lightning_modules.recommendation.lists import Lists, starts
from lightning_modules.recommendation.offers import offers_on
from lightning_modules.recommendation.purchases import purchases
from lightning_modules.recommendation.sampling import sampled
from lightning_modules.recommendation.scene import Scene
from lightning_modules.recommendation.settings import Settings
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import Ints, contains, pair_keys
from lightning_modules.vocabulary import Vocabulary

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def lists_of_day(
    known: tuple[ShopState, Vocabulary], settings: Settings, day: ShopDay, *, whole: bool
) -> Lists:
    """One list per buyer of the day, by what was known before it.

    With `whole` false only the training part is made, which is cheaper. Raises ValueError on a
    day that the state has taken in: its features would know its labels.
    """
    state, vocabulary = known
    if day_number(day.day) <= state.day:
        raise ValueError(f"{day.day} is in the state already: load the version from before it")
    bought = purchases(day.events, settings.event_types)
    users = vocabulary.users.foresee(bought.user_ids)
    keys = list_keys(day.day, bought.user_ids)
    scene = scene_of(known, settings, users, day.day, day.prices)
    rows = candidates_of(scene, settings)
    item = vocabulary.items.foresee(bought.item_ids)[bought.item]
    wanted = np.sort(pair_keys(bought.user, item))
    labels = contains(wanted, pair_keys(rows.owner, rows.item))
    again = contains(wanted, pair_keys(scene.past.owner, scene.past.item))
    if not whole:
        share = settings.sampling_share
        kept = sampled(keys[rows.owner], rows.item.astype(np.int32), labels, share)
        rows, labels = some(rows, kept, len(users)), labels[kept]
    return Lists(
        user_ids=np.array(bought.user_ids, object),
        keys=keys,
        users=users.astype(np.int32),
        offsets=rows.offsets,
        items=rows.item.astype(np.int32),
        features=feature_matrix(scene, rows),
        labels=labels,
        personal=rows.history >= 0,
        bought=np.bincount(bought.user, minlength=len(users)).astype(np.int32),
        bought_again=np.bincount(scene.past.owner[again], minlength=len(users)).astype(np.int32),
        negative_share=1.0 if whole else settings.sampling_share,
        sampling_share=settings.sampling_share,
    )


def scene_of(
    known: tuple[ShopState, Vocabulary],
    settings: Settings,
    users: Ints,
    day: date,
    prices: pd.DataFrame,
) -> Scene:
    """What is known before `day` of the shop and of these user rows; `prices` begin on it."""
    state, vocabulary = known
    number = day_number(day)
    shop = shelf(state, number, len(vocabulary.groups), settings.pool)
    return Scene(
        state=state,
        shop=shop,
        past=histories(state, users, number),
        users=users,
        category=vocabulary.departments_and_categories(),
        offers=offers_on(state.offers, prices, vocabulary.items, vocabulary.channels, number),
        neighbours=settings.neighbours,
        day=day,
    )


def candidates_of(scene: Scene, settings: Settings) -> Candidates:
    """What could be ranked for the scene's users."""
    return candidates(scene.past, scene.shop, tastes(scene.past, scene.shop), settings.explore)


def some(rows: Candidates, kept: NDArray[np.bool_], lists: int) -> Candidates:
    """The kept candidates of each list."""
    owner = rows.owner[kept]
    return Candidates(
        offsets=starts(np.bincount(owner, minlength=lists)),
        owner=owner,
        item=rows.item[kept],
        history=rows.history[kept],
        first_stage=rows.first_stage[kept],
    )

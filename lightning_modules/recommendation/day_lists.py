"""A day's lists: who bought, what could be ranked for them, and what they did buy."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.hashing import list_keys
from lightning_modules.recommendation.candidates import (
    Candidates,
    candidates,
    histories,
    shelf,
    tastes,
)
from lightning_modules.recommendation.features import Scene, feature_matrix
from lightning_modules.recommendation.lists import Lists, starts
from lightning_modules.recommendation.purchases import purchases
from lightning_modules.recommendation.sampling import sampled
from lightning_modules.recommendation.settings import Settings
from lightning_modules.recommendation.state import ShopState, pair_keys
from lightning_modules.vocabulary import Vocabulary

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def lists_of_day(
    known: tuple[ShopState, Vocabulary],
    settings: Settings,
    events: pd.DataFrame,
    day: date,
    *,
    whole: bool,
) -> Lists:
    """One list per buyer of the day, by what was known before it.

    With `whole` false only the training part is made, which is cheaper. Raises ValueError on a
    day that the state has taken in: its features would know its labels.
    """
    state, vocabulary = known
    if day_number(day) <= state.day:
        raise ValueError(f"{day} is in the state already: load the version from before it")
    bought = purchases(events)
    users = vocabulary.users.foresee(bought.user_ids)
    keys = list_keys(day, bought.user_ids)
    shop = shelf(state, day_number(day), len(vocabulary.groups), settings.pool)
    past = histories(state, users, shop.day)
    rows = candidates(past, shop, tastes(past, shop), settings.explore)
    item = vocabulary.items.foresee(bought.item_ids)[bought.item]
    wanted = np.sort(pair_keys(bought.user, item))
    labels = contains(wanted, pair_keys(rows.owner, rows.item))
    again = contains(wanted, pair_keys(past.owner, past.item))
    if not whole:
        share = settings.sampling_share
        kept = sampled(keys[rows.owner], rows.item.astype(np.int32), labels, share)
        rows, labels = some(rows, kept, len(users)), labels[kept]
    scene = Scene(state, shop, past, users, vocabulary.departments_and_categories(), day)
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
        bought_again=np.bincount(past.owner[again], minlength=len(users)).astype(np.int32),
        negative_share=1.0 if whole else settings.sampling_share,
        sampling_share=settings.sampling_share,
    )


def contains(wanted: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which keys are among the sorted wanted ones."""
    if len(wanted) == 0:
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == keys
    return found


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

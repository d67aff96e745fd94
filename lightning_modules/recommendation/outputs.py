"""What the shop shows: each user's list, what is trending, and what goes well together."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.day_lists import candidates_of, day_number, scene_of
from lightning_modules.recommendation.features import feature_matrix
from lightning_modules.recommendation.lists import Lists, no_lists
from lightning_modules.recommendation.ranking import top_rows
from lightning_modules.recommendation.settings import Settings
from lightning_modules.recommendation.state import ITEM_TAUS, ShopState
from lightning_modules.recommendation.tables import Floats, Ints, fade
from lightning_modules.recommendation.together import rules
from lightning_modules.vocabulary import Vocabulary

SHOWN = 20
PARTNERS = 10
USERS_AT_ONCE = 128
SHORT, LONG = 1, 2  # columns of ITEM_TAUS: a week and four weeks
PRIOR_BUYERS = 3.0  # a week's buyers that every item is given: few sales are no trend
ALL_DEPARTMENTS = ""
NOTHING = np.zeros(0)

Known = tuple[ShopState, Vocabulary]


def shop_outputs(
    known: Known, settings: Settings, parameters: Parameters, day: date
) -> dict[str, pd.DataFrame]:
    """The tables "recommendations", "trending" and "bought_together": see their functions."""
    return {
        "recommendations": recommendations(known, settings, parameters, day),
        "trending": trending(known, day),
        "bought_together": bought_together(known, day),
    }


def recommendations(
    known: Known, settings: Settings, parameters: Parameters, day: date
) -> pd.DataFrame:
    """The best SHOWN items of every user seen in the last `active_days`.

    One row per user and rank (from 1): user_id, rank, item_id, the ranker's score, and kind,
    "repeat" where the user bought the item before, "explore" where not.
    """
    from lightning_modules.recommendation.network import scored  # torch takes seconds

    state, vocabulary = known
    age = day_number(day) - state.users.last.astype(np.int64)
    active = np.flatnonzero((age <= settings.active_days) & (state.users.count > 0))
    user_ids, item_ids = vocabulary.users.ids(), vocabulary.items.ids()
    parts = [_table(user_ids[:0], NOTHING, item_ids[:0], NOTHING, NOTHING)]
    for begin in range(0, len(active), USERS_AT_ONCE):
        lists = _lists_of(known, settings, active[begin : begin + USERS_AT_ONCE], day)
        scores = scored(parameters, lists)
        top = top_rows(scores, lists.offsets, SHOWN)
        place, rank = np.nonzero(top >= 0)
        row = top[place, rank]
        parts.append(
            _table(
                user_ids[lists.users[place]],
                rank + 1,
                item_ids[lists.items[row]],
                scores[row],
                lists.personal[row],
            )
        )
    return pd.concat(parts, ignore_index=True)


def trending(known: Known, day: date) -> pd.DataFrame:
    """What sells more this week than in the weeks before, by department and in all.

    One row per department ("" is all of them) and rank (from 1): rank, item_id, department,
    score and growth. `growth` is the buyers a day with a week's memory over those with four
    weeks', both with a prior; `score` is by how many standard deviations of a Poisson count the
    week's buyers exceed what the four weeks foretell.
    """
    state, vocabulary = known
    table = state.items
    number = day_number(day)
    sold = fade(table.sold, table.last, number, ITEM_TAUS)
    # What a counter holds after steady sales since the shop's first day; in time, its tau.
    age = number - int(table.first[table.first > 0].min(initial=number))
    steady = ITEM_TAUS * -np.expm1(-age / ITEM_TAUS)
    expected = sold[:, LONG] * steady[SHORT] / max(float(steady[LONG]), 1e-9)
    growth = (sold[:, SHORT] + PRIOR_BUYERS) / (expected + PRIOR_BUYERS)
    score = (sold[:, SHORT] - expected) / np.sqrt(expected + PRIOR_BUYERS)
    names = np.array([name.split("|")[0] for name in vocabulary.groups.row_of] or [""], object)
    of_item, departments = pd.factorize(names[table.group], sort=True)
    rising = (score > 0) & (table.first > 0)
    parts = [(ALL_DEPARTMENTS, _best(score, rising))]
    parts += [
        (str(name), _best(score, rising & (of_item == code)))
        for code, name in enumerate(departments)
        if name != ALL_DEPARTMENTS
    ]
    item_ids = vocabulary.items.ids()
    row = np.concatenate([best for _, best in parts])
    return pd.DataFrame(
        {
            "rank": np.concatenate([np.arange(len(best)) + 1 for _, best in parts]),
            "item_id": item_ids[row].astype(str),
            "department": np.repeat([name for name, _ in parts], [len(b) for _, b in parts]),
            "score": score[row],
            "growth": growth[row],
        }
    )


def bought_together(known: Known, day: date) -> pd.DataFrame:
    """Up to PARTNERS items for each item: item_id, rank (from 1), other_id, and how strong.

    `support` is the share of baskets with both, `confidence` the share of the item's baskets
    that hold the other, `lift` how much more often that is than by chance: see `together`.
    """
    state, vocabulary = known
    found = rules(state.together, day_number(day), PARTNERS)
    item_ids = vocabulary.items.ids()
    return pd.DataFrame(
        {
            "item_id": item_ids[found.a].astype(str),
            "rank": found.rank,
            "other_id": item_ids[found.b].astype(str),
            "support": found.support,
            "confidence": found.confidence,
            "lift": found.lift,
        }
    )


def _lists_of(known: Known, settings: Settings, users: Ints, day: date) -> Lists:
    """Whole lists of these users, without labels; the day's own offers are not known yet."""
    scene = scene_of(known, settings, users, day, pd.DataFrame())
    rows = candidates_of(scene, settings)
    nothing = no_lists(0, 1.0, settings.sampling_share)
    return replace(
        nothing,
        users=users.astype(np.int32),
        offsets=rows.offsets,
        items=rows.item.astype(np.int32),
        features=feature_matrix(scene, rows),
        labels=np.zeros(len(rows.item), bool),
        personal=rows.history >= 0,
    )


def _best(score: Floats, among: NDArray[np.bool_]) -> Ints:
    """The rows of the SHOWN highest scores among some."""
    rows = np.flatnonzero(among)
    return rows[np.argsort(-score[rows], kind="stable")[:SHOWN]]


def _table(
    user_ids: NDArray[np.object_],
    rank: NDArray[Any],
    item_ids: NDArray[np.object_],
    score: NDArray[Any],
    personal: NDArray[Any],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": user_ids.astype(str),
            "rank": rank.astype(np.int64),
            "item_id": item_ids.astype(str),
            "score": score.astype(np.float32),
            "kind": np.where(personal, "repeat", "explore"),
        }
    )

"""What the shop reads of the next day: likely purchases, next events and next queries."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.behavior.day import views_before
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.views import Views
from lightning_modules.behavior.weights import next_terms, next_types, scored
from lightning_modules.parameters import Parameters

TOP = 10
NO_EVENT = "none"


def tables(known: Known, parameters: Parameters, day: date) -> dict[str, pd.DataFrame]:
    """Tables by name, users in order of their rows, each user's likeliest rows first.

    `behavior` (user_id, category, buy_1_day, buy_7_days): the ten categories that a user is the
    likeliest to buy from within seven days. `next_event` (user_id, event_type, probability): how
    the user's day begins; "none" is a day without an event. `next_query` (user_id, term,
    probability): the ten likeliest terms of a query; only where there are terms with a row.
    """
    settings, views = known.settings, views_before(known, day)
    names = np.array(list(known.words.users.row_of), object)[: len(views)]
    found = {
        "behavior": _purchases(known, parameters, views, names),
        "next_event": _likeliest(
            next_types(parameters, settings, views),
            names,
            "event_type",
            [NO_EVENT, *list(known.words.types.row_of)[1:]],
        ),
    }
    if len(known.words.terms):
        first = 1 + known.words.buckets
        chance = next_terms(parameters, settings, views)[:, first:]
        found["next_query"] = _likeliest(chance, names, "term", list(known.words.terms.row_of))
    return found


def _purchases(
    known: Known, parameters: Parameters, views: Views, names: NDArray[np.object_]
) -> pd.DataFrame:
    category = known.categories
    scores = scored(parameters, known.settings, views, category)
    week = scores[:, 1].reshape(len(views), len(category))
    best = np.argsort(-week, axis=1, kind="stable")[:, :TOP]
    at = (np.arange(len(views))[:, None] * len(category) + best).ravel()
    labels = np.array(list(known.words.categories.row_of), object)[category]
    return pd.DataFrame(
        {
            "user_id": np.repeat(names, best.shape[1]),
            "category": labels[best.ravel()],
            "buy_1_day": scores[at, 0],
            "buy_7_days": scores[at, 1],
        }
    )


def _likeliest(
    chance: NDArray[np.float32], names: NDArray[np.object_], what: str, labels: list[str]
) -> pd.DataFrame:
    """The TOP labels of each user; a label that the parameters have no row for is not there."""
    known = np.array(labels, object)[: chance.shape[1]]
    chance = chance[:, : len(known)]
    best = np.argsort(-chance, axis=1, kind="stable")[:, :TOP]
    return pd.DataFrame(
        {
            "user_id": np.repeat(names, best.shape[1]),
            what: known[best.ravel()],
            "probability": np.take_along_axis(chance, best, axis=1).ravel(),
        }
    )

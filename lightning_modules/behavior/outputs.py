"""What the shop reads of the next day: likely purchases, next events and next queries."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.behavior.day import views_before
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.views import Views
from lightning_modules.behavior.weights import likeliest, scored
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
    views, words = views_before(known, day), known.words
    living = words.users.living()
    views, names = views.take(living), words.users.ids()[living]
    types = [NO_EVENT, *list(words.types.row_of)[1:]]

    def next_table(kind: str, column: str, first: int, labels: list[str]) -> pd.DataFrame:
        rows = range(first, first + len(labels))
        places, chance = likeliest(parameters, known.settings, views, kind, rows, TOP)
        told = np.array(labels, object)[places.ravel()]
        users = np.repeat(names, places.shape[1])
        return pd.DataFrame({"user_id": users, column: told, "probability": chance.ravel()})

    found = {
        "behavior": _purchases(known, parameters, views, names),
        "next_event": next_table("kind", "event_type", 0, types),
    }
    if len(words.terms):
        terms = list(words.terms.row_of)
        found["next_query"] = next_table("term", "term", 1 + words.buckets, terms)
    return found


def _purchases(
    known: Known, parameters: Parameters, views: Views, names: NDArray[np.object_]
) -> pd.DataFrame:
    category = known.categories
    scores = scored(parameters, known, views)
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

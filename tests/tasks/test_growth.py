"""A line whose network grows: judged, promoted, rolled back to a smaller one, and grown again."""

from dataclasses import replace

import numpy as np

from lightning_modules.files import read_arrays
from lightning_modules.parameters import MODEL_FILE
from tasks.roll_back import roll_back
from tests.line import APPLICATION, Place, learn, settle, spend_day


def larger(place: Place) -> Place:
    """The same line under settings of a larger network."""
    section = place.params.application(APPLICATION)
    settings = section.settings | {"hidden": [24], "width": 6, "adapters": 2, "blocks": 1}
    grown = section.model_copy(update={"settings": settings})
    params = place.params.model_copy(update={"applications": {APPLICATION: grown}})
    return replace(place, params=params)


def size(place: Place) -> int:
    """How many weights the head has beside its rows of ids."""
    weights = read_arrays(place.head / MODEL_FILE)
    return sum(array.size for name, array in weights.items() if name.startswith("mlp."))


def test_a_network_grows_between_two_increments_and_goes_back(place: Place) -> None:
    first, small = place.line.head, size(place)
    place = larger(place)
    where = spend_day(place)
    before = read_arrays(where / "parent" / MODEL_FILE)
    after = read_arrays(where / "challenger" / MODEL_FILE)
    assert before["mlp.0.weight"].shape[0] == 16
    assert after["mlp.0.weight"].shape[0] == 24
    assert np.abs(after["mlp.0.weight"][:16] - before["mlp.0.weight"]).max() < 0.01
    settle(place, where, "keep")  # the parent's sizes stay, and are grown again
    assert size(place) == small
    promoted = learn(place, "promote").head
    assert size(place) > small
    learn(place, "promote")  # with a larger parent and a smaller anchor
    with place.ledger.lease(APPLICATION) as lease:
        roll_back(place.ledger, lease, APPLICATION, place.params, first, "keep", "to see it")
    assert size(place) == small
    assert place.line.champion != promoted
    learn(place, "promote")
    assert size(place) > small

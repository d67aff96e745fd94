"""What goes with a prefix, against the same by hand."""

from datetime import timedelta

import numpy as np
import pytest

from lightning_modules.recommendation.day_lists import day_number, scene_of
from lightning_modules.recommendation.prefixes import prefix_state
from lightning_modules.recommendation.scene import Scene
from lightning_modules.recommendation.seen_together import (
    LEAST,
    SEEN_TOGETHER,
    SHRINK,
    ties,
    with_tied,
)
from lightning_modules.recommendation.session_places import session_places
from lightning_modules.recommendation.tables import item_of
from lightning_modules.recommendation.together import PRIOR_BASKETS
from tests.lightning_modules.recommendation.tiny_sessions import seasoned, session
from tests.lightning_modules.recommendation.tiny_shop import FIRST, no_items, shop_day

TODAY = FIRST + timedelta(5)


def scene_with(*items: str) -> tuple[Scene, list[int]]:
    """The scene of one session's places, after five days of trade; the rows of its items."""
    learner = seasoned(5)
    day = shop_day(session("s", *items), no_items(), TODAY)
    places = session_places(day, learner.settings)
    rows = learner.vocabulary.items.foresee(places.item_ids)
    nowhere = np.zeros(len(places.keys), np.int64)
    state = prefix_state(learner.state, places, rows, nowhere, day_number(TODAY))
    known = (state, learner.vocabulary)
    scene = scene_of(known, learner.settings, np.arange(len(places.keys)), TODAY, day.prices)
    return scene, learner.vocabulary.items.find(items).tolist()


def test_ties_are_the_weighted_mean_of_the_prefixs_items() -> None:
    scene, (i3, i4, i20, _) = scene_with("i3", "i4", "i20", "i5")
    items = len(scene.state.items.last)
    table = scene.state.together.faded(scene.shop.day)
    both = np.zeros((items, items))
    both[table.key >> 32, item_of(table.key)] = table.pair_baskets
    both += both.T
    sold = table.item_baskets + PRIOR_BASKETS
    shrunken = table.item_baskets + SHRINK
    cosine = both / np.sqrt(shrunken[:, None] * shrunken)
    lift = both * table.baskets / (sold[:, None] * sold)
    weight = np.exp(-np.array([3, 2, 1]) / 7)
    near = weight @ cosine[[i3, i4, i20]] / weight.sum()
    slow = np.exp(-np.array([3, 2, 1]) / 180)
    wanted = (
        near,
        slow @ cosine[[i3, i4, i20]] / slow.sum(),
        cosine[i20],
        slow @ lift[[i3, i4, i20]] / slow.sum(),
    )
    everything = np.arange(items)
    found = ties(scene).of(np.full(items, 2), everything)
    for column, values in enumerate(wanted):
        told = found[:, column].astype(float)
        assert told == pytest.approx(np.log(values + LEAST) / 4 + 1, abs=2e-3), column
    assert len(SEEN_TOGETHER) == found.shape[1]
    owner, item = ties(scene).best(scene.past, 4)
    free = np.setdiff1d(everything, [i3, i4, i20])
    best = free[np.argsort(-near[free], kind="stable")[:4]]
    assert sorted(item[owner == 2].tolist()) == sorted(best.tolist())


def test_a_prefix_of_unknown_items_has_no_ties() -> None:
    scene, _ = scene_with("new", "newer", "i1")
    found = ties(scene)
    assert not any(part.nnz for part in found.parts)
    assert len(found.best(scene.past, 5)[0]) == 0
    assert np.isfinite(found.of(np.array([0, 1]), np.array([3, 3]))).all()


def test_a_candidate_of_both_kinds_is_there_once() -> None:
    new = (np.array([0, 0, 1]), np.array([5, 7, 5]))
    tied = (np.array([0, 1]), np.array([7, 2]))
    owner, item = with_tied(new, tied)
    assert (owner.tolist(), item.tolist()) == ([0, 0, 1, 1], [5, 7, 2, 5])

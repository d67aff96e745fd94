"""Prices between their rows: carried, and never telling that there is no row."""

from datetime import timedelta

import numpy as np
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.days import day_number, shelf_of
from lightning_modules.pricing.features import RATIO, Scene, feature_matrix, window_end
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.offers import FOREVER
from lightning_modules.pricing.shelf import in_force, references
from lightning_modules.pricing.state import Shelf
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    catalogue,
    market_day,
    posts,
    sold,
)

NONE = catalogue().iloc[:0]
MONDAY = 21


def until(number: int) -> np.datetime64:
    return np.datetime64(FIRST + timedelta(number))


def three_weeks(**settings: object) -> PricingLearner:
    learner = PricingLearner.new({**SETTINGS, **settings})
    for number in range(MONDAY):
        learner.absorb(market_day(FIRST + timedelta(number)), None, None)
    return learner


def row_of(learner: PricingLearner, name: str) -> int:
    seen = learner.items.find([name])[0]
    return int(np.flatnonzero(learner.kept.state.watched.item == seen)[0])


def week_with(learner: PricingLearner, *, row: bool) -> list[tuple[Shelf, np.ndarray]]:
    """Shelf and features of the week's days; p1 has a row at its old price, or none."""
    old = float(learner.kept.state.shelf.price[row_of(learner, "p1")])
    regular = float(learner.kept.state.shelf.regular[row_of(learner, "p1")])
    names = [f"p{n}" for n in (1, 2, 3) if row or n != 1]
    rows = [
        {"item_id": name, "price": old, "list_price": regular, "until": until(MONDAY + 6)}
        for name in names
    ]
    found = []
    for number in range(MONDAY, MONDAY + 9):
        offered = posts(*rows) if number == MONDAY else posts()
        buyers = sold(("u1", "p2", 1.0), ("u2", "p3", 1.0))
        day = ShopDay(FIRST + timedelta(number), buyers, NONE, offered)
        known = learner._known()
        shelf = shelf_of(known, day)
        scene = Scene(known.state, shelf, day_number(day.day), known.settings)
        found.append((shelf, feature_matrix(scene, np.arange(len(shelf.price)))))
        learner.absorb(day, None, None)
    return found


def test_a_row_at_the_carried_price_is_invisible() -> None:
    with_row, without = (week_with(three_weeks(), row=row) for row in (True, False))
    for (shelf, features), (bare, same) in zip(with_row, without, strict=True):
        assert np.array_equal(features, same)
        told = shelf.arrays()
        assert {
            name for name, array in bare.arrays().items() if not np.array_equal(array, told[name])
        } == {"until"}


def test_a_price_is_carried_until_another_is_posted() -> None:
    learner = three_weeks()
    row = row_of(learner, "p1")
    cut = {"item_id": "p1", "price": 2.5, "list_price": 3.0, "until": until(MONDAY + 3)}
    day = ShopDay(FIRST + timedelta(MONDAY), sold(("u1", "p1", 1)), NONE, posts(cut))
    learner.absorb(day, None, None)
    later = ShopDay(FIRST + timedelta(MONDAY + 20), sold(), NONE, posts())
    assert shelf_of(learner._known(), later).price[row] == 2.5


def test_the_week_of_a_price_without_one_is_the_shops() -> None:
    shelf = Shelf()
    shelf.grow(4)
    rows = np.arange(4)
    assert window_end(shelf, rows, 100).tolist() == [106] * 4
    shelf.until[:] = 99, 103, 102, FOREVER
    assert window_end(shelf, rows, 100).tolist() == [103, 103, 102, 103]
    shelf.until[1] = 200
    assert window_end(shelf, rows, 100).tolist() == [106, 106, 102, 106]


def test_where_no_price_was_ever_posted_the_price_paid_still_moves_the_ratio() -> None:
    learner = PricingLearner.new({**SETTINGS, "watch_after": 1})
    for number in range(16):
        paid = sold(("u1", "p1", 1.0)).assign(price=2.0 if number < 15 else 1.5)
        items = catalogue("p1") if number == 0 else NONE
        learner.absorb(ShopDay(FIRST + timedelta(number), paid, items, posts()), None, None)
    known = learner._known()
    day = ShopDay(FIRST + timedelta(16), sold(), NONE, posts())
    shelf = shelf_of(known, day)
    assert references(shelf, np.array([0]))[0] == pytest.approx(2.0)
    scene = Scene(known.state, shelf, day_number(day.day), known.settings)
    assert in_force(shelf, np.array([0]), scene.day).all()
    ratio = feature_matrix(scene, np.array([0]))[0, RATIO]
    assert ratio == pytest.approx(np.log(0.75), abs=1e-3)


def test_the_last_cost_stated_holds() -> None:
    learner = three_weeks()
    row = row_of(learner, "p1")
    for number, costs in ((MONDAY, [1.2, np.nan]), (MONDAY + 7, [np.nan, np.nan])):
        offered = posts(*({"item_id": name, "price": 3.0} for name in ("p1", "p2")))
        day = ShopDay(
            FIRST + timedelta(number), sold(("u1", "p1", 1)), NONE, offered.assign(cost=costs)
        )
        learner.absorb(day, None, None)
    assert learner.kept.state.shelf.cost[row] == np.float32(1.2)
    assert learner.kept.state.shelf.cost[row_of(learner, "p2")] == 0


def test_a_price_is_in_force_only_while_it_is_posted() -> None:
    shelf = Shelf()
    shelf.grow(3)
    shelf.regular[:2], shelf.until[:2] = 2.0, (100, FOREVER)
    rows = np.arange(3)
    assert in_force(shelf, rows, 100).tolist() == [True, True, False]
    assert in_force(shelf, rows, 101).tolist() == [False, True, False]

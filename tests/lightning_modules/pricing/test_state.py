"""Counters that fade, prices that hold, promotions that end."""

from datetime import date, timedelta

import numpy as np
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.pricing.days import day_number, shelf_of, tracked_on
from lightning_modules.pricing.features import (
    FEATURES,
    Scene,
    feature_columns,
    feature_matrix,
    holiday,
    open_days_left,
)
from lightning_modules.pricing.learner import PricingLearner
from lightning_modules.pricing.sales import sales
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.shelf import references
from lightning_modules.pricing.state import SOLD_TAUS
from tests.lightning_modules.pricing.tiny_market import (
    FIRST,
    SETTINGS,
    catalogue,
    market_day,
    posts,
    sold,
)

ALL = np.array([0])


def shop(watch_after: int = 1, **settings: object) -> PricingLearner:
    return PricingLearner.new({**SETTINGS, "watch_after": watch_after, **settings})


def live(
    learner: PricingLearner, number: int, *rows: tuple[str, str, float], **post: object
) -> None:
    """A day of the shop from FIRST on; `post` is a row of prices about p1."""
    prices = posts({"item_id": "p1", **post}) if post else posts()
    items = catalogue("p1", "p2") if number == 0 else catalogue("p1").iloc[:0]
    learner.absorb(ShopDay(FIRST + timedelta(number), sold(*rows), items, prices), None, None)


def until(number: int) -> np.datetime64:
    return np.datetime64(FIRST + timedelta(number))


def price_on(learner: PricingLearner, number: int, **post: object) -> tuple[float, float]:
    """Price and regular price of the first watched item on a day ahead."""
    prices = posts({"item_id": "p1", **post}) if post else posts()
    day = ShopDay(FIRST + timedelta(number), sold(), catalogue("p1").iloc[:0], prices)
    shelf = shelf_of(learner._known(), day)
    return round(float(shelf.price[0]), 4), round(float(shelf.regular[0]), 4)


def test_sales_are_units_buyers_and_the_mean_price_paid() -> None:
    events = sold(("u1", "b", 2), ("u2", "b", 1), ("u1", "b", 1), ("u1", "a", 1), ("u1", "a", 0))
    events["price"] = [2.0, 5.0, 2.0, np.nan, 9.0]
    found = sales(events)
    assert found.item_ids == ["a", "b"]
    assert found.units.tolist() == [1, 4]
    assert found.buyers.tolist() == [1, 2]
    assert np.isnan(found.paid[0])
    assert found.paid[1] == pytest.approx((2 * 2 + 5 + 2) / 4)


def test_a_counter_is_the_sum_of_its_faded_days() -> None:
    learner = shop()
    live(learner, 0, ("u1", "p1", 1))  # watched from now on
    for number, units in ((1, 4.0), (2, 0.0), (5, 2.0)):
        live(learner, number, ("u1", "p1", units), ("u1", "p2", 1))
    faded = 4 * np.exp(-2 / SOLD_TAUS) + 2  # two open days ago and today
    assert learner.kept.state.watched.sold[0] == pytest.approx(faded, rel=1e-5)
    assert learner.kept.state.watched.age[0] == 3


def test_an_item_is_watched_once_it_sold_often_enough() -> None:
    learner = shop(watch_after=3)
    live(learner, 0, ("u1", "p1", 1), ("u2", "p1", 1))
    assert len(learner.kept.state.watched.item) == 0
    live(learner, 1, ("u1", "p1", 1), ("u1", "p2", 1))
    names = np.array(list(learner.items.row_of))
    assert names[learner.kept.state.watched.item].tolist() == ["p1"]


def test_a_posted_price_holds_through_its_last_day_then_the_regular_one() -> None:
    learner = shop(carry_prices=False)
    live(learner, 0, ("u1", "p1", 1))
    assert price_on(learner, 1) == (2.0, 0.0)  # what was paid: none is posted yet
    post = {"price": 3.0, "list_price": 4.0, "until": until(3)}
    assert price_on(learner, 1, **post) == (3.0, 4.0)
    live(learner, 1, ("u1", "p1", 1), **post)
    assert price_on(learner, 3) == (3.0, 4.0)
    assert price_on(learner, 4) == (4.0, 4.0)


def test_a_list_price_below_the_posted_one_is_the_posted_one() -> None:
    learner = shop()
    live(learner, 0, ("u1", "p1", 1))
    assert price_on(learner, 1, price=3.0, list_price=2.0) == (3.0, 3.0)
    assert price_on(learner, 1, price=3.0) == (3.0, 3.0)


def test_the_reference_is_the_median_of_past_weeks_not_of_this_one() -> None:
    learner = shop()
    live(learner, 0, ("u1", "p1", 1))
    for week, regular in enumerate((4.0, 5.0, 9.0)):
        number = 7 * week + 1
        live(learner, number, ("u1", "p1", 1), price=3.0, list_price=regular, until=until(90))
    shelf = learner.kept.state.shelf
    assert references(shelf, ALL)[0] == pytest.approx(np.sqrt(4.0 * 5.0), rel=1e-5)
    day = ShopDay(FIRST + timedelta(22), sold(), catalogue().iloc[:0], posts())
    assert references(shelf_of(learner._known(), day), ALL)[0] == pytest.approx(5.0, rel=1e-5)


def test_a_promotion_is_a_share_of_the_channels_and_ends() -> None:
    learner = shop()
    live(learner, 0, ("u1", "p1", 1))
    rows = [
        {"item_id": "p1", "channel": name, "display": "front", "until": until(3)} for name in "ab"
    ]
    rows += [
        {"item_id": "p2", "channel": name, "mailer": "cover", "until": until(3)} for name in "cd"
    ]
    day = ShopDay(FIRST + timedelta(1), sold(("u1", "p1", 1)), catalogue().iloc[:0], posts(*rows))
    learner.absorb(day, None, None)
    shelf = learner.kept.state.shelf
    assert (shelf.display[0], shelf.mailer[0]) == (0.5, 0.0)
    live(learner, 4, ("u1", "p1", 1))
    assert learner.kept.state.shelf.display[0] == 0


def test_in_a_shop_without_categories_everything_is_watched() -> None:
    learner = shop()
    bare = catalogue("p1", "p2").drop(columns=["department", "category"])
    rows = [("u1", name, 1.0) for name in ("p1", "p2", "stranger")]
    learner.absorb(ShopDay(FIRST, sold(*rows), bare, posts()), None, None)
    assert len(learner.kept.state.watched.item) == 3


def test_what_has_no_category_and_what_is_excluded_is_not_watched() -> None:
    learner = PricingLearner.new({**SETTINGS, "watch_after": 1, "exclude_categories": ["c1", ""]})
    rows = [("u1", name, 1.0) for name in ("p1", "p2", "stranger")]
    learner.absorb(ShopDay(FIRST, sold(*rows), catalogue("p1", "p2"), posts()), None, None)
    names = np.array(list(learner.items.row_of))
    assert names[learner.kept.state.watched.item].tolist() == ["p2"]


def test_items_enter_the_top_and_stay(seasoned: PricingLearner) -> None:
    narrow = PricingLearner.new({**SETTINGS, "items": 3})
    narrow.kept, narrow.items, narrow.groups = seasoned.kept, seasoned.items, seasoned.groups
    day = market_day(FIRST + timedelta(21))
    first = narrow.examples(day)
    narrow.absorb(day, first, np.zeros(len(first), bool))
    tracked = narrow.kept.state.tracked.copy()
    assert 3 <= len(tracked) <= 6
    assert np.array_equal(tracked_on(narrow._known())[: len(tracked)], tracked)


def test_features_are_named_finite_and_in_order(seasoned: PricingLearner) -> None:
    day = market_day(FIRST + timedelta(21))
    known = seasoned._known()
    scene = Scene(known.state, shelf_of(known, day), day_number(day.day), known.settings)
    rows = np.arange(len(known.state.watched.item))
    assert set(feature_columns(scene, rows)) == set(FEATURES)
    matrix = feature_matrix(scene, rows)
    assert matrix.shape == (len(rows), len(FEATURES))
    assert np.isfinite(matrix).all()


def test_only_the_ratio_moves_with_the_price_of_the_day(seasoned: PricingLearner) -> None:
    known, number = seasoned._known(), 22
    rows = np.arange(len(known.state.watched.item))
    found = []
    for price in (2.5, 5.0):
        post = {"item_id": "p1", "price": price, "list_price": 6.0, "until": until(27)}
        day = ShopDay(FIRST + timedelta(number), sold(), catalogue().iloc[:0], posts(post))
        scene = Scene(known.state, shelf_of(known, day), day_number(day.day), known.settings)
        found.append(feature_matrix(scene, rows))
    moved = {FEATURES[column] for column in np.flatnonzero((found[0] != found[1]).any(axis=0))}
    assert moved == {"ratio"}


def test_holidays_are_felt_before_and_after() -> None:
    holidays: dict[str, tuple[str, ...]] = {"fair": ("2024-07-04",)}
    assert holiday(date(2024, 7, 4), holidays) == (0.0, 0.0, 1.0)
    assert holiday(date(2024, 7, 1), holidays) == (0.5, 0.0, 0.0)
    assert holiday(date(2024, 7, 7), holidays) == (0.0, 0.5, 0.0)
    assert holiday(date(2024, 7, 20), holidays) == (0.0, 0.0, 0.0)


def test_closed_days_are_no_days_left(seasoned: PricingLearner) -> None:
    known = seasoned._known()
    monday = market_day(FIRST + timedelta(21))
    shelf = shelf_of(known, monday)
    for closed, left in (((), 7), (("2024-01-24",), 6), (("2024-01-29",), 7)):
        settings = Settings(closed_days=closed)
        scene = Scene(known.state, shelf, day_number(monday.day), settings)
        assert open_days_left(scene, ALL).tolist() == [left]

"""A prefix is what the same items would be as a household's purchases, a day for each."""

from dataclasses import fields, replace

import numpy as np
import pytest

from lightning_modules.recommendation.prefixes import prefix_state
from lightning_modules.recommendation.session_places import Places, session_places
from lightning_modules.recommendation.settings import SessionSettings
from lightning_modules.recommendation.state import ShopState
from tests.lightning_modules.recommendation.tiny_sessions import session
from tests.lightning_modules.recommendation.tiny_shop import FIRST, no_items, shop_day

DAY = 20_000
NAMES = [f"i{number}" for number in (3, 1, 3, 3, 2, 1, 4, 3, 2, 2, 1)] + ["i5"] * 40 + ["i1", "i6"]


def places_of(*items: str) -> Places:
    day = shop_day(session("s", *items), no_items(), FIRST)
    return session_places(day, SessionSettings(positions=99, prefix=60))


def shop_with(items: int) -> ShopState:
    shop = ShopState(day=DAY - 1)
    shop.items.grow(items)
    return shop


def test_every_counter_is_that_of_a_purchase_a_day() -> None:
    places = places_of(*NAMES)
    items = np.arange(len(places.item_ids))
    nowhere = np.zeros(len(places.keys), np.int64)
    made = prefix_state(shop_with(len(items)), places, items, nowhere, DAY)
    for place in (0, 4, 10, len(places.keys) - 1):
        lived = ShopState()
        rows = np.flatnonzero(places.owner == place)
        for row in rows[np.argsort(-places.ago[rows])]:
            lived.absorb(np.zeros(1, int), places.item[row : row + 1], DAY - int(places.ago[row]))
        mine = made.pairs.user == place
        assert made.pairs.item[mine].tolist() == lived.pairs.item.tolist()
        for column in fields(lived.pairs):
            if column.name != "key":
                got = getattr(made.pairs, column.name)[mine]
                want = getattr(lived.pairs, column.name)
                assert got == pytest.approx(want, rel=1e-4), column.name
        for column in fields(lived.users):
            got = getattr(made.users, column.name)[place]
            want = getattr(lived.users, column.name)[0]
            assert got == pytest.approx(want, rel=1e-4), column.name


def test_an_item_that_the_shop_does_not_have_yet_has_never_sold() -> None:
    shop, places = shop_with(2), places_of("i1", "new", "i2")
    items = np.array([0, 1, 4])  # the shop has two
    made = prefix_state(shop, places, items, np.zeros(2, np.int64), DAY)
    assert made.pairs.item.tolist() == [0, 0, 4]
    assert made.users.count.tolist() == [1, 2]
    assert made.pairs.last.tolist() == [DAY - 1, DAY - 2, DAY - 1]
    assert made.items.first.tolist() == [0] * 5
    assert len(shop.items.first) == 2


def test_where_there_is_no_shop_yet_an_item_is_only_a_visit() -> None:
    made = prefix_state(ShopState(), places_of("i1", "i2"), np.arange(2), np.zeros(1, int), DAY)
    assert len(made.pairs.key) == 0
    assert made.users.count.tolist() == [1]


def test_the_shop_stays_as_it_is() -> None:
    shop, places = shop_with(6), places_of("i1", "i2")
    made = prefix_state(shop, places, np.arange(2), np.array([3]), DAY)
    assert len(shop.users.last) == len(shop.pairs.key) == 0
    assert len(made.items.last) == len(shop.items.last)
    assert made.users.channel.tolist() == [3]


def test_no_place_is_no_user() -> None:
    places = places_of("i1", "i2")
    nobody = replace(
        places,
        **{name: getattr(places, name)[:0] for name in ("keys", "before", "owner", "item", "ago")},
    )
    made = prefix_state(shop_with(2), nobody, np.arange(2), np.zeros(0, np.int64), DAY)
    assert len(made.users.last) == len(made.pairs.key) == 0

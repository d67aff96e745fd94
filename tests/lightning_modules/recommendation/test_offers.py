"""Promotions: in force from their day to their end, by channel or in the whole shop."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.day_lists import day_number
from lightning_modules.recommendation.features import COLUMN
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.offers import (
    DISPLAY,
    MAILER,
    Offers,
    offers_on,
    promoting_channels,
)
from lightning_modules.vocabulary import Rows
from tests.lightning_modules.recommendation.tiny_shop import (
    SETTINGS,
    bought,
    catalogue,
    no_items,
    shop_day,
)

MONDAY, SUNDAY = date(2024, 1, 1), date(2024, 1, 7)
ITEMS = Rows(["i0", "i1", "i2"])


def announced(
    *rows: tuple[str, str | None, str | None, str | None], until: date = SUNDAY
) -> pd.DataFrame:
    """Rows of (item, channel, display, mailer)."""
    table = pd.DataFrame(rows, columns=["item_id", "channel", "display", "mailer"])
    return table.assign(date=pd.Timestamp(MONDAY), until=pd.Timestamp(until), price=1.0)


def on(before: Offers, prices: pd.DataFrame, channels: Rows, day: date = MONDAY) -> Offers:
    return offers_on(before, prices, ITEMS, channels, day_number(day))


def test_shares_and_channels() -> None:
    prices = announced(
        ("i0", "north", "A", None),
        ("i0", "south", None, "B"),
        ("i1", "south", "A", "B"),
        ("never sold", "south", "A", "B"),
    )
    channels = Rows(promoting_channels(prices))
    offers = on(Offers(), prices, channels)
    assert offers.share(DISPLAY, 3).tolist() == [0.5, 0.5, 0]
    assert offers.share(MAILER, 3).tolist() == [0.5, 0.5, 0]
    north, south = channels.find(["north", "south"])
    where = np.array([north, south, 0])
    zeros = np.zeros(3, np.int64)
    assert offers.promoted(DISPLAY, where, zeros).tolist() == [True, False, False]
    assert offers.promoted(MAILER, where, zeros).tolist() == [False, True, False]


def test_a_promotion_without_a_channel_holds_everywhere() -> None:
    prices = announced(("i0", None, "A", None), ("i1", "north", "A", None))
    channels = Rows(promoting_channels(prices))
    offers = on(Offers(), prices, channels)
    assert offers.share(DISPLAY, 3).tolist() == [1, 1, 0]
    somewhere = np.array([channels.row_of["north"], 7, 0])
    assert offers.promoted(DISPLAY, somewhere, np.zeros(3, np.int64)).all()


def test_price_rows_are_not_looked_at() -> None:
    with_prices = announced(("i0", "north", "A", None), ("i1", None, None, None))
    without = with_prices.iloc[:1]
    channels = Rows(promoting_channels(without))
    one, other = on(Offers(), with_prices, channels), on(Offers(), without, channels)
    assert one.share(DISPLAY, 3).tolist() == other.share(DISPLAY, 3).tolist() == [1, 0, 0]
    assert np.array_equal(one.key, other.key)


def test_offers_end_and_two_announcements_join() -> None:
    first = announced(("i0", "north", "A", None), until=MONDAY)
    second = announced(("i0", "north", None, "B"), ("i1", "north", "A", None))
    channels = Rows(promoting_channels(first))
    before = on(Offers(), first, channels)
    both = on(before, second, channels)
    assert len(both.key) == 2
    assert both.kind.tolist() == [DISPLAY | MAILER, DISPLAY]
    later = on(before, pd.DataFrame(), channels, SUNDAY)
    assert len(later.key) == 0


def test_a_channel_foreseen_is_the_channel_admitted() -> None:
    prices = announced(("i0", "z", "A", None), ("i0", "a", "A", None), ("i1", "m", "A", None))
    channels = Rows(["", "m"])
    foreseen = on(Offers(), prices, channels)
    channels.admit(promoting_channels(prices))
    assert np.array_equal(foreseen.key, on(Offers(), prices, channels).key)


def test_an_offer_is_a_feature_from_its_first_day_to_its_last(tmp_path: Path) -> None:
    learner = RecommendationLearner.new(SETTINGS)
    start = bought(("a", "i0"), ("b", "i1")).assign(channel="north")
    learner.absorb(shop_day(start, catalogue(), MONDAY - timedelta(1)), None, None)
    prices = announced(("i0", "north", "A", None), ("i1", "south", None, "B"))
    again = bought(("a", "i0"), ("b", "i1"))
    seen = []
    for number in (0, 1, 6, 7):
        day = MONDAY + timedelta(number)
        today = ShopDay(day, again, no_items(), prices if number == 0 else prices.iloc[:0])
        lists = learner.examples(today)
        row = int(np.flatnonzero(lists.items == learner.vocabulary.items.row_of["i0"])[0])
        names = ("display_share", "display_at_channel", "mailer_at_channel")
        seen.append([float(lists.features[row, COLUMN[name]]) for name in names])
        learner.absorb(today, None, None)
        folder = tmp_path / str(number)
        folder.mkdir()
        learner.save(folder)
        learner = RecommendationLearner.load(folder, SETTINGS)
    running = [pytest.approx(0.5**0.5, rel=1e-3), 1, 0]
    assert seen == [running, running, running, [0, 0, 0]]

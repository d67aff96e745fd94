"""Counters against sums worked out by hand, and the last events of every user."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from lightning_modules.behavior import features
from lightning_modules.behavior.fading import TAUS
from lightning_modules.behavior.happened import day_number, happened, item_categories
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.settings import Settings
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, shop_day

DAY = day_number(FIRST)


def known_of(*days: list[dict[str, Any]]) -> Known:
    known = Known(Settings.read(SETTINGS))
    for number, rows in enumerate(days):
        today = shop_day(FIRST + timedelta(number), *rows)
        new_items = item_categories(today.items)
        known.absorb(happened(today, known.words.item_category), new_items)
    return known


def buys(user: str, *items: str, **more: Any) -> list[dict[str, Any]]:
    return [{"user_id": user, "item_id": item, **more} for item in items]


def column(known: Known, name: str) -> int:
    return int(np.flatnonzero(known.categories == known.words.categories.row_of[name])[0])


def test_a_faded_counter_is_the_sum_of_what_is_left() -> None:
    known = known_of(buys("a", "milk", "milk"), buys("a", "wine"), [], buys("a", "milk"))
    at = (0, column(known, "milk"))
    table = known.state.pairs
    assert np.allclose(table.faded[at], 1 + np.exp(-3 / TAUS))
    assert (table.count[at], table.visit[at]) == (2, 3)
    assert (table.first[at], table.last[at]) == (DAY, DAY + 3)
    assert table.recent[at] == 0b1001
    assert known.state.users.recent[0] == 0b1101
    assert np.allclose(known.state.users.visits[0], 1 + np.exp(-2 / TAUS) + np.exp(-3 / TAUS))


def test_what_is_not_bought_is_no_purchase() -> None:
    nothing = buys("a", "milk", quantity=0.0) + buys("a", "milk", event_type="return")
    known = known_of(buys("a", "milk"), nothing, buys("a", "milk", event_type="view"))
    at = (0, column(known, "milk"))
    assert known.state.pairs.count[at] == known.state.users.count[0] == 1
    assert known.state.pairs.interest[at] > 1


def test_the_judged_categories_are_the_most_bought_and_stay() -> None:
    known = known_of(
        buys("a", "milk", "wine", "bags") + buys("b", "milk", "bags"), buys("a", "milk", "bags")
    )
    known.state.choose(1)
    names = np.array(list(known.words.categories.row_of))
    assert names[known.categories].tolist() == ["milk"]
    later = shop_day(FIRST + timedelta(2), *buys("c", "wine", "soap"))
    known.absorb(happened(later, known.words.item_category), {})
    assert names[known.categories].tolist() == ["milk"]
    assert known.state.pairs.count.shape == (3, 1)


def test_features_of_a_later_day_are_the_same_before_and_after_a_closed_one() -> None:
    open_days = (buys("a", "milk"), buys("b", "wine", "milk"))
    short, long = known_of(*open_days), known_of(*open_days, [])
    for make in (features.frequency, features.visit_bits, features.pair_bits):
        assert np.allclose(make(short.state, DAY + 4), make(long.state, DAY + 4), rtol=1e-5)
    ours, theirs = (features.user_features(one.state, DAY + 4, 5) for one in (short, long))
    assert np.allclose(ours, theirs, atol=2e-3)


def test_a_day_counts_once() -> None:
    known = known_of(buys("a", "milk"))
    today = happened(shop_day(FIRST, *buys("a", "milk")), known.words.item_category)
    with pytest.raises(ValueError, match="taken in already"):
        known.absorb(today, {})


def test_the_last_events_of_a_user_are_kept_in_order() -> None:
    names = ["milk", "wine", "soap", "milk", "bread", "fruit", "wine", "soap"]
    known = known_of(buys("a", *names[:2]) + buys("b", "bread"), buys("a", *names[2:]))
    past = known.sequences.past
    rows = list(known.words.categories.row_of)
    assert [rows[row] for row in past.category[0]] == names[-6:]
    assert [rows[row] for row in past.category[1]] == [""] * 5 + ["bread"]
    assert (past.kind[1] > 0).tolist() == [False] * 5 + [True]
    assert (np.diff(past.minute[0]) >= 0).all()

"""What counts as bought."""

import numpy as np
import pandas as pd

from lightning_modules.recommendation.purchases import item_groups, purchases
from tests.lightning_modules.recommendation.tiny_shop import bought, catalogue


def pairs(events: pd.DataFrame) -> set[tuple[str, str]]:
    day = purchases(events)
    return {
        (day.user_ids[user], day.item_ids[item])
        for user, item in zip(day.user, day.item, strict=True)
    }


def test_twice_on_a_day_is_once() -> None:
    events = bought(("b", "y"), ("a", "x"), ("b", "y"), ("b", "x"))
    assert len(purchases(events).user) == 3
    assert pairs(events) == {("b", "y"), ("a", "x"), ("b", "x")}


def test_views_returns_and_rows_without_an_item_do_not_count() -> None:
    nameless = bought(("a", "x"))
    nameless["item_id"] = pd.Series([None], dtype="str")
    events = pd.concat(
        [
            bought(("a", "seen"), kind="view"),
            bought(("a", "back"), quantity=-1),
            bought(("a", "none"), quantity=0),
            bought(("a", "unclear"), quantity=np.nan),
            nameless,
            bought(("a", "kept")),
        ],
        ignore_index=True,
    )
    assert pairs(events) == {("a", "kept")}


def test_no_events_are_no_purchases() -> None:
    assert pairs(bought()) == set()


def test_groups_name_three_levels_and_bear_gaps() -> None:
    items = catalogue().iloc[:2].copy()
    items["category"] = pd.Series(["c0", None], dtype="str")
    assert item_groups(items) == {"i0": "food|c0|s0", "i1": "food||s1"}
    assert item_groups(items[["item_id"]]) == {"i0": "||", "i1": "||"}


def test_the_last_channel_and_the_money_of_a_day_do_not_depend_on_the_order_of_rows() -> None:
    events = bought(("a", "x"), ("a", "y"), ("b", "x")).assign(
        event_time=pd.to_datetime(["2024-01-01 10:00", "2024-01-01 09:00", "2024-01-01 09:00"]),
        channel=pd.Series(["north", "south", None], dtype="str"),
        quantity=[2.0, 1.0, 1.0],
    )
    one, other = purchases(events), purchases(events.iloc[::-1].reset_index(drop=True))
    assert one.channels == other.channels == ["north", ""]
    assert one.user_money.tolist() == other.user_money.tolist() == [[1.0, 7.0], [0.5, 2.5]]
    assert one.item_money.tolist() == other.item_money.tolist() == [[1.0, 7.0], [0.5, 2.5]]


def test_money_and_channels_that_no_column_tells_are_none() -> None:
    events = bought(("a", "x"), ("b", "y")).drop(columns=["price", "discount"])
    found = purchases(events)
    assert not found.user_money.any()
    assert found.channels == ["", ""]


def test_views_count_where_they_are_asked_for() -> None:
    views = bought(("s1", "x"), ("s1", "y"), kind="view", quantity=float("nan"))
    events = pd.concat([views, bought(("s2", "x"))], ignore_index=True)
    assert purchases(events).user_ids == ["s2"]
    assert purchases(events, ("view",)).user_ids == ["s1"]
    assert purchases(events, ("view", "purchase")).user_ids == ["s1", "s2"]


def test_baskets_are_sessions_or_else_a_users_day() -> None:
    events = bought(("a", "x"), ("a", "y"), ("a", "z"), ("b", "x"), ("b", "y")).assign(
        session_id=pd.Series(["s", "s", "t", None, None], dtype="str")
    )
    found = purchases(events)
    named = [(found.item_ids[item]) for item in found.basket_item]
    baskets = {
        tuple(name for name, one in zip(named, found.basket, strict=True) if one == basket)
        for basket in found.basket
    }
    assert baskets == {("x", "y"), ("z",)}
    assert len(set(found.basket.tolist())) == 3

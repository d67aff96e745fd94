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

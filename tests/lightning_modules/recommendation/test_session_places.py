"""Which places of a day's sessions are to be foretold, and what came before them."""

from typing import Any

import numpy as np
import pandas as pd

from lightning_modules.recommendation.session_places import Places, as_sessions, session_places
from lightning_modules.recommendation.settings import SessionSettings
from tests.lightning_modules.recommendation.tiny_sessions import session, sessions_of
from tests.lightning_modules.recommendation.tiny_shop import FIRST, bought, no_items, shop_day


def places(events: pd.DataFrame, **settings: Any) -> Places:
    return session_places(shop_day(events, no_items(), FIRST), SessionSettings(**settings))


def prefixes(found: Places) -> dict[str, tuple[str, list[str]]]:
    """What comes at each place, and what came before, the nearest first."""
    told = {}
    for place, name in enumerate(found.session):
        rows = np.flatnonzero(found.owner == place)
        rows = rows[np.argsort(found.ago[rows])]
        before = [found.item_ids[item] for item in found.item[rows]]
        assert sorted(found.ago[rows]) == list(range(1, found.before[place] + 1))
        told[f"{name} {len(before)}"] = (found.item_ids[found.target[place]], before)
    return told


def test_each_item_but_the_first_is_foretold_from_those_before() -> None:
    events = session("s", "c", "a", "b", "a").iloc[::-1]  # the time decides, not the row
    assert prefixes(places(events, positions=9)) == {
        "s 1": ("a", ["c"]),
        "s 2": ("b", ["a", "c"]),
        "s 3": ("a", ["b", "a", "c"]),
    }


def test_at_one_time_the_rows_are_in_order() -> None:
    events = session("s", "c", "a", "b").assign(event_time=pd.Timestamp("2024-01-01", tz="UTC"))
    assert prefixes(places(events))["s 2"] == ("b", ["a", "c"])
    assert prefixes(places(events.drop(columns="event_time")))["s 2"] == ("b", ["a", "c"])


def test_a_session_without_a_name_is_the_users_day() -> None:
    events = session("s", "c", "a", "b", "d")
    events["session_id"] = ["s", None, "s", None]
    found = places(events)
    assert sorted(set(found.session)) == ["s", "user of s 2024-01-01"]
    plain = as_sessions(shop_day(bought(("u", "a")), no_items(), FIRST)).events
    assert plain["user_id"].tolist() == ["u 2024-01-01"]


def test_what_does_not_count_is_no_place() -> None:
    events = session("s", "a", "b", "c", "d")
    events.loc[1, "quantity"] = 0
    events.loc[2, "item_id"] = None
    assert prefixes(places(events)) == {"s 1": ("d", ["a"])}
    assert len(places(session("alone", "a")).keys) == 0
    assert len(places(session("none").astype({"session_id": "str"})).keys) == 0


def test_sessions_places_and_prefixes_are_bounded() -> None:
    day = sessions_of(FIRST)
    all_of_them = session_places(day, SessionSettings(positions=9))
    few = session_places(day, SessionSettings(positions=2, sessions_a_day=5, prefix=2))
    names, counts = np.unique(few.session.astype(str), return_counts=True)
    assert (len(names), set(counts)) == (5, {2})
    assert few.before.max() == 2
    known = prefixes(all_of_them)
    by_target = {(name.rsplit(" ", 1)[0], item, *old[:2]) for name, (item, old) in known.items()}
    for name, (item, old) in prefixes(few).items():
        assert (name.rsplit(" ", 1)[0], item, *old) in by_target


def test_the_draw_does_not_depend_on_the_other_sessions() -> None:
    day = sessions_of(FIRST)
    one = day.events["session_id"] == day.events["session_id"].iloc[0]
    whole = session_places(day, SessionSettings(positions=2))
    alone = places(day.events[one], positions=2)
    mine = whole.session == alone.session[0]
    assert whole.keys[mine].tolist() == alone.keys.tolist()
    assert whole.before[mine].tolist() == alone.before.tolist()


def test_the_channel_is_where_the_session_was_before() -> None:
    events = session("s", "a", "b", "c").assign(channel=pd.Series(["north", None, "south"]))
    assert places(events).channel.tolist() == ["north", ""]

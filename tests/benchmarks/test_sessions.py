"""The session benchmark on a made-up shop."""

import datetime as dt

import numpy as np
import pandas as pd

from benchmarks.session_curve import LEVELS, all_findings, facts_and_costs, page
from benchmarks.session_logs import Shop, _clicks, in_hash_order
from benchmarks.session_rivals import ANOTHER
from benchmarks.sessions import GRID, prequential
from tests.lightning_modules.recommendation.tiny_sessions import SETTINGS, session, sessions_of
from tests.lightning_modules.recommendation.tiny_shop import FIRST

START = FIRST + dt.timedelta(6)
FEW = {name: method for name, method in GRID.items() if "tau 3" in name or "fading" in name}


def shop(days: int) -> Shop:
    return Shop(
        name="made up",
        about="",
        days=[sessions_of(FIRST + dt.timedelta(number)) for number in range(days)],
        fit_from=FIRST + dt.timedelta(2),
        first=START,
        settings=SETTINGS,
        own="never",
        own_in_popularity="never",
        fit={"epochs": 1, "batch_size": 8},
    )


def test_all_methods_are_scored_on_the_same_places_before_they_learn() -> None:
    curve = prequential(shop(8), FEW)
    table = curve.table()
    methods = {"champion", "frozen", "own items, then what sells", "popularity", "item-kNN"}
    assert set(table.index.unique("method")) == methods
    assert (table["rows"] == 16).all()
    assert table.groupby("method").size().tolist() == [2] * 5
    one, frozen = (table.loc[name]["ndcg@20"] for name in ("champion", "frozen"))
    assert one.iloc[0] == frozen.iloc[0]  # nothing was learned yet
    assert {name.split(",")[0] for name in curve.chosen} == {"popularity", "item-kNN"}
    found = all_findings("made up", curve)
    assert len(found) == 5 * (len(LEVELS) + 1) + 4
    shown = page(curve)
    assert "item-kNN, no fading, shrunken by 80" in shown
    assert ANOTHER in shown
    assert "96 places" in facts_and_costs(curve)


def test_later_days_do_not_change_what_was_said_of_earlier_ones() -> None:
    short, whole = (prequential(shop(days), FEW).table() for days in (7, 8))
    first = whole[whole.index.get_level_values("day") == START.isoformat()]
    pd.testing.assert_frame_equal(first, short)


def test_the_order_in_a_basket_tells_nothing_and_is_fixed() -> None:
    rows = pd.concat([session(name, *(f"i{n}" for n in range(9))) for name in ("s", "t")])
    rows = rows.reset_index(drop=True)
    one, other = (in_hash_order(part, FIRST) for part in (rows, rows.iloc[::-1]))
    assert one["item_id"].tolist() == other["item_id"].tolist()
    by_session = [part["item_id"].tolist() for _, part in one.groupby("session_id")]
    assert by_session[0] != by_session[1]
    assert sorted(by_session[0]) != by_session[0]
    assert (one["user_id"] == one["session_id"]).all()


def test_clicks_are_days_with_their_newcomers() -> None:
    times = pd.to_datetime(["2016-02-01 10:00", "2016-02-01 11:00", "2016-02-02 09:00"])
    rows = pd.DataFrame(
        {
            "timestamp": times,
            "user_id": "u",
            "item_id": ["a", "b", "a"],
            "event_type": ["click", "browse", "click"],
            "category": "8",
            "brand": "30",
        }
    )
    days = list(_clicks(rows, dt.date(2016, 2, 2)))
    assert [day.day for day in days] == [dt.date(2016, 2, 1), dt.date(2016, 2, 2)]
    assert [day.items["item_id"].tolist() for day in days] == [["a"], []]
    assert np.isnan(days[0].events["quantity"]).all()

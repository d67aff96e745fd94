"""Two other shops: their days by the column map, and all methods on the same rows."""

import datetime as dt
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest

from benchmarks.browsing import live_through, read_days, table
from benchmarks.browsing_queries import OWN, POPULAR, Queries, first_queries, user_interval
from benchmarks.browsing_rows import CHAMPION, FROZEN, MARKOV
from benchmarks.browsing_types import ANY, BEGINNING, LATER, OPENS, Types, next_types, served
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import ShopDay
from tasks.sources.canonical import SourceError
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, day_of_trade, shop_day

W = TypeVar("W", Types, Queries)

LEARN_FROM, START = FIRST + dt.timedelta(4), FIRST + dt.timedelta(8)
FIT = {"epochs": 1, "batch_size": 8}
THEIRS = pd.DataFrame(
    {
        "timestamp": pd.to_datetime(["2024-01-01 15:59", "2024-01-01 16:01", "2024-01-02 10:00"]),
        "user_id": ["a", "a", "b"],
        "item_id": ["1", None, "1"],
        "event_type": ["click", "search", "click"],
        "query": [None, "red shoe", "red"],
        "category": ["shoes", None, "shoes"],
    }
)


def days(count: int) -> list[ShopDay]:
    return [day_of_trade(FIRST + dt.timedelta(number)) for number in range(count)]


def lived(watch: W, count: int = 11) -> W:
    live_through(days(count), LEARN_FROM, START, watch, SETTINGS, FIT)
    return watch


def test_a_file_becomes_days_with_a_catalogue(tmp_path: Path) -> None:
    events = tmp_path / "events.parquet"
    THEIRS.to_parquet(events)
    found = read_days(events, tmp_path, "UTC")
    assert [day.day for day in found] == [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]
    assert found[0].events["event_type"].tolist() == ["click", "search"]
    assert found[0].items[["item_id", "category"]].to_numpy().tolist() == [["1", "shoes"]]
    assert found[1].items.empty
    assert found[0].events["quantity"].isna().all()
    stand_in = read_days(events, tmp_path, "UTC", click=True)[0].events
    assert stand_in["event_type"].tolist() == ["purchase", "search"]
    assert stand_in["quantity"].tolist()[0] == 1


def test_a_missing_file_is_named_with_its_origin(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"jd_events.parquet is not there: .*JData"):
        read_days(tmp_path / "jd_events.parquet", tmp_path, "UTC")


def test_all_methods_are_judged_on_the_same_rows() -> None:
    types = lived(Types())
    every, first, later = (types.judged[where] for where in (ANY, OPENS, LATER))
    assert every.rows == first.rows + later.rows > first.rows > 0
    assert types.judged[BEGINNING].rows == 3 * 12
    for judged in types.judged.values():
        for by_day in judged.said.values():
            for day, chance in by_day.items():
                assert len(chance) == len(judged.truth[day])
                assert chance.sum(1) == pytest.approx(1, abs=1e-5)
    found = types.findings("made up", {CHAMPION: 2.0})
    bars = [one for one in found if one.bar is not None]
    assert {one.method for one in bars} == {CHAMPION}
    assert len(bars) == 2 * len(types.judged)
    lines = types.by_day().splitlines()
    assert len(lines) == 2 + 3
    assert "95%" in table(found)


def test_nothing_was_learned_before_the_first_day_judged() -> None:
    said = lived(Types()).judged[ANY].said
    assert np.array_equal(said[CHAMPION][START], said[FROZEN][START])
    last = START + dt.timedelta(2)
    assert not np.array_equal(said[CHAMPION][last], said[FROZEN][last])


def test_later_days_do_not_change_what_was_said_of_earlier_ones() -> None:
    short, whole = (lived(Types(), count).judged[ANY].said for count in (9, 11))
    for method in short:
        assert np.array_equal(short[method][START], whole[method][START])


class Compares(Types):
    """Takes what is served apart from what is said of the day's first event."""

    def score(self, day: ShopDay, units: UserDays, learners: dict[str, BehaviorLearner]) -> None:
        views = units.todays_part().views
        told = served(learners[CHAMPION], day.day, len(views))
        told[:, 0] = 0
        said = next_types(learners[CHAMPION], views)[:, 0]
        assert told / told.sum(1, keepdims=True) == pytest.approx(said, abs=1e-5)
        self.rows += len(said)


def test_what_is_said_of_the_first_event_is_what_is_served() -> None:
    assert lived(Compares(), 9).rows == 12


def test_queries_are_judged_for_known_users_and_unseen_words_counted() -> None:
    queries = lived(Queries())
    assert queries.of_strangers == 0
    assert len(queries.users) == 3 * 12
    assert set(queries.hits) == {CHAMPION, FROZEN, POPULAR, OWN}
    assert all(np.isfinite(losses).all() for losses in queries.losses.values())
    assert np.mean(queries.hits[OWN]) == 1  # everyone types "fresh"
    assert queries.unseen == 0
    assert "0 of 72 terms" in queries.note()
    found = queries.findings({})
    assert {one.rows for one in found} == {36}


def test_words_that_nobody_typed_and_strangers_are_counted() -> None:
    day = START + dt.timedelta(3)
    strange = {"event_type": "search", "item_id": None, "query": "Zither strings"}
    told = shop_day(day, {**strange, "user_id": "u0"}, {**strange, "user_id": "new"})
    queries = Queries()
    live_through([*days(11), told], LEARN_FROM, START, queries, SETTINGS, FIT)
    assert queries.of_strangers == 1
    assert queries.unseen == 2
    assert queries.hits[OWN][-1] == 0
    assert np.isfinite(queries.losses[CHAMPION][-1])


def test_the_first_query_with_a_word_is_the_days() -> None:
    rows = [
        {"user_id": "a", "event_type": "search", "item_id": None, "query": query}
        for query in ("?!", "red shoe", "blue")
    ]
    assert first_queries(shop_day(FIRST, *rows)) == {"a": "red shoe"}


def test_users_are_resampled_with_all_their_rows() -> None:
    rows, users = np.array([1.0, 1.0, 0.0]), np.array(["a", "a", "b"])
    assert user_interval(rows, users) == (0, 1)


def test_markov_is_among_the_methods() -> None:
    assert MARKOV in lived(Types(), 9).judged[BEGINNING].said

"""The figures of recommendation: the same rows for every method, and known values."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import rivals
from benchmarks.purchases import read_purchases, split
from benchmarks.quality_recommendation import COLD_USERS, LEVELS, Recorder
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    bought,
    catalogue,
    day_of_trade,
    no_items,
    shop_day,
)

START = FIRST + dt.timedelta(6)
POPULAR: dict[str, rivals.Method] = {"popularity_7": rivals.popularity_7}


def day_events(day: dt.date) -> pd.DataFrame:
    """A day of trade, households trying others' items, and a stranger with an item never sold."""
    number = (day - FIRST).days
    strange = bought((f"stranger {number}", f"new {number}"), ("u0", f"new {number - 1}"))
    tried = bought(*((f"u{user}", f"i{(user * 5 + 30 + number) % 60}") for user in range(12)))
    return pd.concat([day_of_trade(day), strange, tried], ignore_index=True)


def land(workspace: Path, day: dt.date) -> None:
    file = workspace / "data" / "events" / f"date={day}" / "part-0.parquet"
    file.parent.mkdir(parents=True)
    day_events(day).to_parquet(file)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace of eight days."""
    for number in range(8):
        land(tmp_path, FIRST + dt.timedelta(number))
    return tmp_path


def days_of_lists() -> list[tuple[dt.date, RecommendationLearner, Lists]]:
    """The last two days as lists, each with the learner before it."""
    found, learner = [], RecommendationLearner.new(SETTINGS | {"explore": 80})
    for number in range(8):
        day = FIRST + dt.timedelta(number)
        items = catalogue() if number == 0 else no_items()
        today = shop_day(day_events(day), items, day)
        if day >= START:
            found.append((day, learner, learner.examples(today)))
        learner.absorb(today, None, None)
    return found


def recorded(shop: Path, methods: dict[str, rivals.Method]) -> Recorder:
    recorder = Recorder(read_purchases(shop, FIRST + dt.timedelta(7)), methods)
    for day, learner, lists in days_of_lists():
        recorder.record(day, lists, {"champion": learner.naive_scores(lists)})
    return recorder


def test_the_champion_has_the_figures_of_its_own_quality(shop: Path) -> None:
    table = recorded(shop, {}).table().loc["champion"]
    for day, learner, lists in days_of_lists():
        quality = learner.quality(lists, learner.naive_scores(lists))
        known = quality[~quality["unit"].str.startswith("stranger")]
        for name in (*LEVELS, "repeat_recall@20", "explore_recall@20"):
            assert table.loc[day.isoformat(), name] == pytest.approx(known[name].mean()), name


def test_all_items_as_candidates_are_ranked_as_a_rival_ranks_them(shop: Path) -> None:
    recorder = Recorder(read_purchases(shop, FIRST + dt.timedelta(7)), POPULAR)
    names = {name: row for row, name in enumerate(recorder._purchases.item_ids)}
    for day, learner, lists in days_of_lists():
        assert (lists.lengths == lists.lengths[0]).all()  # every item is a candidate of everyone
        start, end = np.searchsorted(
            recorder._purchases.day, [day.toordinal(), day.toordinal() + 1]
        )
        past = split(recorder._purchases, int(start), int(end))[0]
        codes = np.array([names.get(name, 0) for name in learner.vocabulary.items.row_of])
        popular = past.bought_within(7)[np.minimum(codes, past.items - 1)]
        # Ties go to the item that a rival lists first; an item never sold is last.
        unsold = np.array([name not in names for name in learner.vocabulary.items.row_of])
        score = np.where(unsold, -1.0, popular - codes * 1e-4)[lists.items].astype(np.float32)
        recorder.record(day, lists, {"champion": score})
    table = recorder.table()
    one, other = table.loc["champion"], table.loc["popularity_7"]
    for measure in table.columns:
        assert one[measure].to_numpy() == pytest.approx(other[measure].to_numpy()), measure
    assert one["new_recall@20"].max() > 0


def test_lists_may_come_in_any_order(shop: Path) -> None:
    straight = recorded(shop, {}).table()
    recorder = Recorder(read_purchases(shop, FIRST + dt.timedelta(7)), {})
    for day, learner, lists in days_of_lists():
        mixed = lists.take(np.arange(len(lists))[::-1].copy())
        recorder.record(day, mixed, {"champion": learner.naive_scores(mixed)})
    pd.testing.assert_frame_equal(recorder.table(), straight)


def test_lists_of_other_households_are_refused(shop: Path) -> None:
    recorder = Recorder(read_purchases(shop, FIRST + dt.timedelta(7)), {})
    day, learner, lists = days_of_lists()[0]
    some = lists.take(np.arange(3))
    with pytest.raises(ValueError, match="same households"):
        recorder.record(day, some, {"champion": learner.naive_scores(some)})


def test_a_day_without_purchases_counts_for_nothing(shop: Path) -> None:
    recorder = recorded(shop, {})
    before = recorder.table()
    lists = days_of_lists()[0][2]
    closed = FIRST + dt.timedelta(300)
    recorder.record(
        closed, lists.take(np.zeros(len(lists), bool)), {"champion": np.zeros(0, "f4")}
    )
    pd.testing.assert_frame_equal(recorder.table(), before)


def test_findings_hold_the_gain_over_the_hardest_rival(shop: Path) -> None:
    recorder = recorded(shop, {"tifu_knn": rivals.tifu_knn})
    found = {(one.method, one.measure): one for one in recorder.findings()}
    ours, theirs = found["champion", "ndcg@20"], found["tifu_knn", "ndcg@20"]
    gain = found["champion minus tifu_knn", "ndcg@20 gain, relative"]
    assert gain.value == pytest.approx((ours.value - theirs.value) / theirs.value)
    assert gain.met == (gain.value >= 0.06)
    assert (ours.days, ours.rows) == (2, 24)
    assert found["champion", COLD_USERS].value == pytest.approx(ours.value)

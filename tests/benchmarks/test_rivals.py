"""The rivals, on a shop small enough to work out by hand."""

import datetime as dt
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import rivals
from benchmarks.purchases import Past, read_purchases, split

MONDAY = dt.date(2017, 10, 2)


def land(workspace: Path, day: dt.date, rows: Sequence[tuple[str, str, float]]) -> None:
    """Write a day of (user, item, quantity) purchases."""
    file = workspace / "data" / "events" / f"date={day}" / "part-0.parquet"
    file.parent.mkdir(parents=True)
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "quantity"])
    table.assign(event_type="purchase").to_parquet(file)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Anna buys milk, Ben bread; on the third day Anna also takes tea, never sold before."""
    land(tmp_path, MONDAY, [("anna", "milk", 1), ("anna", "milk", 2), ("ben", "bread", 1)])
    land(tmp_path, MONDAY + dt.timedelta(1), [("anna", "milk", 1), ("anna", "egg", 1)])
    third = [("anna", "milk", 1), ("anna", "tea", 1), ("cleo", "bread", 1), ("ben", "egg", 0)]
    land(tmp_path, MONDAY + dt.timedelta(2), third)
    return tmp_path


@pytest.fixture
def past(shop: Path) -> Past:
    """What is known before the third day, for Anna and Cleo."""
    purchases = read_purchases(shop, MONDAY + dt.timedelta(2))
    start = int(np.searchsorted(purchases.day, MONDAY.toordinal() + 2))
    return split(purchases, start, len(purchases.day))[0]


def test_household_with_nothing_bought_is_not_a_household_day(shop: Path) -> None:
    third = MONDAY + dt.timedelta(2)
    scores = rivals.score_days(read_purchases(shop, third), third, third)
    assert list(scores.columns) == [*rivals.KEY, *rivals.METRICS]
    assert set(scores["user_id"]) == {"anna", "cleo"}  # Ben's egg had quantity zero
    assert not scores.duplicated(rivals.KEY).any()
    assert set(scores["method"]) == set(rivals.METHODS)


def test_items_never_sold_before_stay_in_the_denominators(shop: Path) -> None:
    third = MONDAY + dt.timedelta(2)
    scores = rivals.score_days(read_purchases(shop, third), third, third)
    anna = scores[(scores["user_id"] == "anna") & (scores["method"] == "personal_top_frequency")]
    assert anna["recall@10"].item() == 0.5  # milk of milk and tea
    assert anna["ndcg@20"].item() == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_a_day_does_not_know_itself_or_later_days(shop: Path, tmp_path: Path) -> None:
    second = MONDAY + dt.timedelta(1)
    short = rivals.score_days(read_purchases(shop, second), second, second)
    whole = rivals.score_days(read_purchases(shop, MONDAY + dt.timedelta(2)), second, second)
    pd.testing.assert_frame_equal(short, whole)


def test_personal_frequency_counts_days_and_fills_with_what_is_popular(past: Past) -> None:
    # Items in order of first appearance: bread and milk on the first day, egg on the second.
    anna, cleo = rivals.personal_top_frequency(past)
    assert anna.round(2).tolist() == [0, 2, 1]
    assert cleo.argmax() == 1  # milk was sold twice, bread and egg once


def test_decayed_frequency_weighs_by_age(past: Past) -> None:
    anna, _ = rivals.decayed_personal_frequency(past, tau=2)
    assert anna == pytest.approx([0, math.exp(-1) + math.exp(-0.5), math.exp(-0.5)], abs=1e-4)


def test_popularity_is_the_same_for_everyone(past: Past) -> None:
    assert rivals.popularity_7(past).tolist() == [[1, 2, 1], [1, 2, 1]]


def test_tifu_mixes_own_vector_with_the_neighbours(past: Past) -> None:
    scores = rivals.tifu_knn(past, neighbours=1, own_share=0.5)
    # Anna's nearest is herself: two groups of one basket; the older one decays by both rates.
    older = 0.97 * 0.9 / 2
    assert scores[0] == pytest.approx([0, older + 0.5, 0.5])


def test_ties_go_to_the_item_known_longest() -> None:
    scores = np.array([[1, 3, 3, 1], [0, 0, 0, 0]], np.float32)
    assert rivals._top(scores, 3).tolist() == [[1, 2, 0], [0, 1, 2]]


def test_no_history_is_said_clearly(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(rivals.NoHistoryError, match="no purchase before 2017-10-02"):
        rivals.score_days(read_purchases(shop, MONDAY), MONDAY, MONDAY)
    with pytest.raises(FileNotFoundError, match="make the registry"):
        read_purchases(tmp_path / "elsewhere", MONDAY)

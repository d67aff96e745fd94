"""The measures, by hand."""

import math

import numpy as np
import pytest

from lightning_modules.recommendation.lists import Lists, starts
from lightning_modules.recommendation.ranking import list_quality, top_rows


def lists_of(labels: list[list[int]], personal: list[list[int]], bought: list[int]) -> Lists:
    lengths = np.array([len(row) for row in labels])
    flat = np.array([label for row in labels for label in row], bool)
    known = np.array([label for row in personal for label in row], bool)
    owner = np.repeat(np.arange(len(labels)), lengths)
    again = np.bincount(owner[flat & known], minlength=len(labels)).astype(np.int32)
    return Lists(
        user_ids=np.array([f"u{row}" for row in range(len(labels))], object),
        keys=np.arange(len(labels), dtype=np.uint64),
        users=np.arange(len(labels), dtype=np.int32),
        offsets=starts(lengths),
        items=np.arange(len(flat), dtype=np.int32),
        features=np.zeros((len(flat), 1), np.float16),
        labels=flat,
        personal=known,
        bought=np.array(bought, np.int32),
        bought_again=again,
    )


def test_measures_by_hand() -> None:
    # The first and third place hit; four items were bought, one of them never seen before.
    lists = lists_of([[1, 0, 1, 0]], [[1, 1, 0, 0]], [4])
    row = list_quality(lists, np.array([4, 3, 2, 1], np.float32)).iloc[0]
    ideal = sum(1 / math.log2(place + 1) for place in (1, 2, 3, 4))
    assert row["recall@10"] == pytest.approx(2 / 4)
    assert row["ndcg@20"] == pytest.approx((1 + 1 / math.log2(4)) / ideal)
    assert row["repeat_recall@20"] == pytest.approx(1 / 1)
    assert row["explore_recall@20"] == pytest.approx(1 / 3)


def test_only_the_first_k_count_and_the_ideal_stops_at_k() -> None:
    labels = [0] * 10 + [1] * 15
    lists = lists_of([labels], [[1] * 25], [15])
    row = list_quality(lists, -np.arange(25, dtype=np.float32)).iloc[0]
    gains = [1 / math.log2(place + 1) for place in range(1, 21)]
    assert row["recall@10"] == 0
    assert row["recall@20"] == pytest.approx(10 / 15)
    assert row["ndcg@20"] == pytest.approx(sum(gains[10:20]) / sum(gains[:15]))


def test_what_cannot_be_hit_is_undefined_not_zero() -> None:
    lists = lists_of([[1, 0]], [[0, 0]], [1])
    row = list_quality(lists, np.zeros(2, np.float32)).iloc[0]
    assert math.isnan(row["repeat_recall@20"])
    assert row["explore_recall@20"] == 1


def test_short_lists_end_and_lists_do_not_mix() -> None:
    scores = np.array([1, 3, 2, 9, 8], np.float32)
    top = top_rows(scores, np.array([0, 3, 5]), 4)
    assert top.tolist() == [[1, 2, 0, -1], [3, 4, -1, -1]]


def test_no_list_gives_no_row() -> None:
    empty = lists_of([[1]], [[1]], [1]).take(np.zeros(1, bool))
    assert len(list_quality(empty, np.zeros(0, np.float32))) == 0

"""Promotions by week, from a small file."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tasks.sources import promotions
from tasks.sources.promotions import promoted, promotion_weeks, week_number


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        (7, 30, "0", "A", 1),
        (5, 30, "3", "0", 1),
        (5, 20, "0", "0", 1),
        (5, 20, "9", "D", 2),
        (7, 20, "0", "A", 4),
    ]
    names = ["product_id", "store_id", "display_location", "mailer_location", "week"]
    pd.DataFrame(rows, columns=names).to_parquet(tmp_path / "promotions.parquet")
    return tmp_path / "promotions.parquet"


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_weeks_are_whole_however_the_file_is_read(
    file: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotions, "BATCH_ROWS", batch)
    assert [(week, rows.num_rows) for week, rows in promotion_weeks(file)] == [
        (1, 3),
        (2, 1),
        (4, 1),
    ]


def test_only_what_was_promoted_is_kept_in_order(file: Path) -> None:
    rows = promoted(next(promotion_weeks(file))[1])
    assert rows["product_id"].tolist() == [5, 7]
    assert rows["display_location"].astype("str").fillna("-").tolist() == ["3", "-"]
    assert rows["mailer_location"].astype("str").fillna("-").tolist() == ["-", "A"]


def test_a_week_without_promotions_has_the_same_columns(file: Path) -> None:
    none, some = promoted(None), promoted(next(promotion_weeks(file))[1])
    assert none.empty
    assert list(none) == list(some)


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2017, 1, 1), 1),
        (date(2017, 1, 2), 2),
        (date(2017, 1, 8), 2),
        (date(2017, 12, 31), 53),
    ],
)
def test_a_week_is_monday_to_sunday_but_for_the_first(day: date, week: int) -> None:
    assert week_number(day) == week

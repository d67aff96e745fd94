"""The reference of drift: bounded, dated, and the same bytes for the same days."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from tasks import reference
from tasks.params import DriftParams
from tests.tasks.test_contract import DAY, good

SETTINGS = DriftParams(
    psi_threshold=0.2, share_threshold=0.5, reference_days=3, reference_rows_per_day=5
)
NO_SCORES = pd.Series(dtype="float64")


def rows(day: dt.date = DAY, count: int = 8) -> pd.DataFrame:
    return reference.drift_rows(
        good(count), pd.Series({"u1": 0.5}), "user_id", day, "Europe/Berlin"
    )


def test_a_row_holds_what_drift_is_measured_on() -> None:
    events = good(3).assign(user_id=["u1", "u1", "stranger"])
    found = reference.drift_rows(events, pd.Series({"u1": 0.5}), "user_id", DAY, "Europe/Berlin")
    assert list(found.columns) == ["day", *reference.COLUMNS]
    assert found["hour"].tolist() == [9.0, 9.0, 9.0]  # 08:00 UTC
    assert found["score"].iloc[0] == 0.5
    assert found["score"].iloc[1:].isna().all()  # said once for a user; not known of a stranger
    assert set(found["day"]) == {"2024-02-01"}


def test_ids_by_the_thousand_become_a_few_buckets() -> None:
    events = good(1000).assign(item_id=[f"i{row}" for row in range(1000)])
    found = reference.drift_rows(
        events, pd.Series(dtype="float64"), "user_id", DAY, "Europe/Berlin"
    )
    assert found["item_bucket"].nunique() == reference.BUCKETS
    assert found["item_bucket"].value_counts().min() > 30


def test_nulls_have_a_bucket_of_their_own() -> None:
    channels = pd.Series([None, "", "missing", "web"], dtype="str")
    events = good(4).assign(channel=channels, item_id=pd.Series([None] * 4, dtype="str"))
    found = reference.drift_rows(
        events, pd.Series(dtype="float64"), "user_id", DAY, "Europe/Berlin"
    )
    assert found["channel"].iloc[0] == reference.MISSING
    assert found["channel"].iloc[1:].str.fullmatch(r"b\d\d").all()
    assert found["item_bucket"].tolist() == [reference.MISSING] * 4
    assert found.dtypes["item_bucket"] == found.dtypes["user_bucket"] == "str"
    assert reference.has_value(found["channel"]).tolist() == [False, True, True, True]
    assert not reference.has_value(found["item_bucket"]).any()
    assert not reference.has_value(found["score"]).any()
    assert reference.has_value(found["price"]).all()


def test_the_window_moves_and_a_day_weighs_no_more_than_its_share() -> None:
    window = reference.empty()
    for number in range(5):
        day = DAY + dt.timedelta(days=number)
        window = reference.advance(window, rows(day), day, SETTINGS)
    counts = window["day"].value_counts().sort_index()
    assert counts.to_dict() == {"2024-02-03": 5, "2024-02-04": 5, "2024-02-05": 5}


def test_a_small_day_is_taken_whole_and_an_empty_one_changes_nothing() -> None:
    window = reference.advance(reference.empty(), rows(count=3), DAY, SETTINGS)
    assert len(window) == 3
    next_day = DAY + dt.timedelta(days=1)
    pd.testing.assert_frame_equal(
        reference.advance(window, rows(next_day, 0), next_day, SETTINGS), window
    )


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        window = reference.advance(reference.empty(), rows(), DAY, SETTINGS)
        reference.write(window, tmp_path / name)
        files.append((tmp_path / name / reference.FILE).read_bytes())
        pd.testing.assert_frame_equal(reference.read(tmp_path / name), window)
    assert files[0] == files[1]
    assert b"pandas" not in files[0]


def test_only_the_champions_scores_are_looked_at(tmp_path: Path) -> None:
    scored = pd.DataFrame(
        {"unit": ["u1", "u1"], "method": ["champion", "naive"], "score": [0.7, 9.0]}
    )
    reference.write_frame(scored, tmp_path / "prequential.parquet")
    found = reference.champion_scores(tmp_path / "prequential.parquet")
    assert found.to_dict() == {"u1": pytest.approx(0.7)}


def test_scores_are_drawn_by_themselves() -> None:
    events = good(200).assign(user_id=[f"u{row // 50}" for row in range(200)])
    scores = pd.Series({f"u{user}": float(user) for user in range(4)})
    today = reference.drift_rows(events, scores, "user_id", DAY, "Europe/Berlin")
    window = reference.advance(reference.empty(), today, DAY, SETTINGS)
    assert len(window) == SETTINGS.reference_rows_per_day == 5
    assert set(window["score"].dropna()) == {0.0, 1.0, 2.0, 3.0}  # not the chance few of 5 rows

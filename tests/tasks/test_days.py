"""A day's files: found, read against their digest, and looked at before they are pulled."""

import datetime as dt
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from tasks import days, land, workspace
from tasks.contract import COLUMNS, InvalidDayError, check_events
from tasks.sources import open_source
from tests.line import HISTORY_UNTIL, LANDED, Place, nth
from tests.tasks.made import increment

MANIFEST = {
    "events/date=2024-02-02/part-0.parquet": "b",
    "events/date=2024-02-01/part-1.parquet": "a2",
    "events/date=2024-02-01/part-0.parquet": "a1",
    "items/date=2024-02-01/part-0.parquet": "i",
    "users/date=2024-02-01/part-0.parquet": "u",
    "items/date=2024-02-03/part-0.parquet": "j",
}


def test_a_day_has_landed_when_its_events_have() -> None:
    assert list(days.by_day(MANIFEST)) == [dt.date(2024, 2, 1), dt.date(2024, 2, 2)]


def test_an_increment_reads_events_and_items_and_nothing_else() -> None:
    assert days.by_day(MANIFEST)[dt.date(2024, 2, 1)] == {
        "events/date=2024-02-01/part-0.parquet": "a1",
        "events/date=2024-02-01/part-1.parquet": "a2",
        "items/date=2024-02-01/part-0.parquet": "i",
    }
    assert days.by_day(MANIFEST).get(dt.date(2024, 1, 1), {}) == {}


def test_a_digest_names_the_content_whatever_the_order() -> None:
    files = days.by_day(MANIFEST)[dt.date(2024, 2, 1)]
    assert days.digest(files) == days.digest(dict(reversed(files.items())))
    assert days.digest(files) != days.digest(files | {"items/date=2024-02-01/part-0.parquet": "x"})
    assert days.digest({}) == "no file"


def test_a_closed_day_is_a_day_without_rows() -> None:
    closed = increment(partitions={})
    events = days.read_events(closed)
    assert list(events.columns) == list(COLUMNS)
    assert events.empty
    check_events(events, closed.day, "Europe/Berlin", "the calendar")
    assert list(days.read_items(closed).columns) == ["item_id"]


def test_a_file_that_is_no_parquet_is_a_day_to_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = "events/date=2024-02-01/part-0.parquet"
    file = workspace.DATA / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a spreadsheet, perhaps")
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    with pytest.raises(InvalidDayError, match=f"data/{path} is not readable.*Land the day again"):
        days.read_events(increment(partitions={path: md5}))


def test_a_file_that_is_not_the_landed_one_is_damage_and_not_a_bad_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = "events/date=2024-02-01/part-0.parquet"
    with pytest.raises(workspace.DamagedPartitionError, match="is missing"):
        days.read_events(increment(partitions={path: "1" * 32}))


def test_what_was_landed_is_what_is_read(place: Place) -> None:
    pinned = place.due()
    source = open_source(place.params.shop.source)
    pd.testing.assert_frame_equal(days.read_events(pinned), source.read_day(nth(1)).events)
    assert list(days.by_day(days.manifest()))[-LANDED:] == [nth(n + 1) for n in range(LANDED)]


def test_a_look_at_the_registry_shows_days_that_are_not_pulled(place: Place) -> None:
    newer = nth(LANDED + 1)
    land.land_day(open_source(place.params.shop.source), newer)
    locked = workspace.DATA_DVC.read_bytes()
    with days.look_at_registry(after=HISTORY_UNTIL) as looked:
        assert days.folder() == looked
        files = days.by_day(days.manifest())[newer]
        rows = days.read_events(increment(day=newer, partitions=files))
        assert len(rows) == len(open_source(place.params.shop.source).read_day(newer).events)
        assert {path.name for path in (looked / "events").iterdir()} == {
            f"date={nth(n)}" for n in range(2, LANDED + 2)
        }
    assert not looked.exists()
    assert days.folder() == workspace.DATA
    assert workspace.DATA_DVC.read_bytes() == locked
    assert newer not in days.by_day(days.manifest())

"""Anyone's table: columns are mapped, days are the shop's own, newcomers are of their day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lightning_modules.recommendation.purchases import purchases
from tasks.contract import check_events
from tasks.sources import SourceError, open_source
from tasks.sources.canonical import COLUMNS, DTYPES, EVENT_COLUMNS
from tests.shop import FIRST_DAY, write_shop

SECOND = FIRST_DAY + timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Any]:
    return write_shop(tmp_path, users=12, items=16, days=4)


def small(folder: Path, text: str, **settings: Any) -> dict[str, Any]:
    """A source of one CSV file with the columns `at,who,what`."""
    (folder / "sales.csv").write_text(text)
    columns = {"event_time": "at", "user_id": "who", "item_id": "what", "price": "paid"}
    return {
        "kind": "table",
        "events": str(folder / "sales.csv"),
        "columns": columns,
        "time_zone": "America/New_York",
        "event_type": "purchase",
        **settings,
    }


def test_events_have_the_canonical_columns_and_types(shop: dict[str, Any]) -> None:
    frames = open_source(shop).read_day(FIRST_DAY)
    assert list(frames.events) == list(EVENT_COLUMNS)
    for table, columns in COLUMNS.items():
        rows = frames.table(table)
        assert {name: str(rows[name].dtype) for name in columns} == {
            name: DTYPES[kind] for name, kind in columns.items()
        }
    assert frames.events["event_time"].is_monotonic_increasing
    assert frames.events["query"].isna().all()


def test_every_item_and_user_is_new_on_one_day_only(shop: dict[str, Any]) -> None:
    source = open_source(shop)
    days = dict(source.read_days(source.days()))
    items = pd.concat([frames.items for frames in days.values()])
    events = pd.concat([frames.events for frames in days.values()])
    assert items["item_id"].is_unique
    assert set(items["item_id"]) == set(events["item_id"])
    first = events.groupby("item_id")["event_time"].min().dt.tz_convert("Europe/Berlin").dt.date
    assert (items.set_index("item_id")["date"].dt.date.sort_index() == first).all()
    assert items["category"].notna().all()
    users = pd.concat([frames.users for frames in days.values()])
    assert set(users["user_id"]) == set(events["user_id"])
    assert "age" in users


def test_a_day_is_the_shops_own(tmp_path: Path) -> None:
    lines = "at,who,what,paid\n2024-03-02T04:30:00Z,u,i,1\n2024-03-02T05:30:00Z,u,i,1\n"
    source = open_source(small(tmp_path, lines))
    assert source.days() == [date(2024, 3, 1), date(2024, 3, 2)]


def test_a_local_stamp_is_read_in_the_shops_zone_or_the_stated_one(tmp_path: Path) -> None:
    lines = "at,who,what,paid\n2024-03-02 01:00:00,u,i,1\n"
    local = open_source(small(tmp_path, lines))
    utc = open_source(small(tmp_path, lines, stamp_zone="UTC"))
    assert (local.days(), utc.days()) == ([date(2024, 3, 2)], [date(2024, 3, 1)])


def test_an_hour_that_a_clock_change_leaves_out_loses_no_row(tmp_path: Path) -> None:
    lines = "at,who,what,paid\n2024-03-10 02:30:00,u,i,1\n2024-11-03 01:30:00,u,i,1\n"
    source = open_source(small(tmp_path, lines))
    assert [len(source.read_day(day).events) for day in source.days()] == [1, 1]


SPRING = date(2024, 3, 10)  # New York's clocks go from 2 to 3, and the offset from -5 to -4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2024-03-10T01:30:00-05:00", "2024-03-10T03:30:00-04:00"),
        ("2024-03-10T01:30:00-05:00", "2024-03-10T07:30:00Z"),
        ("2024-03-10 01:30:00.250 -0500", "2024-03-10 03:30:00.250 -0400"),
        ("20240310T013000-0500", "20240310T033000-0400"),
        ("03/10/2024 01:30 AM -0500", "03/10/2024 03:30 AM -0400"),
        ("2024-03-10T01:30:00-05:00", "2024-03-10T02:30:00-05:00"),
    ],
)
def test_stated_offsets_are_read_as_instants(tmp_path: Path, before: str, after: str) -> None:
    source = open_source(small(tmp_path, f"at,who,what,paid\n{before},u,i,1\n{after},u,i,1\n"))
    assert source.days() == [SPRING]
    times = source.read_day(SPRING).events["event_time"]
    assert times.dt.floor("min").astype("str").tolist() == [
        "2024-03-10 06:30:00+00:00",
        "2024-03-10 07:30:00+00:00",
    ]


def test_stated_offsets_in_parquet_are_read_as_instants(tmp_path: Path) -> None:
    stamps = ["2024-03-10T01:30:00-05:00", "2024-03-10T03:30:00-04:00"]
    instants = pd.to_datetime(pd.Series(stamps), utc=True)
    settings = small(tmp_path, "")
    found = []
    for number, at in enumerate([stamps, instants, instants.dt.tz_convert("Asia/Tokyo")]):
        file = tmp_path / f"{number}.parquet"
        pd.DataFrame({"at": at, "who": "u", "what": "i", "paid": 1.0}).to_parquet(file)
        source = open_source(settings | {"events": str(file)})
        found.append(source.read_day(SPRING).events["event_time"].tolist())
    assert found == [instants.tolist()] * 3


@pytest.mark.parametrize("lines", [[0, 1], [1, 0], [0, 2, 1]])
def test_stamps_with_and_without_an_offset_do_not_mix(tmp_path: Path, lines: list[int]) -> None:
    stamps = ["2024-03-10T01:30:00-05:00", "2024-03-10T03:30:00", "2024-03-10T03:30:00-04:00"]
    text = "".join(f"{stamps[line]},u,i,1\n" for line in lines)
    with pytest.raises(SourceError) as caught:
        open_source(small(tmp_path, "at,who,what,paid\n" + text)).days()
    message = str(caught.value)
    assert "sales.csv: column 'at'" in message
    assert f"row {lines.index(0)} states an offset from UTC, row {lines.index(1)}" in message
    assert "in every row, or in none. Correct" in message
    assert "2024-03-10" not in message


def test_a_purchase_of_a_shop_without_quantities_is_of_one_piece(tmp_path: Path) -> None:
    lines = "at,who,what,paid,kind\n"
    lines += "2024-03-02 10:00:00,u,i,1,purchase\n2024-03-02 11:00:00,u,j,,view\n"
    settings = small(tmp_path, lines, event_type=None)
    settings["columns"] |= {"event_type": "kind"}
    events = open_source(settings).read_day(date(2024, 3, 2)).events
    assert events["quantity"].tolist() == pytest.approx([1.0, float("nan")], nan_ok=True)
    assert purchases(events).item_ids == ["i"]
    check_events(events, date(2024, 3, 2), "America/New_York", "the day")


def test_a_quantity_that_is_mapped_is_never_made_up(tmp_path: Path) -> None:
    lines = "at,who,what,paid,units\n2024-03-02 10:00:00,u,i,1,\n2024-03-02 11:00:00,u,i,1,0\n"
    settings = small(tmp_path, lines)
    settings["columns"] |= {"quantity": "units"}
    found = open_source(settings).read_day(date(2024, 3, 2)).events["quantity"]
    assert found.tolist() == pytest.approx([float("nan"), 0.0], nan_ok=True)
    settings["columns"] |= {"quantity": "pieces"}
    assert "quantity" not in open_source(settings).read_day(date(2024, 3, 2)).events


def test_ids_come_from_content_and_tell_identical_rows_apart(tmp_path: Path) -> None:
    lines = [
        "2024-03-02 10:00:00,u,i,1\n",
        "2024-03-02 10:00:00,u,i,1\n",
        "2024-03-02 10:00:00,v,i,\n",
    ]
    day = date(2024, 3, 2)
    one = open_source(small(tmp_path, "at,who,what,paid\n" + "".join(lines))).read_day(day)
    other = open_source(small(tmp_path, "at,who,what,paid\n" + "".join(lines[::-1]))).read_day(day)
    assert one.events["event_id"].is_unique
    assert one.events["event_id"].str.endswith("-1").sum() == 1
    pd.testing.assert_frame_equal(one.events, other.events)


def test_an_event_id_that_the_shop_states_is_kept(shop: dict[str, Any]) -> None:
    assert open_source(shop).read_day(FIRST_DAY).events["event_id"].str.startswith("2024").all()


def test_parquet_is_read_like_csv(shop: dict[str, Any]) -> None:
    expected = open_source(shop).read_day(SECOND)
    file = Path(shop["events"]) / f"{SECOND}.csv"
    pd.read_csv(file).to_parquet(file.with_suffix(".parquet"))
    file.unlink()
    pd.testing.assert_frame_equal(open_source(shop).read_day(SECOND).events, expected.events)


def test_the_faults_of_the_made_up_shop_show(tmp_path: Path) -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range(4)]
    good = open_source(write_shop(tmp_path / "good", users=12, items=16, days=4))
    faults = open_source(
        write_shop(
            tmp_path / "bad",
            users=12,
            items=16,
            days=4,
            drift=days[3],
            omit=[days[0]],
            leave_out={days[1]: "sku"},
            duplicate=[days[2]],
        )
    )
    assert faults.days() == days[1:]
    assert "item_id" not in faults.read_day(days[1]).events
    twice = faults.read_day(days[2]).events
    assert len(twice) == 2 * len(good.read_day(days[2]).events)
    assert not twice["event_id"].is_unique
    before, after = good.read_day(days[3]).events, faults.read_day(days[3]).events
    assert after["price"].min() > before["price"].min()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,who,what,paid\n2024-03-02,u,i,1\n", r"sales\.csv: no column 'at' for event_time"),
        (
            "at,who,what,paid\n2024-03-02,u,i,1\n,u,i,1\n",
            r"sales\.csv: column 'at', row 1: there is no time stamp",
        ),
        (
            "at,who,what,paid\n2024-03-02,u,i,1\nnoon,u,i,1\n",
            r"sales\.csv: column 'at' cannot be read as time stamps: row 1 is none\. Correct",
        ),
        (
            "at,who,what,paid\n2024-03-02,u,i,cheap\n",
            r"sales\.csv: column 'paid', row 0: no number",
        ),
        ("", r"sales\.csv: not readable as csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(small(tmp_path, text)).days()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "tabel"}, "'complete_journey', 'table' or 'ta_feng'"),
        ({"time_zone": None, "zone": "UTC"}, "kind table.*zone"),
        ({"columns": {"when": "at"}}, "columns.*when"),
        ({"events": "/nowhere"}, "no file that ends in .csv"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    settings = small(tmp_path, "at,who,what,paid\n") | change
    with pytest.raises(SourceError, match=message):
        open_source(settings)

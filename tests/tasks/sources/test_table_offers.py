"""A table's offers: of the day they begin, or of the first open one after it."""

from datetime import date
from pathlib import Path

from tasks.sources import open_source
from tests.tasks.sources.test_table import small


def test_prices_are_of_the_day_they_start(tmp_path: Path) -> None:
    (tmp_path / "offers.csv").write_text("sku,start,end,tag\ni,2024-03-02,2024-03-08,0.5\n")
    columns = {"item_id": "sku", "date": "start", "until": "end", "price": "tag"}
    prices = {"file": str(tmp_path / "offers.csv"), "columns": columns}
    lines = "at,who,what,paid\n2024-03-02 10:00:00,u,i,1\n2024-03-03 10:00:00,u,i,1\n"
    source = open_source(small(tmp_path, lines, prices=prices))
    offers = source.read_day(date(2024, 3, 2)).prices
    assert offers["price"].tolist() == [0.5]
    assert offers["until"].dt.date.tolist() == [date(2024, 3, 8)]
    assert source.read_day(date(2024, 3, 3)).prices.empty


def test_offers_that_begin_on_a_closed_day_come_with_the_next_open_one(tmp_path: Path) -> None:
    begun = ["2024-02-20,2024-02-28", "2024-02-25,2024-03-05", "2024-03-03,2024-03-09"]
    lines = [f"i,{dates},0.{number}" for number, dates in enumerate(begun, 1)]
    (tmp_path / "offers.csv").write_text("\n".join(["sku,start,end,tag", *lines, ""]))
    columns = {"item_id": "sku", "date": "start", "until": "end", "price": "tag"}
    prices = {"file": str(tmp_path / "offers.csv"), "columns": columns}
    events = "at,who,what,paid\n2024-03-02 10:00:00,u,i,1\n2024-03-04 10:00:00,u,i,1\n"
    source = open_source(small(tmp_path, events, prices=prices))
    first, second = (source.read_day(date(2024, 3, day)).prices for day in (2, 4))
    assert first["price"].tolist() == [0.2]  # the first one of all was over
    assert second["price"].tolist() == [0.3]

"""The plots show the nights as they were."""

from pathlib import Path

import pytest

from tasks import charts
from tasks.ledger import Ledger
from tasks.nights import Night, nights
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made_up.write_nights(made)
    return made


@pytest.fixture
def known(ledger: Ledger) -> list[Night]:
    return nights(ledger, APPLICATION)


def test_decisions_lie_on_the_champions_line_and_other_fates_below_all_lines(
    ledger: Ledger,
) -> None:
    made_up.go_back_to(ledger, 8, 9)
    known = nights(ledger, APPLICATION)
    figure = charts.quality(known, ledger.champions(APPLICATION), "ndcg@10")
    assert figure is not None
    lines = {line["name"]: dict(zip(line["x"], line["y"], strict=True)) for line in figure["data"]}
    champion = lines["champion"]
    assert lines["promote"] == {"2017-10-08": champion["2017-10-08"]}
    assert lines["roll back"] == {"2017-10-06": champion["2017-10-06"]}
    assert set(lines["keep"]) == {"2017-10-03", "2017-10-04", "2017-10-07"}
    lowest = min(value for value in lines["naive"].values() if value is not None)
    assert lines["quarantined"]["2017-10-05"] < lowest
    assert lines["taken back"]["2017-10-08"] < lowest  # the day that the operator went back to


def test_drift_has_a_cell_for_every_column_and_day(known: list[Night]) -> None:
    figure = charts.drift(known)
    assert figure is not None
    heat, share = figure["data"]
    assert heat["y"] == sorted(made_up.COLUMNS, reverse=True)
    drift = known[0].drift
    assert drift is not None
    price = heat["z"][heat["y"].index("price")]
    assert price[0] == drift.columns["price"].psi
    assert [known[i].day.day for i, cell in enumerate(price) if cell is None] == [5, 7, 9]
    assert share["x"] == ["2017-10-03", "2017-10-04", "2017-10-06", "2017-10-08"]
    assert share["y"][0] == drift.share


def test_the_last_curves_are_shown_newest_last(known: list[Night]) -> None:
    figure = charts.curves(known)
    assert figure is not None
    assert [line["name"][-2:] for line in figure["data"]] == ["03", "04", "06", "08", "09"]
    assert figure["data"][0]["x"][:3] == [0, 1, 2]
    many = charts.curves(known * 3)
    assert many is not None
    assert len(many["data"]) == charts.LAST_CURVES


def test_seconds_are_stacked_in_the_order_of_the_night(known: list[Night]) -> None:
    known[0].seconds["a step of tomorrow"] = 1.5
    figure = charts.seconds(known)
    assert figure is not None
    assert [bar["name"] for bar in figure["data"]] == [
        "validate",
        "prequential",
        "drift",
        "fine tune",
        "promote",
        "a step of tomorrow",
    ]
    assert figure["data"][-1]["y"] == [1.5, 0, 0, 0, 0, 0]


def test_nothing_to_show_is_no_figure() -> None:
    assert charts.quality([], [], "ndcg@10") is None
    assert charts.drift([]) is None
    assert charts.curves([]) is None
    assert charts.seconds([]) is None

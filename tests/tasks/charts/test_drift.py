"""Drift of columns and days, with what was done about it."""

from tasks import charts
from tasks.nights import Night
from tests.tasks import made_up_nights as made_up


def test_drift_has_a_cell_for_every_column_and_day(known: list[Night]) -> None:
    figure = charts.drift(known)
    assert figure is not None
    heat, share, *_ = figure["data"]
    assert heat["y"] == sorted(made_up.COLUMNS, reverse=True)
    drift = known[0].drift
    assert drift is not None
    price = heat["z"][heat["y"].index("price")]
    assert price[0] == drift.columns["price"].psi
    assert [known[i].day.day for i, cell in enumerate(price) if cell is None] == [5, 7, 9]
    assert share["x"] == ["2017-10-03", "2017-10-04", "2017-10-06", "2017-10-08"]
    assert share["y"][0] == drift.share


def test_beside_each_day_stands_what_the_night_did_about_it(known: list[Night]) -> None:
    figure = charts.drift(known)
    assert figure is not None
    answers = {line["name"]: line["x"] for line in figure["data"][2:]}
    assert {name: [day[-1] for day in days] for name, days in answers.items()} == {
        "fine tune": ["3", "4", "6", "8", "9"],
        "skip": ["7"],
        "not learned": ["5"],
    }
    (lost,) = figure["data"][-1]["text"]
    assert lost == "column 'quantity' is missing"

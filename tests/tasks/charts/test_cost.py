"""What a night costs."""

import pytest

from tasks import charts
from tasks.nights import Night
from tasks.records import Plan
from tests.tasks.made_up_nights import date


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


def test_the_last_full_fit_stands_beside_every_night(known: list[Night]) -> None:
    figure = charts.cost(known, (date(2), 95.0))
    assert figure is not None
    full, night, learning = figure["data"]
    assert full["y"] == [95.0] * 6
    assert night["y"][0] == pytest.approx(sum(known[0].seconds.values()))
    assert learning["y"][0] == known[0].seconds["fine_tune"]


def test_a_full_retrain_is_the_new_measure_and_no_increment(known: list[Night]) -> None:
    plan = Plan(action="full_retrain", reasons=("an operator chose full retrain",))
    object.__setattr__(known[3], "plan", plan)
    known[3].seconds["fine_tune"] = 80.0
    figure = charts.cost(known, (date(2), 95.0))
    assert figure is not None
    full, _, learning = figure["data"]
    assert full["y"] == [95.0, 95.0, 80.0, 80.0, 80.0, 80.0]
    assert str(date(6)) not in learning["x"]


def test_a_line_whose_first_fit_was_not_timed_shows_the_nights_alone(known: list[Night]) -> None:
    figure = charts.cost(known, None)
    assert figure is not None
    assert [line["name"] for line in figure["data"]] == ["whole night", "its learning"]

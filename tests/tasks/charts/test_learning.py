"""What a night taught, and what it forgot."""

from tasks import charts
from tasks.charts.learning import LAST_CURVES
from tasks.nights import Night


def test_the_last_curves_are_shown_newest_last(known: list[Night]) -> None:
    figure = charts.curves(known)
    assert figure is not None
    assert [line["name"][-2:] for line in figure["data"]] == ["03", "04", "06", "08", "09"]
    assert figure["data"][0]["x"][:3] == [0, 1, 2]
    assert figure["data"][0]["customdata"][0] == "2017-10-03"  # a click opens the day
    many = charts.curves(known * 3)
    assert many is not None
    assert len(many["data"]) == LAST_CURVES


def test_forgetting_has_a_cell_for_every_night_and_past_day() -> None:
    figure = charts.forgetting(
        {
            "2017-10-03": {"2017-10-01": (0.2, 4)},
            "2017-10-05": {"2017-10-01": (-0.1, 3), "2017-10-02": (0.0, 1)},
        }
    )
    assert figure is not None
    (heat,) = figure["data"]
    assert heat["x"] == ["2017-10-03", "2017-10-04", "2017-10-05"]
    assert heat["y"] == ["2017-10-01", "2017-10-02"]
    assert heat["z"] == [[0.2, None, -0.1], [None, None, 0.0]]
    assert heat["customdata"] == [[4, None, 3], [None, None, 1]]
    assert (heat["zmin"], heat["zmax"]) == (-0.2, 0.2)

"""New ids and growing tables."""

import pytest

from tasks import charts
from tasks.nights import Night
from tests.tasks.made_up_nights import date


def test_the_share_of_new_ids_and_the_rows_since_the_first_day(known: list[Night]) -> None:
    figure = charts.growth(known)
    assert figure is not None
    new, rows = figure["data"]  # these nights count no items
    assert (new["name"], rows["name"]) == ("new users", "rows of users")
    assert new["x"] == [str(date(n)) for n in (3, 4, 6, 7, 8, 9)]
    assert new["y"][0] == pytest.approx(3 / 350)
    assert rows["y"][-1] == pytest.approx(2449 / 2443 - 1)
    assert rows["text"][-1] == "2,449 users known before the day"

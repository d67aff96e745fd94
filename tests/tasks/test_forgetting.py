"""The losses on past days, night by night."""

import pandas as pd
import pytest

from tasks import forgetting, reference
from tasks.nights import Night, beside
from tests.tasks.made_up_nights import APPLICATION, date, name


def test_the_mean_rise_of_each_past_day(known: list[Night]) -> None:
    found = forgetting.forgetting(APPLICATION, known)
    assert list(found) == [str(date(n)) for n in (3, 4, 6, 8, 9)]  # 5 and 7 had no challenger
    assert found[str(date(8))] == {
        str(date(1)): (0.5, 1),
        str(date(2)): (-0.25, 1),
        forgetting.UNDATED: (8.0, 1),
    }


def test_many_past_days_are_shown_by_the_week(
    known: list[Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "MOST_DAYS", 1)
    past = forgetting.forgetting(APPLICATION, known)[str(date(8))]
    assert past["week of 2017-09-25"] == (0.5, 1)  # the first was a Sunday
    assert past["week of 2017-10-02"] == (-0.25, 1)


def test_a_file_of_an_older_release_has_no_days(known: list[Night]) -> None:
    file = beside(APPLICATION, name(8), forgetting.FILE)
    old = reference.read_frame(file).drop(columns="day")
    reference.write_frame(pd.DataFrame(old), file)
    ((day, (rise, units)),) = forgetting.forgetting(APPLICATION, known)[str(date(8))].items()
    assert (day, units) == (forgetting.UNDATED, 3)
    assert rise == pytest.approx(8.25 / 3)


def test_a_night_whose_file_was_collected_is_left_out(known: list[Night]) -> None:
    beside(APPLICATION, name(8), forgetting.FILE).unlink()
    assert str(date(8)) not in forgetting.forgetting(APPLICATION, known)

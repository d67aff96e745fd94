"""Drift: found where the shop has changed, and never called absent where it was not looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import evidently
import pandas as pd
import pytest

from tasks import prequential, reference
from tasks.attempt import open_attempt
from tasks.drift import DAYS_KNOWN, FILE, PAGE, drift
from tasks.records import Drift
from tasks.sources import open_source
from tests.line import APPLICATION, HISTORY_DAYS, Place, attempt, land_instead, nth
from tests.shop import write_shop


def measured(place: Place, edit: Callable[[pd.DataFrame], pd.DataFrame] | None = None) -> Drift:
    if edit:
        land_instead(place, nth(1), edit)
    return drift(place.due(), place.params, attempt())


def change_past(edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    past = reference.read(attempt() / "parent")
    (attempt() / "parent" / reference.FILE).unlink()  # a link: the store keeps its own
    reference.write(edit(past), attempt() / "parent")


@pytest.mark.fault(39)
def test_a_day_like_the_days_before_has_not_drifted(evening: Place) -> None:
    found = Drift.read(attempt() / FILE)
    assert (found.evaluated, found.detected) == (True, False)
    # Of history only the six check days were scored, and six days are no reference yet.
    assert set(found.columns) == set(reference.COLUMNS) - {"score"}
    assert found.columns["price"].psi < 0.1
    assert "<html" in (attempt() / PAGE).read_text()[:1000].lower()
    again = measured(evening)
    assert again == found


def test_a_shop_that_has_changed_is_noticed(evening: Place, tmp_path: Path) -> None:
    changed = open_source(write_shop(tmp_path / "shop", days=HISTORY_DAYS + 1, drift=nth(1)))
    found = measured(evening, lambda events: changed.read_day(nth(1)).events)
    assert found.evaluated
    assert found.columns["price"].drifted
    assert found.columns["item_bucket"].drifted
    assert not found.columns["event_type"].drifted
    assert found.share == pytest.approx(
        sum(column.drifted for column in found.columns.values()) / len(found.columns)
    )
    sensitive = evening.params.application(APPLICATION).drift.model_copy(
        update={"share_threshold": found.share}
    )
    section = evening.params.application(APPLICATION).model_copy(update={"drift": sensitive})
    params = evening.params.model_copy(update={"applications": {APPLICATION: section}})
    judged = drift(evening.due(), params, attempt())
    assert judged.detected
    assert "price" in judged.reason


@pytest.mark.fault(9)
def test_evidentlys_page_runs_nothing_that_the_data_says(evening: Place) -> None:
    script = "</script><script>steal()</script>"

    def edit(events: pd.DataFrame) -> pd.DataFrame:
        return events.assign(event_type=events["event_type"].where(events.index % 3 > 0, script))

    land_instead(evening, nth(1), edit)
    section = evening.params.application(APPLICATION)
    every = section.drift.model_copy(update={"event_types": ()})
    sections = {APPLICATION: section.model_copy(update={"drift": every})}
    params = evening.params.model_copy(update={"applications": sections})
    found = drift(evening.due(), params, attempt())
    assert found.columns["event_type"].drifted
    page = (attempt() / PAGE).read_text()
    assert script not in page
    assert "steal()" in page


def test_a_column_that_lost_its_values_is_not_no_drift(evening: Place) -> None:
    found = measured(evening, lambda events: events.assign(price=float("nan")))
    assert (found.evaluated, found.detected) == (False, False)
    assert found.reason == "ValueError: no values today in: price"


@pytest.mark.parametrize(("lost", "column"), [("channel", "channel"), ("item_id", "item_bucket")])
def test_an_id_that_lost_its_values_is_not_no_drift(
    evening: Place, lost: str, column: str
) -> None:
    found = measured(evening, lambda events: events.assign(**{lost: None}))
    assert (found.evaluated, found.detected) == (False, False)
    assert found.reason == f"ValueError: no values today in: {column}"


def test_a_rising_share_of_nulls_is_drift(evening: Place) -> None:
    found = measured(
        evening,
        lambda events: events.assign(channel=events["channel"].mask(events.index % 4 == 0)),
    )
    assert found.evaluated
    assert found.columns["channel"].drifted


def test_an_exception_of_the_tool_is_not_no_drift(
    evening: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any, **named: Any) -> None:
        raise KeyError("column_type")

    monkeypatch.setattr(evidently.Report, "run", broken)
    found = measured(evening)
    assert not found.evaluated
    assert "KeyError" in found.reason
    assert Drift.read(attempt() / FILE) == found
    assert "could not be evaluated" in caplog.text


@pytest.mark.parametrize(
    ("column", "nothing"), [("discount", float("nan")), ("channel", reference.MISSING)]
)
def test_a_reference_without_a_column_leaves_it_out(
    evening: Place, column: str, nothing: float | str
) -> None:
    change_past(lambda past: past.assign(**{column: nothing}))
    found = measured(evening)
    assert found.evaluated
    assert set(found.columns) == set(reference.COLUMNS) - {"score", column}


@pytest.mark.parametrize(
    ("length", "known", "compared"),
    [(10, DAYS_KNOWN, True), (10, DAYS_KNOWN - 1, False), (3, 3, True), (3, 2, False)],
)
def test_a_column_is_compared_once_seven_days_or_all_have_it(
    evening: Place, length: int, known: int, compared: bool
) -> None:
    def newest(past: pd.DataFrame) -> pd.DataFrame:
        days = sorted(past["day"].unique())[-length:]
        past = past[past["day"].isin(days)]
        unknown = ~past["day"].isin(days[-known:])
        return past.assign(
            discount=past["discount"].mask(unknown),
            channel=past["channel"].mask(unknown, reference.MISSING),
        )

    change_past(newest)
    found = measured(evening)
    assert found.evaluated
    assert [name in found.columns for name in ("discount", "channel")] == [compared] * 2


def test_the_models_own_score_is_compared_as_soon_as_enough_days_have_it(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    prequential.prequential(increment, seasoned.params, where)
    found = drift(increment, seasoned.params, where)
    assert set(found.columns) == set(reference.COLUMNS)
    assert found.columns["score"].psi < 0.5  # of 25 lists, too few for the threshold of a shop
    table = reference.read_frame(where / prequential.UNITS)
    reference.write_frame(table.assign(score=table["score"] + 3), where / prequential.UNITS)
    surer = drift(increment, seasoned.params, where)
    assert surer.columns["score"].drifted
    assert surer.columns["score"].psi > 3


def test_a_closed_day_has_not_drifted(evening: Place) -> None:
    closed = evening.due().model_copy(update={"partitions": {}})
    found = drift(closed, evening.params, attempt())
    assert (found.evaluated, found.detected, found.reason) == (True, False, "the shop was closed")


def test_beside_each_index_stands_how_unusual_it_is(evening: Place, tmp_path: Path) -> None:
    still = Drift.read(attempt() / FILE)
    p = {name: column.p for name, column in still.columns.items()}
    assert None not in p.values()
    assert min(value for value in p.values() if value is not None) > 0.001
    changed = open_source(write_shop(tmp_path / "shop", days=HISTORY_DAYS + 1, drift=nth(1)))
    found = measured(evening, lambda events: changed.read_day(nth(1)).events)
    price = found.columns["price"]
    assert price.p is not None
    assert price.today is not None
    assert price.usual is not None
    assert price.p < 1e-4
    assert price.today > 3 * price.usual
    assert found.columns["event_type"].p == pytest.approx(0.5)


def test_a_column_that_few_days_have_says_nothing_of_what_is_usual(evening: Place) -> None:
    def newest(past: pd.DataFrame) -> pd.DataFrame:
        past = past[past["day"].isin(sorted(past["day"].unique())[-3:])]
        return past.reset_index(drop=True)

    change_past(newest)
    found = measured(evening)
    assert found.evaluated
    assert all(column.p is None for column in found.columns.values())

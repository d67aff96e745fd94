"""Drift: found where the shop has changed, and never called absent where it was not looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import evidently
import pandas as pd
import pytest

from tasks import reference
from tasks.drift import FILE, PAGE, drift
from tasks.records import Drift
from tasks.sources import open_source
from tests.line import APPLICATION, HISTORY_DAYS, Place, attempt, land_instead, nth
from tests.shop import write_shop


def measured(place: Place, edit: Callable[[pd.DataFrame], pd.DataFrame] | None = None) -> Drift:
    if edit:
        land_instead(place, nth(1), edit)
    return drift(place.due(), place.params, attempt())


def test_a_day_like_the_days_before_has_not_drifted(evening: Place) -> None:
    found = Drift.read(attempt() / FILE)
    assert (found.evaluated, found.detected) == (True, False)
    # Nobody scored the days of history, so there is nothing yet to compare the score with.
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


def test_a_column_that_lost_its_values_is_not_no_drift(evening: Place) -> None:
    found = measured(evening, lambda events: events.assign(price=float("nan")))
    assert (found.evaluated, found.detected) == (False, False)
    assert found.reason == "ValueError: no values today in: price"


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


def test_a_reference_without_a_column_leaves_it_out(evening: Place) -> None:
    past = reference.read(attempt() / "parent")
    (attempt() / "parent" / reference.FILE).unlink()  # a link: the store keeps its own
    reference.write(past.assign(discount=float("nan")), attempt() / "parent")
    found = measured(evening)
    assert found.evaluated
    assert "discount" not in found.columns


def test_a_closed_day_has_not_drifted(evening: Place) -> None:
    closed = evening.due().model_copy(update={"partitions": {}})
    found = drift(closed, evening.params, attempt())
    assert (found.evaluated, found.detected, found.reason) == (True, False, "the shop was closed")

"""Whatever a day's table holds, it keeps the contract or is refused by name, with the cure."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.contract import COLUMNS, OPTIONAL_NUMBER, OPTIONAL_TEXT, InvalidDayError, check_events
from tasks.days import no_events

pytestmark = pytest.mark.fault(13, 33)
ZONES = ("Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Apia")
# Spring forward, fall back (both sides of the ocean), a leap day, ends of month and year, any day.
DAYS = (
    *(dt.date(2024, 3, 31), dt.date(2024, 10, 27), dt.date(2024, 3, 10), dt.date(2024, 11, 3)),
    *(dt.date(2024, 2, 29), dt.date(2024, 12, 31), dt.date(2024, 4, 30), dt.date(2024, 2, 1)),
)
NAME = "data/events/date=x"
Frame = pd.DataFrame


def good(rows: int, day: dt.date, zone: str, seed: int = 0) -> Frame:
    """A day that keeps the contract, its events all over the shop's day, first second and last."""
    start = pd.Timestamp(day, tz=ZoneInfo(zone))
    end = pd.Timestamp(day + dt.timedelta(days=1), tz=ZoneInfo(zone))
    seconds = int((end - start).total_seconds())
    random = np.random.default_rng(seed)
    at = sorted([seconds - 1, 0, *random.integers(seconds, size=rows)][:rows])
    frame = no_events().reindex(range(len(at)))
    frame["event_id"] = [f"e{row}" for row in range(len(at))]
    frame["event_time"] = (start.tz_convert("UTC") + pd.to_timedelta(at, unit="s")).as_unit("us")
    frame["event_type"], frame["user_id"], frame["item_id"] = "purchase", "u1", "i1"
    frame["price"], frame["quantity"], frame["discount"] = 2.5, 1.0, 0.0
    texts = ("event_id", "event_type", "user_id", *OPTIONAL_TEXT)
    return frame.astype(dict.fromkeys(texts, "str"))


def refusal(frame: Frame, day: dt.date, zone: str) -> str | None:
    """Why the day is refused, None if it is taken; any other error is the test's."""
    try:
        check_events(frame, day, zone, NAME)
    except InvalidDayError as problem:
        message = str(problem)
        assert message.startswith(f"{NAME} breaks the contract: column '")
        assert message.endswith("land the day again.")
        assert len(message) < 2000
        assert problem.faults
        assert all(fault.column for fault in problem.faults)
        return message
    return None


PLACES = {"day": st.sampled_from(DAYS), "zone": st.sampled_from(ZONES)}


@settings(max_examples=30)
@given(rows=st.integers(0, 6), **PLACES)
def test_a_whole_day_is_taken_whatever_the_clocks_did(rows: int, day: dt.date, zone: str) -> None:
    """Of 23, 24 or 25 hours, and of no row, one or some."""
    assert refusal(good(rows, day, zone), day, zone) is None


@settings(max_examples=20)
@given(beyond=st.sampled_from([-1, 1]), **PLACES)
def test_a_second_beyond_the_shops_own_day_is_another_day(
    beyond: int, day: dt.date, zone: str
) -> None:
    frame = good(4, day, zone)
    edge = frame["event_time"].min() if beyond < 0 else frame["event_time"].max()
    row = int(frame.index[frame["event_time"] == edge][0])
    frame.loc[row, "event_time"] = edge + pd.Timedelta(seconds=beyond)
    said = refusal(frame, day, zone)
    assert said is not None
    assert f"column 'event_time', row {row}: " in said
    assert f"is not on {day} in {zone}" in said


@settings(max_examples=25)
@given(column=st.sampled_from(COLUMNS), rows=st.integers(0, 4))
def test_a_missing_column_is_named(column: str, rows: int) -> None:
    frame = good(rows, DAYS[-1], "UTC").drop(columns=column)
    assert f"column '{column}' is missing" in (refusal(frame, DAYS[-1], "UTC") or "")


@settings(max_examples=10)
@given(name=st.text(min_size=1, max_size=8).filter(lambda name: name not in COLUMNS))
def test_a_column_too_many_is_named(name: str) -> None:
    frame = good(3, DAYS[-1], "UTC").assign(**{name: 1})
    assert f"column '{name}' is not in the contract" in (refusal(frame, DAYS[-1], "UTC") or "")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("rows", [1, 4])
def test_a_column_of_nulls_is_taken_only_where_it_may_be_empty(column: str, rows: int) -> None:
    frame = good(rows, DAYS[-1], "UTC")
    frame[column] = pd.Series([None] * len(frame)).astype(frame[column].dtype)
    said = refusal(frame, DAYS[-1], "UTC")
    if column in (*OPTIONAL_TEXT, *OPTIONAL_NUMBER) and column != "quantity":
        assert said is None
    else:
        assert f"column '{column}', row 0: " in (said or "")
        assert "is not filled in" in (said or "")


TYPES: dict[str, Callable[[int], Any]] = {
    "whole numbers": lambda rows: np.arange(rows),
    "fractions": lambda rows: np.arange(rows) + 0.5,
    "truths": lambda rows: np.ones(rows, bool),
    "texts": lambda rows: pd.Series([f"text {row}" for row in range(rows)], dtype="str"),
    "lists": lambda rows: pd.Series([[row] for row in range(rows)], dtype=object),
    "mixed": lambda rows: pd.Series(
        [[1, "a", None, 2.5][row % 4] for row in range(rows)], dtype=object
    ),
    "times without a zone": lambda rows: pd.date_range("2024-02-01", periods=rows, unit="us"),
    "nanoseconds": lambda rows: pd.date_range("2024-02-01", periods=rows, tz="UTC", unit="ns"),
    "another zone": lambda rows: pd.date_range(
        "2024-02-01", periods=rows, tz="Asia/Tokyo", unit="us"
    ),
    "categories": lambda rows: pd.Categorical([f"c{row}" for row in range(rows)]),
    "bytes": lambda rows: pd.Series([b"x"] * rows, dtype=object),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("column", ["event_id", "event_time", "user_id", "item_id", "price"])
def test_a_column_of_another_type_is_named(column: str, kind: str) -> None:
    frame = good(4, DAYS[-1], "UTC").assign(**{column: TYPES[kind](4)})
    said = refusal(frame, DAYS[-1], "UTC")
    right = {"price": "fractions"}.get(column, "texts")
    if kind == right and column != "event_time":
        assert said is None
    else:
        assert f"column '{column}'" in (said or "")


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([-0.0, 1e308, -1e-300])
)


@settings(max_examples=60)
@given(values=st.lists(NUMBERS, min_size=1, max_size=5), column=st.sampled_from(OPTIONAL_NUMBER))
def test_any_number_is_taken_or_named(values: list[float], column: str) -> None:
    frame = good(len(values), DAYS[-1], "UTC")
    frame[column] = pd.Series(values[: len(frame)], dtype="float64")
    bad = [row for row, value in enumerate(frame[column]) if not fits(column, value)]
    said = refusal(frame, DAYS[-1], "UTC")
    assert (said is None) == (not bad)
    assert not bad or f"column '{column}', row {bad[0]}: " in (said or "")


def fits(column: str, value: float) -> bool:
    """What the contract says of one number."""
    if np.isnan(value):
        return column != "quantity"
    if np.isinf(value):
        return False
    return {"price": value >= 0, "propensity": 0 <= value <= 1}.get(column, True)


@settings(max_examples=20)
@given(copies=st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_rows_that_came_twice_are_named(copies: list[int]) -> None:
    frame = good(4, DAYS[-1], "UTC")
    doubled = pd.concat([frame, frame.loc[copies]], ignore_index=True)
    said = refusal(doubled, DAYS[-1], "UTC")
    assert f"column 'event_id', row {min(copies)}: the value is not unique" in (said or "")


def test_a_table_whose_rows_are_numbered_from_elsewhere_is_the_same_table() -> None:
    frame = good(4, DAYS[-1], "UTC")
    assert refusal(frame.set_index(pd.Index([7, 7, 9, 2])), DAYS[-1], "UTC") is None
    assert refusal(frame.iloc[::-1], DAYS[-1], "UTC") is None

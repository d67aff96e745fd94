"""The contract names what is wrong, where, and what to do."""

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.contract import COLUMNS, InvalidDayError, check_events
from tasks.days import no_events

DAY = dt.date(2024, 2, 1)
ZONE = "Europe/Berlin"
NAME = "data/events/date=2024-02-01"


def good(rows: int = 4) -> pd.DataFrame:
    """A day that keeps the contract."""
    frame = no_events().reindex(range(rows))
    frame["event_id"] = [f"e{row}" for row in range(rows)]
    frame["event_time"] = pd.date_range("2024-02-01T08:00Z", periods=rows, freq="min", unit="us")
    frame["event_type"], frame["user_id"], frame["item_id"] = "purchase", "u1", "i1"
    frame["price"], frame["quantity"], frame["discount"] = 2.5, 1.0, 0.0
    texts = ("event_id", "event_type", "user_id", "session_id", "item_id", "query", "channel")
    return frame.astype(dict.fromkeys(texts, "str"))


def put(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[2] = value
        return frame.assign(**{column: pd.Series(values, dtype=frame[column].dtype)})

    return edit


def check(frame: pd.DataFrame) -> str:
    with pytest.raises(InvalidDayError) as caught:
        check_events(frame, DAY, ZONE, NAME)
    return str(caught.value)


def test_a_good_day_and_an_empty_one_pass() -> None:
    check_events(good(), DAY, ZONE, NAME)
    check_events(no_events(), DAY, ZONE, NAME)
    assert list(good().columns) == list(COLUMNS)


NIGHT_BEFORE = pd.Timestamp("2024-01-31T22:30Z")  # 23:30 in Berlin, still the day before


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (put("price", -1.0), "column 'price', row 2: -1.0 is not zero or more"),
        (put("price", float("inf")), "column 'price', row 2: inf is not finite"),
        (put("quantity", float("-inf")), "column 'quantity', row 2: -inf is not finite"),
        (
            put("quantity", float("nan")),
            "column 'quantity', row 2: nan is not filled in for a purchase",
        ),
        (put("propensity", 1.5), "column 'propensity', row 2: 1.5 is not between 0 and 1"),
        (put("user_id", None), "column 'user_id', row 2: the value is not filled in"),
        (put("user_id", ""), "column 'user_id', row 2: the value is not filled in"),
        (put("event_id", "e1"), "column 'event_id', row 1: the value is not unique"),
        (put("event_time", NIGHT_BEFORE), "row 2: 2024-01-31 22:30:00+00:00 is not on 2024-02-01"),
        (lambda frame: frame.drop(columns="price"), "column 'price' is missing"),
        (lambda frame: frame.drop(columns="event_type"), "column 'event_type' is missing"),
        (lambda frame: frame.assign(loyalty=1), "column 'loyalty' is not in the contract"),
        (
            lambda frame: frame.assign(price="2,50"),
            "column 'price', row 0: the value is not dtype('float",
        ),
    ],
)
def test_each_fault_is_named_with_its_place_and_the_cure(
    edit: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    message = check(edit(good()))
    assert said in message
    assert message.startswith(f"{NAME} breaks the contract: ")
    assert message.endswith("Correct the source and land the day again.")


def test_only_a_purchase_needs_a_quantity_and_zero_is_one() -> None:
    check_events(put("quantity", 0.0)(good()), DAY, ZONE, NAME)
    check_events(put("event_type", "view")(put("quantity", None)(good())), DAY, ZONE, NAME)


def test_a_feed_that_lost_its_quantities_is_no_empty_day() -> None:
    message = check(good(500).assign(quantity=float("nan")))
    assert "column 'quantity', row 0: nan is not filled in for a purchase" in message
    assert "(and 495 more)" in message


@pytest.mark.fault(33)
def test_the_day_is_the_shops_own() -> None:
    late = put("event_time", pd.Timestamp("2024-01-31T23:30Z"))(good())  # 00:30 in Berlin
    check_events(late, DAY, ZONE, NAME)
    with pytest.raises(InvalidDayError, match="on 2024-02-01 in America/New_York"):
        check_events(late, DAY, "America/New_York", NAME)


def test_a_broken_file_does_not_fill_the_screen() -> None:
    message = check(good(500).assign(price=-1.0))
    assert "(and 495 more)" in message
    assert len(message) < 1000


TIMES = st.integers(0, 24 * 3600 - 1)
PRICES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=True))


@pytest.mark.fault(13)
@settings(max_examples=25)
@given(st.lists(st.tuples(TIMES, PRICES, st.text(max_size=3)), min_size=1, max_size=8))
def test_any_day_is_taken_or_refused_by_name(rows: list[tuple[int, float | None, str]]) -> None:
    midnight = pd.Timestamp("2024-02-01", tz=ZONE)
    frame = good(len(rows))
    stamps = [midnight + pd.Timedelta(seconds=second) for second, _, _ in rows]
    frame["event_time"] = pd.to_datetime(stamps, utc=True).as_unit("us")
    frame["price"] = pd.Series([price for _, price, _ in rows], dtype="float64")
    frame["user_id"] = pd.Series([user for _, _, user in rows], dtype="str")
    right = all(user for _, _, user in rows) and all(
        price is None or 0 <= price < float("inf") for _, price, _ in rows
    )
    if right:
        check_events(frame, DAY, ZONE, NAME)
    else:
        assert "row" in check(frame)

"""The contract of a day of events, checked before anything else looks at it."""

import datetime as dt
from collections.abc import Hashable
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from tasks.faults import Fault

REQUIRED = ("event_id", "event_time", "event_type", "user_id")
OPTIONAL_TEXT = ("session_id", "item_id", "query", "channel")
OPTIONAL_NUMBER = ("price", "quantity", "discount", "propensity")
SHOWN = ("event_time", *OPTIONAL_NUMBER)  # columns whose values a message may name
COLUMNS = (
    "event_id",
    "event_time",
    "event_type",
    "user_id",
    "session_id",
    "item_id",
    "query",
    "price",
    "quantity",
    "discount",
    "channel",
    "propensity",
)


ON = "on "  # how the rule begins that an event lies on the day
FIRST_ROWS = 5  # of each fault that are named


class InvalidDayError(ValueError):
    """The day cannot be read, breaks the contract or a limit: it is set aside, not learned."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


def check_events(events: pd.DataFrame, day: dt.date, time_zone: str, name: str) -> None:
    """Raise InvalidDayError, naming `name`, the column and the first bad row, or return.

    Columns and types are the canonical ones, event ids are unique, times lie on the shop's own
    calendar `day` in `time_zone` (a row that comes late is landed with its own day: a correction
    of that day), numbers are finite, prices are not negative, and every purchase has a quantity,
    be it zero: a feed that lost them would read as a day of no purchase.
    """
    import pandera.pandas as pa  # 0.4 s, and only here

    zone = ZoneInfo(time_zone)
    on_the_day = pa.Check(
        lambda times: times.dt.tz_convert(zone).dt.date == day,
        error=f"{ON}{day} in {time_zone}",
    )
    finite = pa.Check(lambda numbers: numbers.abs() < float("inf"), error="finite")
    once = pa.Check(lambda ids: ~ids.duplicated(keep=False), error="unique")
    written = pa.Check.str_length(min_value=1, error="filled in")
    kind = events.get("event_type", pd.Series("", index=events.index))  # missing: its own fault
    bought = kind.isin(["purchase"])
    counted = pa.Check(
        lambda quantity: quantity.notna() | ~bought,
        error="filled in for a purchase",
        ignore_na=False,
    )
    columns = {
        "event_id": pa.Column(str, [written, once]),
        "event_time": pa.Column(pd.DatetimeTZDtype("us", "UTC"), on_the_day),
        "event_type": pa.Column(str, written),
        "user_id": pa.Column(str, written),
        **{column: pa.Column(str, nullable=True) for column in OPTIONAL_TEXT},
        "price": pa.Column(float, [finite, pa.Check.ge(0, error="zero or more")], nullable=True),
        "quantity": pa.Column(float, [finite, counted], nullable=True),
        "discount": pa.Column(float, finite, nullable=True),
        "propensity": pa.Column(
            float, pa.Check.in_range(0, 1, error="between 0 and 1"), nullable=True
        ),
    }
    schema = pa.DataFrameSchema(columns, strict=True)
    try:
        schema.validate(events, lazy=True)
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
        kinds = cases[cases["check"].astype(str).str.startswith("dtype(")]
        if len(kinds):  # where the type is wrong, other checks of the values mean nothing
            cases = kinds
        raise InvalidDayError(_explain(cases, name), _faults(cases)) from None


def _explain(cases: pd.DataFrame, name: str) -> str:
    """The first few faults as one line each, then the cure."""
    lines = [_fault(case) for case in cases.head(5).to_dict("records")]
    more = f" (and {len(cases) - 5} more)" if len(cases) > 5 else ""
    late = cases["check"].astype(str).str.startswith(ON).any()
    cure = "Rows of another day are landed with that day. " if late else ""
    return (
        f"{name} breaks the contract: {'; '.join(lines)}{more}. "
        f"{cure}Correct the source and land the day again."
    )


def _fault(case: dict[Hashable, Any]) -> str:
    """Where and why; the value only where it can be nobody's id: messages are kept and shown."""
    check = str(case["check"])
    if check == "column_in_dataframe":
        return f"column '{case['failure_case']}' is missing"
    if check == "column_in_schema":
        return f"column '{case['failure_case']}' is not in the contract"
    row = "" if pd.isna(case["index"]) else f", row {int(case['index'])}"
    shown = case["column"] in SHOWN and not check.startswith("dtype(")
    value = case["failure_case"] if shown else "the value"
    return f"column '{case['column']}'{row}: {value} is not {_rule(check)}"


def _rule(check: str) -> str:
    return {"not_nullable": "filled in"}.get(check, check)


def _faults(cases: pd.DataFrame) -> tuple[Fault, ...]:
    """All faults, by column and rule: how many rows, and the first of them."""
    found = []
    about_columns = {"column_in_dataframe": "there", "column_in_schema": "in the contract"}
    for case in cases[cases["check"].isin(about_columns)].to_dict("records"):
        rule = about_columns[str(case["check"])]
        found.append(Fault(column=str(case["failure_case"]), rule=rule, count=0))
    of_rows = cases[~cases["check"].isin(about_columns)]
    for (column, check), group in of_rows.groupby(["column", "check"], sort=True):
        rows = sorted(int(row) for row in group["index"].dropna())
        found.append(
            Fault(
                column=str(column),
                rule=_rule(str(check)),
                count=len(rows),
                rows=tuple(rows[:FIRST_ROWS]),
            )
        )
    return tuple(found)

"""Time stamps as files have them: with an offset from UTC in every row, or in none.

No message has a value in it: where a column was mapped wrongly, that is somebody's id.
"""

from typing import Any

import pandas as pd

# How a stamp ends that says how far from UTC it is: the last of its time, then Z, -05:00 or +01.
OFFSET = r"(?i)(?:T\d{2,6}|:\d\d)(?:[.,]\d+)? ?(?:[AP]M ?)?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?) *$"


def instants(
    stamps: "pd.Series[Any]", zone: str, *, day_first: bool = False
) -> "pd.Series[pd.Timestamp]":
    """The stamps in UTC; those without an offset are of `zone`.

    Raises:
        ValueError: one is no time stamp, or only some state an offset; the message has the row.
    """
    times = _times(stamps, day_first)
    if times.dt.tz is None:
        # The hour that a clock change repeats or leaves out has no single answer: take the
        # first, and the hour after it, so that no row is lost.
        times = times.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return times.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def _times(stamps: "pd.Series[Any]", day_first: bool) -> "pd.Series[pd.Timestamp]":
    try:
        return pd.to_datetime(stamps, dayfirst=day_first)
    except ValueError:  # two offsets in a column are refused too, as on the day of a clock change
        stated = stamps.astype("str").str.contains(OFFSET).to_numpy()
    bad = next((row for row, stamp in enumerate(stamps) if not _is_stamp(stamp)), None)
    if bad is not None:
        raise ValueError(f"row {bad} is none")
    if stated.all():
        return pd.to_datetime(stamps, utc=True, dayfirst=day_first)
    if stated.any():
        raise ValueError(
            f"row {stated.argmax()} states an offset from UTC, row {stated.argmin()} does not: "
            "it is to be in every row, or in none"
        )
    raise ValueError("they do not all have one form")


def _is_stamp(text: Any) -> bool:
    try:
        return bool(pd.notna(pd.Timestamp(text)))
    except ValueError:
        return False

"""What each night's challenger lost of past days, from the losses that its evaluation kept."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pandas as pd

from tasks import reference
from tasks.nights import Night, beside

FILE = "forgetting.parquet"
LAST_NIGHTS = 42  # each is a file to read, and a column of the plot
MOST_DAYS = 40  # of the past, one by one; beyond it week by week
UNDATED = "past days"  # older than evaluate.LOOK_BACK, or of a learner with names of its own
Past = dict[str, tuple[float, int]]


def forgetting(application: str, nights: Sequence[Night]) -> Mapping[str, Past]:
    """By night, then by past day: the mean rise of the loss, and of how many units it is one.

    Of the last nights that had a challenger. A past day is named by its date, or by the Monday of
    its week where there are many.
    """
    tables = {}
    for night in nights[-LAST_NIGHTS:]:
        table = _losses(application, night)
        if table is not None:
            tables[str(night.day)] = table
    dated = {day for table in tables.values() for day in table["day"]} - {UNDATED}
    by_week = len(dated) > MOST_DAYS
    return {night: _means(table, by_week) for night, table in tables.items()}


def _losses(application: str, night: Night) -> pd.DataFrame | None:
    if night.version is None or night.fit is None or not night.fit.learned:
        return None
    file = beside(application, night.version, FILE)
    if not file.exists():
        return None
    table = reference.read_frame(file)
    if "challenger" not in table or table.empty:
        return None
    days = table["day"].fillna(UNDATED) if "day" in table else UNDATED
    return pd.DataFrame({"day": days, "rise": table["challenger"] - table["champion"]})


def _means(table: pd.DataFrame, by_week: bool) -> Past:
    rows = table["day"].map(_week) if by_week else table["day"]
    found = table.groupby(rows)["rise"].agg(["mean", "size"])
    return {str(row): (float(mean), int(size)) for row, mean, size in found.itertuples()}


def _week(day: str) -> str:
    if day == UNDATED:
        return day
    date = dt.date.fromisoformat(day)
    return f"week of {date - dt.timedelta(days=date.weekday())}"

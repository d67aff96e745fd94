"""Complete Journey's promotions: which product had a display or a mailer, by store and week."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FIRST_DAY = date(2017, 1, 1)
NOT_PROMOTED = "0"
BATCH_ROWS = 1 << 20  # of 20.9 million promotions: bounds the memory of a pass over them
KINDS = {  # of the columns, in the order that rows are sorted by; "Int64" knows nulls
    "product_id": "int64",
    "store_id": "Int64",
    "display_location": "category",
    "mailer_location": "category",
}


def week_number(day: date) -> int:
    """The shop's promotion week: week 1 is 2017-01-01 alone, then Monday to Sunday."""
    number = (day - FIRST_DAY).days
    return 1 if number == 0 else (number - 1) // 7 + 2


def promotion_weeks(path: Path) -> Iterator[tuple[int, pa.Table]]:
    """Week number -> its promotions, ascending: the file is in the order of weeks."""
    file = pq.ParquetFile(path, read_dictionary=["display_location", "mailer_location"])
    open_week, parts = 0, list[pa.Table]()
    for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
        weeks = batch.column("week").to_numpy()
        found, starts = np.unique(weeks, return_index=True)
        bounds = [*starts.tolist(), len(weeks)]
        for place, week in enumerate(found.tolist()):
            if week != open_week and parts:
                yield open_week, pa.concat_tables(parts)
                parts = []
            open_week = week
            piece = batch.slice(bounds[place], bounds[place + 1] - bounds[place])
            parts.append(pa.Table.from_batches([piece]))
    if parts:
        yield open_week, pa.concat_tables(parts)


def promoted(week: pa.Table | None) -> pd.DataFrame:
    """The week's rows with a display or a mailer, null where there is only the other.

    The columns of KINDS; words as categories, since they repeat a few of them very often.
    """
    if week is None:
        return pd.DataFrame({name: [] for name in KINDS}).astype(KINDS)
    display, mailer = (
        pc.equal(week[name], NOT_PROMOTED) for name in ("display_location", "mailer_location")
    )
    found = week.filter(pc.invert(pc.and_(display, mailer))).select(list(KINDS))
    rows: pd.DataFrame = found.unify_dictionaries().to_pandas()
    rows = rows.sort_values(list(KINDS)).astype(KINDS).reset_index(drop=True)
    for name in ("display_location", "mailer_location"):
        rows[name] = rows[name].cat.remove_categories(NOT_PROMOTED)
    return rows

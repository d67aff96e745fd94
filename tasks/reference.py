"""What drift is measured against: a bounded sample of recent events, carried in the bundle."""

import datetime as dt
import zlib
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.params import DriftParams
from tasks.records import seed_of

FILE = "reference.parquet"
NUMERICAL = ("price", "quantity", "discount", "hour", "score")
CATEGORICAL = ("event_type", "channel", "item_bucket", "user_bucket")
COLUMNS = (*NUMERICAL, *CATEGORICAL)
BUCKETS = 16  # ids by the thousand make any small day look drifted; sixteen shares do not
MISSING = "missing"  # the bucket of nulls: their share is compared, and no id shares it


def drift_rows(
    events: pd.DataFrame,
    scores: pd.Series,
    unit: str,
    day: dt.date,
    time_zone: str,
    event_types: tuple[str, ...] = (),
) -> pd.DataFrame:
    """One row per event, of the types named if any are, with the columns drift is measured on.

    `scores` is the champion's own number of each value of the column `unit` before it learned the
    day. It stands at the unit's first event alone: repeated at each, a few full baskets would look
    like drift. Ids are hashed into buckets; a null one is in the bucket MISSING.
    """
    if event_types:
        events = events[events["event_type"].isin(event_types)]
    first = ~events[unit].duplicated()
    local = events["event_time"].dt.tz_convert(ZoneInfo(time_zone))
    rows = pd.DataFrame(
        {
            "day": day.isoformat(),
            "price": events["price"].astype("float64"),
            "quantity": events["quantity"].astype("float64"),
            "discount": events["discount"].astype("float64"),
            "hour": local.dt.hour.astype("float64"),
            "score": events[unit].map(scores).astype("float64").where(first),
            "event_type": events["event_type"].astype("str"),
            "channel": _buckets(events["channel"]),
            "item_bucket": _buckets(events["item_id"]),
            "user_bucket": _buckets(events["user_id"]),
        }
    )
    return rows.reset_index(drop=True)


def has_value(column: pd.Series) -> pd.Series:
    """Which rows of one of COLUMNS hold a value: neither null nor MISSING."""
    return column.notna() & (column != MISSING)


def advance(
    reference: pd.DataFrame, rows: pd.DataFrame, day: dt.date, params: DriftParams
) -> pd.DataFrame:
    """Drop what has left the window, add a fixed-size sample of today's rows."""
    since = (day - dt.timedelta(days=params.reference_days - 1)).isoformat()
    kept = reference[reference["day"] >= since]
    return pd.concat([kept, sampled(rows, day, params)], ignore_index=True)


def sampled(rows: pd.DataFrame, day: dt.date, params: DriftParams) -> pd.DataFrame:
    """The rows that the reference keeps of a day: always the same ones.

    Scores are few beside events, so they are drawn by themselves: a column is compared alone, and
    which row of the sample a score stands in means nothing.
    """
    size = min(len(rows), params.reference_rows_per_day)
    seed = seed_of("reference", day.isoformat())
    sample = rows.sample(n=size, random_state=seed).sort_index().reset_index(drop=True)
    scores = rows["score"].dropna()
    drawn = scores.sample(n=min(size, len(scores)), random_state=seed).reset_index(drop=True)
    return sample.assign(score=drawn)


def empty() -> pd.DataFrame:
    """A reference without rows."""
    numbers = {column: pd.Series(dtype="float64") for column in NUMERICAL}
    texts = {column: pd.Series(dtype="str") for column in CATEGORICAL}
    return pd.DataFrame({"day": pd.Series(dtype="str"), **numbers, **texts})


def champion_scores(prequential: Path) -> pd.Series:
    """The champion's own number of each unit, from the prequential step."""
    table = read_frame(prequential)
    return table[table["method"] == "champion"].set_index("unit")["score"]


def write(reference: pd.DataFrame, directory: Path) -> None:
    """Write the bundle's reference file; the same rows are the same bytes."""
    write_frame(reference, directory / FILE)


def read(directory: Path) -> pd.DataFrame:
    """The bundle's reference file."""
    return read_frame(directory / FILE)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Parquet without the index and without pandas' own metadata, which names its version."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


def read_frame(path: Path) -> pd.DataFrame:
    """One thread: the pool of Arrow can outlive the interpreter and abort it at exit."""
    frame: pd.DataFrame = pq.read_table(path, use_threads=False).to_pandas()
    return frame


def _buckets(ids: pd.Series) -> pd.Series:
    names = ids.astype("str")
    known = names.dropna().unique()
    bucket = {name: f"b{zlib.crc32(name.encode()) % BUCKETS:02d}" for name in known}
    return names.map(bucket).astype("str").fillna(MISSING)

"""A day's files: which there are, what they hold, and the digest that names their content."""

import datetime as dt
import functools
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tasks import workspace
from tasks.contract import COLUMNS, InvalidDayError
from tasks.records import Increment

TABLES = ("events", "items", "prices")
PARTITION = re.compile(r"date=\d{4}-\d\d-\d\d/[\w-][\w.-]*")  # what follows the table's name
CALENDAR = "params.yaml"  # the evidence of a day without a file is the calendar in it


_look: ContextVar[tuple[Path, dict[str, str]] | None] = ContextVar("look", default=None)


def folder() -> Path:
    """Where day files are read from: data/, or what a look at the registry fetched."""
    look = _look.get()
    return look[0] if look else workspace.DATA


def manifest() -> dict[str, str]:
    """MD5 by path of all files there are: those that data.dvc locks, or the registry's newest."""
    look = _look.get()
    return look[1] if look else workspace.data_manifest()


@contextmanager
def look_at_registry(after: dt.date) -> Iterator[Path]:
    """Within the block, read the registry's days after `after`, fetched into a folder that goes.

    Nothing is pulled: data.dvc and data/ stay as they are. Yields the folder.
    """
    newest = workspace.registry_manifest()
    with tempfile.TemporaryDirectory() as place:
        for day, files in by_day(newest).items():
            if day > after:
                workspace.fetch_from_registry(files, Path(place))
        token = _look.set((Path(place), newest))
        try:
            yield Path(place)
        finally:
            _look.reset(token)


def partition(table: str, day: dt.date) -> str:
    """The folder of one table's day, relative to data/."""
    return f"{table}/date={day.isoformat()}"


def by_day(manifest: dict[str, str]) -> dict[dt.date, dict[str, str]]:
    """Per landed day (one that has an event file), MD5 by path of the files an increment reads.

    Raises ValueError for a path that is none of a partition: it may lead out of the folder.
    """
    found: dict[dt.date, dict[str, str]] = {}
    for path, md5 in sorted(manifest.items()):
        table, _, rest = path.partition("/")
        if table in TABLES:
            if not PARTITION.fullmatch(rest):
                raise ValueError(f"the data version has {path!r}, not {table}/date=<day>/<file>")
            name = rest.partition("/")[0]
            found.setdefault(dt.date.fromisoformat(name.removeprefix("date=")), {})[path] = md5
    landed = (day for day, files in found.items() if any(p.startswith("events/") for p in files))
    return {day: found[day] for day in sorted(landed)}


def has_rows(files: dict[str, str]) -> bool:
    """Whether an event file of the day has rows, or cannot be read: validation will say why."""
    for path in files:
        if path.startswith("events/"):
            try:
                if pq.read_metadata(folder() / path).num_rows:
                    return True
            except (OSError, ValueError):
                return True
    return False


def digest(files: dict[str, str]) -> str:
    """What the ledger keeps of a day's content; of a day without files, a name for that."""
    if not files:
        return "no file"
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def read_events(increment: Increment) -> pd.DataFrame:
    """The day's events, digest checked; without rows if the shop was closed.

    Raises InvalidDayError if a file is not readable as Parquet, DamagedPartitionError if it is
    not the file that was landed.
    """
    files = tuple((p, m) for p, m in increment.partitions.items() if p.startswith("events/"))
    return _read(files) if files else no_events()


def read_items(increment: Increment) -> pd.DataFrame:
    """The items first seen that day, with their attributes; errors as for `read_events`."""
    files = tuple((p, m) for p, m in increment.partitions.items() if p.startswith("items/"))
    return _read(files) if files else pd.DataFrame({"item_id": pd.Series(dtype="str")})


def read_prices(increment: Increment) -> pd.DataFrame:
    """The offers that begin that day; errors as for `read_events`."""
    files = tuple((p, m) for p, m in increment.partitions.items() if p.startswith("prices/"))
    return _read(files) if files else no_prices()


def no_events() -> pd.DataFrame:
    """A day of canonical events without rows."""
    kinds = {"event_time": "datetime64[us, UTC]"}
    numbers = ("price", "quantity", "discount", "propensity")
    kinds.update(dict.fromkeys(numbers, "float64"))
    return pd.DataFrame({c: pd.Series(dtype=kinds.get(c, "str")) for c in COLUMNS})


def no_prices() -> pd.DataFrame:
    """A day on which no offer begins, with the canonical columns."""
    kinds = dict.fromkeys(("item_id", "date", "until", "channel"), "str")
    kinds |= dict.fromkeys(("date", "until"), "datetime64[us]")
    kinds |= dict.fromkeys(("price", "list_price", "cost"), "float64")
    kinds |= dict.fromkeys(("display", "mailer"), "str")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


@functools.lru_cache(maxsize=3)
def _read(files: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    """All steps of an increment read the same tables; callers do not write into them."""
    return pd.concat([_read_file(path, md5) for path, md5 in files], ignore_index=True)


def _read_file(path: str, md5: str) -> pd.DataFrame:
    try:
        return workspace.read_partition(path, md5, folder=folder())
    except (OSError, ValueError) as problem:
        if isinstance(problem, workspace.DamagedPartitionError):
            raise
        raise InvalidDayError(
            f"data/{path} is not readable as Parquet ({problem}). Land the day again."
        ) from problem

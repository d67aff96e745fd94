"""What every source hands over: one shop day as four frames in the canonical columns."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Column -> kind. Only event_id, event_time, event_type and user_id are required.
EVENT_COLUMNS = {
    "event_id": "text",
    "event_time": "instant",
    "event_type": "text",
    "user_id": "text",
    "session_id": "text",
    "item_id": "text",
    "query": "text",
    "price": "number",
    "quantity": "number",
    "discount": "number",
    "channel": "text",
    "propensity": "number",
}
# Items, users and prices may carry more (text) columns than these.
ITEM_COLUMNS = {
    "item_id": "text",
    "date": "day",
    "department": "text",
    "category": "text",
    "subcategory": "text",
    "brand": "text",
}
USER_COLUMNS = {"user_id": "text", "date": "day"}
# One row per offer or promotion; in force from `date` to `until`, both included, in one `channel`
# or, where that is null, in the whole shop. `price` is a unit's posted price and `list_price` what
# it is without the offer, where the shop states them; `cost` is what a unit costs the shop;
# `display` and `mailer` say how the item was promoted.
PRICE_COLUMNS = {
    "item_id": "text",
    "date": "day",
    "until": "day",
    "channel": "text",
    "price": "number",
    "list_price": "number",
    "cost": "number",
    "display": "text",
    "mailer": "text",
}
COLUMNS = {
    "events": EVENT_COLUMNS,
    "items": ITEM_COLUMNS,
    "users": USER_COLUMNS,
    "prices": PRICE_COLUMNS,
}
TABLES = tuple(COLUMNS)

SEPARATOR = "\x1f"  # never part of a shop's ids, so ("ab", "c") and ("a", "bc") differ
DTYPES = {
    "text": "str",
    "number": "float64",
    "instant": "datetime64[us, UTC]",
    "day": "datetime64[us]",
}


class SourceError(ValueError):
    """A source cannot give what was asked; the message names the file and the cure."""


@dataclass(frozen=True)
class DayFrames:
    """One shop day. `items` and `users` hold those first seen that day; all may have zero rows."""

    events: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame
    prices: pd.DataFrame

    def table(self, name: str) -> pd.DataFrame:
        """The frame of one of TABLES."""
        return {
            "events": self.events,
            "items": self.items,
            "users": self.users,
            "prices": self.prices,
        }[name]


class Source(Protocol):
    """A shop's past and present, by calendar day of the shop."""

    def days(self) -> list[date]:
        """The days with at least one event, ascending."""
        ...

    def read_day(self, day: date) -> DayFrames:
        """One day; zero events when the shop has none. Same content, same frames, same order."""
        ...

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """Many days in the order given, in one pass over the source."""
        ...


def empty(table: str) -> pd.DataFrame:
    """Zero rows of one of TABLES, with the canonical columns and types."""
    return typed(table, pd.DataFrame({name: [] for name in COLUMNS[table]}, dtype=object))


def typed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with canonical columns first and typed, further columns after them as text.

    A canonical column that `frame` does not have stays away: the contract, not the source, says
    what a missing column means.
    """
    known = COLUMNS[table]
    order = [name for name in known if name in frame]
    order += sorted(str(name) for name in frame.columns if name not in known)
    columns = {name: _cast(frame[name], known.get(name, "text")) for name in order}
    return pd.DataFrame(columns).reset_index(drop=True)


def _cast(column: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind == "text" and isinstance(column.dtype, pd.CategoricalDtype):
        return column  # a million repeated words: the parquet writer takes the codes as they are
    dtype: Any = DTYPES[kind]
    typed_column: pd.Series[Any] = column.astype(dtype)
    return typed_column


def with_event_ids(events: pd.DataFrame) -> pd.DataFrame:
    """The events with a content hash as `event_id`, ordered by time, then id.

    Identical rows are told apart by their occurrence: the second one's id ends in `-1`. The id
    depends on the row alone, so the same row has the same id in whichever file or order it came.
    """
    digests = pd.Series(_row_digests(events), index=events.index, dtype="str")
    again = digests.groupby(digests).cumcount()
    ids = digests.where(again == 0, digests + "-" + again.astype("str"))
    return ordered(events.assign(event_id=ids))


def ordered(events: pd.DataFrame) -> pd.DataFrame:
    """The events by time, then id: the one order of a partition."""
    by = [name for name in ("event_time", "event_id") if name in events]
    return typed("events", events.sort_values(by, kind="stable"))


def _row_digests(events: pd.DataFrame) -> list[str]:
    columns = [name for name in EVENT_COLUMNS if name in events and name != "event_id"]
    texts = [events[name] for name in columns if EVENT_COLUMNS[name] == "text"]
    words = [column.astype("str").fillna("").tolist() for column in texts]
    numbers = _numbers(events, [name for name in columns if EVENT_COLUMNS[name] != "text"])
    width = 8 * numbers.shape[1]
    raw = memoryview(numbers.tobytes())
    return [
        _digest(raw[row * width : (row + 1) * width], SEPARATOR.join(word))
        for row, word in enumerate(zip(*words, strict=True))
    ]


def _digest(numbers: memoryview, words: str) -> str:
    return hashlib.blake2b(bytes(numbers) + words.encode(), digest_size=10).hexdigest()


def _numbers(events: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    matrix = np.empty((len(events), len(columns)), dtype="<f8")
    for place, name in enumerate(columns):
        if EVENT_COLUMNS[name] == "instant":
            instants = events[name].to_numpy(dtype="datetime64[us]").astype("<i8")
            matrix[:, place] = instants.view("<f8")
        else:
            values = events[name].to_numpy(dtype="<f8", na_value=np.nan) + 0.0  # -0.0 is 0.0
            matrix[:, place] = np.where(np.isnan(values), np.nan, values)  # one NaN, not many
    return matrix

"""Anyone's CSV or Parquet files as a source, by a map from canonical columns to theirs."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.sources.canonical import (
    COLUMNS,
    EVENT_COLUMNS,
    DayFrames,
    SourceError,
    empty,
    ordered,
    typed,
    with_event_ids,
)
from tasks.sources.files import CsvForm, RowRules, numbers, parse, settle
from tasks.sources.files import files as find_files
from tasks.sources.stamps import instants


class TableSource:
    """A shop whose events lie in one file, or in a folder of files, of CSV or Parquet.

    Args:
        events: the file, or a folder whose files of `files.KINDS` are all read.
        columns: canonical event column -> the file's own; `event_time` and `user_id` at least.
            Without an `event_id` a content hash is made. Without a `quantity` each purchase is of
            one piece; other optional columns left out are null.
        time_zone: the zone of the shop's calendar day.
        stamp_zone: the zone of time stamps that state none; the shop's own unless given. In one
            file either all stamps state an offset from UTC (or Z) or none does.
        event_type: the type of every event, for files that do not say it.
        csv: how CSV files are written, see `files.CsvForm`.
        rows: what becomes of rows without a user, doubled or with a quantity below zero, see
            `files.RowRules`.
        files: `items`, `users` and `prices`, each `{file: ..., columns: ...}` with a map of its
            own; `item_id` and `user_id` are their keys, and a price has a `date`.
    """

    def __init__(
        self,
        *,
        events: str,
        columns: dict[str, str],
        time_zone: str,
        stamp_zone: str | None = None,
        event_type: str | None = None,
        csv: dict[str, Any] | None = None,
        rows: dict[str, Any] | None = None,
        **files: dict[str, Any],
    ) -> None:
        _check_names("columns", columns, EVENT_COLUMNS)
        _check_names("kind table", files, COLUMNS)
        self._form, self._rules = CsvForm(**(csv or {})), RowRules(**(rows or {}))
        others = {Path(about.get("file", "")).resolve() for about in files.values()}
        found = find_files(Path(events))
        self._files = [path for path in found if path.resolve() not in others] or found
        self._columns = columns
        self._zone = time_zone
        self._stamp_zone = stamp_zone or time_zone
        self._event_type = event_type
        self._tables = files
        self._read = lru_cache(maxsize=1)(self._rows_of)  # one file may hold every day
        self._attributes = lru_cache(self._attributes_of)  # every day asks for them

    def days(self) -> list[date]:
        """The days with at least one event, ascending."""
        return sorted(self._index[0])

    def read_day(self, day: date) -> DayFrames:
        """One day's events, and what became known with them.

        Raises:
            SourceError: a file cannot be read.
        """
        parts = [self._events_of(path, day) for path in self._index[0].get(day, [])]
        events = pd.concat(parts) if parts else empty("events")
        events = ordered(events) if "event_id" in events and parts else with_event_ids(events)
        return DayFrames(
            events=events,
            items=self._newcomers("items", "item_id", day),
            users=self._newcomers("users", "user_id", day),
            prices=self._prices_of(day),
        )

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """The days in the order given, one at a time."""
        return ((day, self.read_day(day)) for day in days)

    @cached_property
    def _index(self) -> tuple[dict[date, list[Path]], dict[str, "pd.Series[Any]"]]:
        """The files with events of each day, and the first day of each `item_id` and `user_id`.

        Takes one reading of every file.
        """
        places: dict[date, list[Path]] = {}
        seen: dict[str, list[pd.Series[Any]]] = {"item_id": [], "user_id": []}
        for path in self._files:
            rows = self._read(path)
            for day in sorted(set(rows["day"])):
                places.setdefault(day, []).append(path)
            for name in seen.keys() & set(rows.columns):
                seen[name].append(rows.groupby(name)["day"].min())
        first = {
            name: pd.concat(parts).groupby(level=0).min() for name, parts in seen.items() if parts
        }
        return places, first

    def _events_of(self, path: Path, day: date) -> pd.DataFrame:
        rows = self._read(path)
        return rows[rows["day"] == day].drop(columns="day")

    def _rows_of(self, path: Path) -> pd.DataFrame:
        """The file's rows in canonical columns, and `day`, the shop's calendar day of each."""
        theirs = parse(path, self._form)
        stamp = self._columns.get("event_time", "")
        if stamp not in theirs:
            raise SourceError(
                f"{path}: no column {stamp!r} for event_time among {', '.join(map(str, theirs))}. "
                "Correct shop.source.columns in params.yaml, or the file"
            )
        rows = _renamed(theirs, self._columns)
        rows["event_time"] = self._instants(path, theirs[stamp])
        if self._event_type is not None:
            rows["event_type"] = self._event_type
        for name in EVENT_COLUMNS.keys() - self._columns.keys() - {"event_id", "event_type"}:
            rows[name] = None  # never mapped: null. Mapped but not in this file: stays missing.
        for name in (name for name, kind in EVENT_COLUMNS.items() if kind == "number"):
            if name in rows:
                rows[name] = numbers(rows[name], self._form)
        _check_numbers(path, rows, self._columns)
        rows = typed("events", rows)
        if "quantity" not in self._columns and "event_type" in rows:
            # Null would be no purchase at all: one counts only with a quantity above zero.
            rows["quantity"] = rows["quantity"].mask(rows["event_type"] == "purchase", 1.0)
        rows = settle(path, rows, self._rules)
        local = rows["event_time"].dt.tz_convert(self._zone)
        return rows.assign(day=local.dt.date)

    def _instants(self, path: Path, stamps: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
        column = self._columns["event_time"]
        if stamps.isna().any():
            row = int(stamps.isna().to_numpy().argmax())
            raise SourceError(
                f"{path}: column {column!r}, row {row}: there is no time stamp. Correct the file"
            )
        try:
            return instants(stamps, self._stamp_zone, day_first=self._form.day_first)
        except ValueError as error:
            raise SourceError(
                f"{path}: column {column!r} cannot be read as time stamps: {error}. "
                "Correct shop.source.columns in params.yaml, or the file"
            ) from None

    def _newcomers(self, table: str, key: str, day: date) -> pd.DataFrame:
        """Attributes of the ids first seen that day: never of the future."""
        first = self._index[1].get(key)
        if first is None:
            return empty(table)
        ids = first.index[first == day].astype("str")
        known = self._attributes(table, key)
        known = known[known[key].isin(ids)].drop_duplicates(key)
        if table == "items":  # an item that the file forgot is still an item
            known = known.set_index(key).reindex(ids).rename_axis(key).reset_index()
        return typed(table, _dated(table, known, day).sort_values(key, kind="stable"))

    def _prices_of(self, day: date) -> pd.DataFrame:
        """Offers in force that begin on the day, or after the last one that had events."""
        offers = self._attributes("prices", "item_id")
        begin = pd.to_datetime(offers["date"])
        until = pd.to_datetime(offers["until"]) if "until" in offers else begin
        before = max((other for other in self._index[0] if other < day), default=date.min)
        begun = (begin.dt.date > before) & (begin.dt.date <= day)
        offers = offers.assign(until=until)[begun & (until.isna() | (until.dt.date >= day))]
        offers = _dated("prices", offers, day)
        return typed("prices", offers.sort_values(list(offers.columns), kind="stable"))

    def _attributes_of(self, table: str, key: str) -> pd.DataFrame:
        """The rows of the items, users or prices file in canonical columns; none without one."""
        if table not in self._tables:
            return empty(table)
        path = Path(self._tables[table]["file"])
        rows = _renamed(parse(path, self._form), self._tables[table]["columns"])
        for name in (key, "date") if table == "prices" else (key,):
            if name not in rows:
                raise SourceError(
                    f"{path}: no column for {name}. Map it in shop.source, or correct the file"
                )
        return rows.assign(**{key: rows[key].astype("str")})


def _check_names(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SourceError(
            f"params.yaml: shop.source ({where}) has {unknown}; known: {', '.join(known)}"
        )


def _check_numbers(path: Path, rows: pd.DataFrame, columns: dict[str, str]) -> None:
    """Raise SourceError, without the value: a wrong map may have put people's ids there."""
    for name in rows.columns:
        if EVENT_COLUMNS[str(name)] == "number":
            bad = rows[name].notna() & pd.to_numeric(rows[name], errors="coerce").isna()
            if bad.any():
                raise SourceError(
                    f"{path}: column {columns[str(name)]!r}, row {int(bad.to_numpy().argmax())}: "
                    f"no number, as {name} needs. Correct shop.source.columns or the file"
                )


def _renamed(theirs: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Ours -> theirs, as far as the file has them."""
    return pd.DataFrame({our: theirs[their] for our, their in columns.items() if their in theirs})


def _dated(table: str, rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """The rows dated `day`, with every canonical column."""
    missing = {name: None for name in COLUMNS[table] if name not in rows}
    return rows.assign(**missing).assign(date=pd.Timestamp(day))

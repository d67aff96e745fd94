"""The one way to change a line: all of a change, or nothing of it.

Each function runs inside the caller's transaction. The row of the lease is locked first, then the
fencing number and the head are compared, and only then is anything written. Sequence numbers are
counted by the line, so that what was killed and run again is numbered as if it had not been.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, insert, select, update

from tasks.ledger.entries import Champion, Day, DayEntry, Line, Version
from tasks.ledger.lease import Lease, LostLineError, check
from tasks.ledger.schema import (
    UtcTime,
    attachments,
    champions,
    collected,
    days,
    lines,
    snapshots,
    versions,
)
from tasks.record import Record

R = TypeVar("R", bound=Record)
SAME = ("outcome", "digest", "challenger")  # of an entry that says again what is known


class AlreadyLearnedError(LostLineError):
    """The day is learned already; nothing was written."""


@dataclass(frozen=True)
class Change:
    """What a line is to become, and the head it was made from; None before there was one."""

    expected_head: str | None
    version: Version
    fates: Sequence[Day]
    champion: Champion | None
    attached: Mapping[str, str] = field(default_factory=dict)


def commit(connection: Connection, lease: Lease, change: Change) -> Line:
    """Apply a change; raises LostLineError if the line is not where the change began."""
    application = lease.application
    line = _locked_line(connection, lease)
    if (line and line.head) != change.expected_head:
        raise LostLineError(
            f"'{application}' stands at {line and line.head}, not at {change.expected_head}; "
            "nothing was written. Run again: what is learned is skipped"
        )
    moved = _next_line(application, line, change)
    _add_version(connection, application, change.version)
    if line is None:
        connection.execute(insert(lines).values(moved.model_dump()))
    else:
        _move(connection, line, moved)
    _add(connection, days, moved, change.fates)
    _add(connection, champions, moved, [change.champion] if change.champion else [])
    _add_evidence(connection, moved, change)
    return moved


def note(connection: Connection, lease: Lease, entry: Day) -> None:
    """What became of a day, where no version changes; said twice is said once.

    Raises LostLineError, and AlreadyLearnedError for a learned day that is to be set aside.
    """
    line = _locked_line(connection, lease)
    if line is None:
        raise LostLineError(f"'{lease.application}' has no line yet: run the bootstrap first")
    past = [known for known in history(connection, lease.application) if known.day == entry.day]
    last = next((known for known in reversed(past) if _is_fate(known) == _is_fate(entry)), None)
    if last and all(getattr(last, name) == getattr(entry, name) for name in SAME):
        return
    if _is_fate(entry):
        refuse_learned(connection, lease.application, entry.day)
    moved = line.model_copy(update={"sequence": line.sequence + 1})
    _move(connection, line, moved)
    _add(connection, days, moved, [entry])


def refuse_learned(connection: Connection, application: str, day: dt.date) -> None:
    """Raises AlreadyLearnedError if the day's fate is to be learned."""
    fate = fates(connection, application).get(day)
    if fate and fate.outcome == "learned":
        raise AlreadyLearnedError(
            f"{day} of '{application}' is learned already, by version {fate.version}; nothing was "
            "written. To learn it again, roll back to a version before it first"
        )


def fates(connection: Connection, application: str) -> dict[dt.date, DayEntry]:
    """The latest entry of each day, in the order of days."""
    latest = {e.day: e for e in history(connection, application) if _is_fate(e)}
    return dict(sorted(latest.items()))


def history(connection: Connection, application: str) -> list[DayEntry]:
    """All entries of days, in the order of commits."""
    query = (
        select(days).where(days.c.application == application).order_by(days.c.sequence, days.c.day)
    )
    return [entry_of(DayEntry, row._mapping) for row in connection.execute(query)]


def note_collected(connection: Connection, lease: Lease, names: Iterable[str]) -> None:
    """These versions' files may go; said twice is said once. Raises LostLineError."""
    check(connection, lease)
    fresh = set(names) - noted(connection, lease.application).keys()
    place = {"application": lease.application, "at": _now()}
    if fresh:
        connection.execute(
            insert(collected), [place | {"version": name} for name in sorted(fresh)]
        )


def noted(connection: Connection, application: str) -> dict[str, dt.datetime]:
    """The versions whose files went, and when."""
    query = select(collected).where(collected.c.application == application)
    return {row.version: row.at for row in connection.execute(query)}


def plain_rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    """A table's rows in the order of their keys, without its times; plain JSON."""
    names = [column.name for column in table.columns if not isinstance(column.type, UtcTime)]
    query = select(*(table.c[name] for name in names)).order_by(*table.primary_key)
    return [
        {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in row._mapping.items()
        }
        for row in connection.execute(query)
    ]


def entry_of(kind: type[R], row: Mapping[Any, Any]) -> R:
    """The record in a row; columns that the record does not have are left out."""
    return kind.model_validate({name: row[name] for name in kind.model_fields})


def _is_fate(entry: Day) -> bool:
    return entry.outcome != "ignored"


def _locked_line(connection: Connection, lease: Lease) -> Line | None:
    check(connection, lease)
    query = select(lines).where(lines.c.application == lease.application).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else entry_of(Line, row._mapping)


def _next_line(application: str, line: Line | None, change: Change) -> Line:
    version = change.version
    serving = change.champion.version if change.champion else line and line.champion
    return Line(
        application=application,
        head=version.version,
        champion=serving or version.version,
        predecessor=version.predecessor,
        anchor=version.anchor or version.version,
        day=version.day,
        sequence=line.sequence + 1 if line else 1,
    )


def _move(connection: Connection, line: Line, moved: Line) -> None:
    """Compare and set: the line is still where it was read, and goes on."""
    here = (
        (lines.c.application == line.application)
        & (lines.c.head == line.head)
        & (lines.c.sequence == line.sequence)
    )
    done = connection.execute(update(lines).where(here).values(moved.model_dump()))
    if done.rowcount != 1:
        raise LostLineError(
            f"'{line.application}' moved while it was written; nothing was written"
        )


def _add_version(connection: Connection, application: str, version: Version) -> None:
    """A version may be there already: what is learned again gets the same name."""
    query = select(versions).where(
        versions.c.application == application, versions.c.version == version.version
    )
    known = connection.execute(query).one_or_none()
    if known is None:
        row = {"application": application, "at": _now(), **version.model_dump()}
        connection.execute(insert(versions).values(row))
    elif entry_of(Version, known._mapping) != version:
        raise ValueError(f"version {version.version} is in the ledger with other fields")
    there_again = (collected.c.application == application, collected.c.version == version.version)
    connection.execute(delete(collected).where(*there_again))


def _add(connection: Connection, table: Table, line: Line, entries: Sequence[Record]) -> None:
    place = {"application": line.application, "sequence": line.sequence, "at": _now()}
    if entries:
        connection.execute(insert(table), [place | entry.model_dump() for entry in entries])


def _add_evidence(connection: Connection, line: Line, change: Change) -> None:
    """The attachments' digests, and the wish for a snapshot."""
    place = {"application": line.application, "sequence": line.sequence, "version": line.head}
    digests = [place | {"name": name, "sha256": d} for name, d in sorted(change.attached.items())]
    if digests:
        connection.execute(insert(attachments), digests)
    experiment = f"{line.application}-{line.day}"
    connection.execute(insert(snapshots).values(place | {"experiment": experiment, "done": False}))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

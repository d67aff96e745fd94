"""The ledger's door: what may be asked, and the few things that may be changed.

Every change of a line is one transaction that checks the lease's fencing number and compares the
head with the one that the caller built on. A process killed at any instant leaves old or new.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from tasks import workspace
from tasks.ledger import commit as committing
from tasks.ledger import lease as leasing
from tasks.ledger.commit import Change, R, entry_of
from tasks.ledger.database import open_database, reading
from tasks.ledger.entries import (
    Attempt,
    Champion,
    ChampionEntry,
    Day,
    DayEntry,
    Line,
    Snapshot,
    Version,
)
from tasks.ledger.lease import Lease
from tasks.ledger.schema import (
    TABLES_OF_TRUTH,
    attachments,
    attempts,
    champions,
    lines,
    snapshots,
    versions,
)

LEASE_SECONDS = 120.0


def open_ledger() -> "Ledger":
    """The workspace's ledger, or the team's at the URL in DAYSHIFT_LEDGER_URL."""
    return Ledger(workspace.ledger_url())


class Ledger:
    """The ledger at a database URL, made there on first use."""

    def __init__(self, url: str) -> None:
        self.engine = open_database(url)

    def lease(
        self, application: str, ttl: float = LEASE_SECONDS, owner: str = "dayshift"
    ) -> AbstractContextManager[Lease]:
        """The sole right to write an application's line, for the length of a `with` block.

        It is free if nobody holds it, if it was not renewed for `ttl` seconds, or if its holder
        was a process of this machine that is dead. Raises LeaseHeldError that names the `owner`.
        """
        return leasing.hold(self.engine, application, ttl, owner)

    # ---- what changes a line; each raises LostLineError, with nothing written, if the lease or
    # ---- the head is another's by now

    def start_line(
        self,
        lease: Lease,
        version: Version,
        history: Sequence[Day],
        champion: Champion,
        attached: Mapping[str, str] | None = None,
    ) -> Line:
        """The first version, with an entry for each day of history that it was fitted on."""
        change = Change(None, version, history, champion, attached or {})
        with self.engine.begin() as connection:
            return committing.commit(connection, lease, change)

    def commit_increment(
        self,
        lease: Lease,
        expected_head: str,
        version: Version,
        day: Day,
        champion: Champion | None = None,
        attached: Mapping[str, str] | None = None,
    ) -> Line:
        """One learned day: `version` becomes the head if the head is still `expected_head`.

        `champion` says whose parameters serve from today; without it they stay. `attached` holds
        the sha256 of each attachment by name. Raises AlreadyLearnedError if the day is learned.
        """
        change = Change(expected_head, version, [day], champion, attached or {})
        with self.engine.begin() as connection:
            leasing.check(connection, lease)
            committing.refuse_learned(connection, lease.application, day.day)
            return committing.commit(connection, lease, change)

    def rewind(
        self,
        lease: Lease,
        expected_head: str,
        version: Version,
        fates: Sequence[Day],
        champion: Champion | None,
        attached: Mapping[str, str] | None = None,
    ) -> Line:
        """Go back: the head becomes `version`, new or old, and each day since gets a new fate.

        A fate is "rewound" (learn it again), "learned" (taken as kept, by `version`) or
        "quarantined". Today may be among them. Without a `champion` only fates change.
        """
        change = Change(expected_head, version, fates, champion, attached or {})
        with self.engine.begin() as connection:
            return committing.commit(connection, lease, change)

    def quarantine(self, lease: Lease, day: dt.date, digest: str, reason: str) -> None:
        """Set a day aside until it lands with another digest; said twice is said once.

        Raises AlreadyLearnedError if the day is learned.
        """
        self.note(lease, Day(day=day, digest=digest, outcome="quarantined", reason=reason))

    def note(self, lease: Lease, entry: Day) -> None:
        """The same for any outcome that changes no version: given_up, ignored, awaiting."""
        with self.engine.begin() as connection:
            committing.note(connection, lease, entry)

    # ---- what is known of a line

    def line(self, application: str) -> Line | None:
        """Where the application stands; None before its first version."""
        found = self._rows(Line, lines, application)
        return found[0] if found else None

    def fates(self, application: str) -> dict[dt.date, DayEntry]:
        """What became of each day, in order: the latest of its entries."""
        with self._reading() as connection:
            return committing.fates(connection, application)

    def due(self, application: str, landed: Mapping[dt.date, str]) -> list[dt.date]:
        """Which of the landed days, by content digest, are to be learned, oldest first.

        Not those that are learned, nor those that are set aside or awaiting approval with this
        very content.
        """
        known = self.fates(application)
        return [
            d for d, digest in sorted(landed.items()) if d not in known or known[d].is_due(digest)
        ]

    def history(self, application: str) -> list[DayEntry]:
        """Every entry of every day, in the order of commits."""
        with self._reading() as connection:
            return committing.history(connection, application)

    def champions(self, application: str) -> list[ChampionEntry]:
        """Who came to serve, and why, in order; the last one serves."""
        return self._rows(ChampionEntry, champions, application)

    def versions(self, application: str) -> dict[str, Version]:
        """Every version that was ever committed, by its id."""
        return {found.version: found for found in self._rows(Version, versions, application)}

    def lineage(self, line: Line) -> list[Version]:
        """The line's head and its parents, newest first."""
        known = self.versions(line.application)
        chain = [known[line.head]]
        while parent := chain[-1].parent:
            chain.append(known[parent])
        return chain

    def attached(self, application: str, version: str) -> dict[str, str]:
        """The sha256 of each attachment of a version by name; of the last commit, if several."""
        query = (
            select(attachments.c.name, attachments.c.sha256)
            .where(attachments.c.application == application, attachments.c.version == version)
            .order_by(attachments.c.sequence)
        )
        with self._reading() as connection:
            return {row.name: row.sha256 for row in connection.execute(query)}

    # ---- what a collection has taken

    def note_collected(self, lease: Lease, names: Iterable[str]) -> None:
        """Said before the versions' files go, and lifted when one is committed again."""
        with self.engine.begin() as connection:
            committing.note_collected(connection, lease, names)

    def collected(self, application: str) -> dict[str, dt.datetime]:
        """The versions whose files went, and when."""
        with self._reading() as connection:
            return committing.noted(connection, application)

    # ---- snapshots and attempts

    def missing_snapshots(self, application: str) -> list[Snapshot]:
        """Committed versions that have no DVC experiment yet, oldest first."""
        return self._rows(Snapshot, snapshots, application, done=False)

    def snapshot_done(self, snapshot: Snapshot) -> None:
        """The experiment is saved; to say it twice is to say it once."""
        here = (snapshots.c.application == snapshot.application) & (
            snapshots.c.sequence == snapshot.sequence
        )
        with self.engine.begin() as connection:
            connection.execute(update(snapshots).where(here).values(done=True))

    def begin_attempt(self, lease: Lease, day: dt.date) -> str:
        """Note that a run sets out to learn a day; returns the attempt's id."""
        attempt = uuid.uuid4().hex
        row = {"attempt": attempt, "application": lease.application, "day": day}
        row |= {"fencing": lease.fencing, "started": dt.datetime.now(dt.UTC)}
        with self.engine.begin() as connection:
            connection.execute(insert(attempts).values(row))
        return attempt

    def end_attempt(self, attempt: str, outcome: str, seconds: Mapping[str, float]) -> None:
        """Note how it ended and how long each step took, in seconds."""
        row = {"ended": dt.datetime.now(dt.UTC), "outcome": outcome, "seconds": dict(seconds)}
        with self.engine.begin() as connection:
            connection.execute(update(attempts).where(attempts.c.attempt == attempt).values(row))

    def attempts(self, application: str) -> list[Attempt]:
        """All attempts, in the order they began."""
        return sorted(self._rows(Attempt, attempts, application), key=lambda row: row.started)

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        """All that makes two ledgers the same: no times, leases or attempts; plain JSON."""
        with self._reading() as connection:
            return {
                table.name: committing.plain_rows(connection, table) for table in TABLES_OF_TRUTH
            }

    def _reading(self) -> Connection:
        return reading(self.engine)

    def _rows(self, kind: type[R], table: Table, application: str, **equal: object) -> list[R]:
        query = select(table).where(table.c.application == application)
        query = query.filter_by(**equal).order_by(*table.primary_key)
        with self._reading() as connection:
            return [entry_of(kind, row._mapping) for row in connection.execute(query)]

"""The ledger's tables, as they are after all of `migrations/`.

`TABLES_OF_TRUTH` are what "the same ledger" means: each of their rows follows from the data, the
parameters and the code. Their only other columns are times. What a collection has taken, leases
and attempts are apart.
"""

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[dt.datetime]):
    """A point in time; SQLite forgets the zone, so it is always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """To the database, in UTC."""
        return value and value.astimezone(dt.UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """From the database, aware."""
        if value is None:
            return None
        aware: dt.datetime = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
        return aware.astimezone(dt.UTC)


metadata = MetaData()


def _name(name: str, **options: Any) -> Column[str]:
    return Column(name, String, nullable=False, **options)


def _version(column: str) -> ForeignKeyConstraint:
    """The column, if not null, names a version that the ledger knows."""
    return ForeignKeyConstraint(
        ["application", column], ["versions.application", "versions.version"]
    )


versions = Table(
    "versions",
    metadata,
    _name("application", primary_key=True),
    _name("version", primary_key=True),
    Column("parent", String),
    Column("predecessor", String),
    Column("anchor", String),
    Column("day", Date, nullable=False),
    _name("kind"),
    _name("manifest"),
    Column("at", UtcTime, nullable=False),
    _version("parent"),
    _version("predecessor"),
    _version("anchor"),
)
lines = Table(
    "lines",
    metadata,
    _name("application", primary_key=True),
    _name("head"),
    _name("champion"),
    Column("predecessor", String),
    _name("anchor"),
    Column("day", Date, nullable=False),
    Column("sequence", Integer, nullable=False),
    _version("head"),
    _version("champion"),
    _version("predecessor"),
    _version("anchor"),
)
days = Table(
    "days",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    _name("digest"),
    _name("outcome"),
    Column("version", String),
    Column("action", String),
    _name("reason"),
    Column("rows", Integer, nullable=False),
    Column("challenger", String),
    Column("at", UtcTime, nullable=False),
    _version("version"),
)
champions = Table(
    "champions",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("version"),
    Column("day", Date, nullable=False),
    _name("action"),
    _name("reason"),
    _name("actor"),
    Column("at", UtcTime, nullable=False),
    _version("version"),
)
attachments = Table(
    "attachments",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("name", primary_key=True),
    _name("version"),
    _name("sha256"),
    _version("version"),
)
snapshots = Table(
    "snapshots",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("version"),
    _name("experiment"),
    Column("done", Boolean, nullable=False),
    _version("version"),
)
TABLES_OF_TRUTH = (lines, versions, days, champions, attachments, snapshots)

collected = Table(  # whose files went, and when
    "collected",
    metadata,
    _name("application", primary_key=True),
    _name("version", primary_key=True),
    Column("at", UtcTime, nullable=False),
    _version("version"),
)
leases = Table(
    "leases",
    metadata,
    _name("application", primary_key=True),
    Column("fencing", Integer, nullable=False),
    Column("owner", String),
    Column("host", String),
    Column("pid", Integer),
    Column("pid_started", Float),
    Column("taken_at", UtcTime),
    Column("expires_at", UtcTime),
)
attempts = Table(
    "attempts",
    metadata,
    _name("attempt", primary_key=True),
    _name("application"),
    Column("day", Date, nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("outcome", String),
    Column("seconds", JSON),
)

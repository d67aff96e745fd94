"""The ledger's tables, and how its database is opened: SQLite by default, PostgreSQL by URL.

`TABLES_OF_TRUTH` are what "the same ledger" means: each of their rows follows from the data, the
parameters and the code. Their only other columns are times. What a collection has taken, leases
and attempts are apart.
"""

import datetime as dt
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Engine,
    Float,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

BUSY_SECONDS = 60
SCHEMA_LOCK = 20171001  # any number, the same for all: PostgreSQL's name for "making the tables"


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


def open_database(url: str) -> Engine:
    """Connect, and make the tables where they are missing.

    No connection is kept between transactions, so the engine survives a fork and a server restart.
    Raises ValueError for a SQLite database without a file.
    """
    address = make_url(url)
    if address.drivername == "postgresql":  # else SQLAlchemy asks for a driver that we do not pin
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite":
        engine = create_engine(address, poolclass=NullPool)
    else:
        if address.database in (None, "", ":memory:"):
            raise ValueError(
                f"the ledger needs a file, {url} has none: use sqlite:///var/ledger.db"
            )
        file = Path(address.database or "").absolute()  # a later chdir must not move the ledger
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_ahead(file)
        engine = create_engine(
            address.set(database=str(file)),
            poolclass=NullPool,
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))
        metadata.create_all(connection)
    return engine


def _write_ahead(file: Path) -> None:
    """Let readers read while one writes; a property of the file, set once.

    SQLite does not wait for a lock here, unlike everywhere else, so several first users have to.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _prepare_sqlite(connection: Any, record: object) -> None:
    for setting in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that reads first could not be upgraded later."""
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

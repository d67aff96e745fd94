"""How the ledger's database is opened: SQLite by default, PostgreSQL by URL."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from tasks.ledger.address import address_of
from tasks.ledger.backup import BUSY_SECONDS, check_file
from tasks.ledger.revision import bring_up_to_date


def open_database(url: str) -> Engine:
    """Connect, and bring the tables to the schema of this code.

    No connection is kept between transactions, so the engine survives a fork and a server restart.
    Raises ValueError for a SQLite database without a file, UnusableLedgerError, which names the
    cure, for one that is damaged, lost or not a ledger of this code.
    """
    address = address_of(url)
    if address.get_backend_name() != "sqlite":
        engine = create_engine(address, poolclass=NullPool)
    else:
        if address.database in (None, "", ":memory:"):
            raise ValueError(
                f"the ledger needs a file, {address} has none: use sqlite:///var/ledger.db"
            )
        file = Path(address.database or "").absolute()  # a later chdir must not move the ledger
        file.parent.mkdir(parents=True, exist_ok=True)
        check_file(file)
        _write_ahead(file)
        engine = create_engine(
            address.set(database=str(file)),
            poolclass=NullPool,
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    bring_up_to_date(engine)
    return engine


def reading(engine: Engine) -> Connection:
    """A connection that sees one instant of the ledger, however many tables it asks."""
    one_instant = {"isolation_level": "REPEATABLE READ"}  # SQLite knows no other way
    options = {} if engine.dialect.name == "sqlite" else one_instant
    return engine.execution_options(reads=True, **options).connect()


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
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that reads first could not be upgraded later."""
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

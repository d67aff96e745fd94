"""A second copy of a SQLite ledger, and how damage to the first is found.

The copy is written whenever a lease is given back. One that is older than the ledger, because a
process was killed, is good too: what was learned since is learned again and gets the same names.
A PostgreSQL server has means of its own.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from shlex import quote

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tasks.bundle import sync_directory
from tasks.ledger.revision import UnusableLedgerError

log = logging.getLogger(__name__)
BUSY_SECONDS = 60
# The last one: the text of a table's definition is damaged.
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def check_file(file: Path) -> None:
    """Raise UnusableLedgerError for a file that is damaged, no ledger, or lost.

    Its pages, indexes' sizes and references are checked; what a value says is not.
    """
    if not file.exists() or not file.stat().st_size:
        if backup_of(file).exists():  # else nobody has used it yet
            raise _unusable(file, "empty" if file.exists() else "missing")
        return
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            loose = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as problem:
        if problem.sqlite_errorcode & 0xFF not in DAMAGE:
            raise
        raise _unusable(file, str(problem)) from problem
    if found != "ok":
        raise _unusable(file, found)
    if loose:
        raise _unusable(file, f"row {loose[1]} of '{loose[0]}' names a version that is not there")
    if names and "lines" not in names:
        raise _unusable(file, f"it holds other tables: {', '.join(sorted(names))}")


def back_up(engine: Engine) -> None:
    """Copy a SQLite ledger beside itself; a copy that cannot be made is an error in the log.

    Under the writer's lock, so that of two copies the later one stays.
    """
    if engine.dialect.name != "sqlite":
        return
    file = Path(str(engine.url.database))
    draft = file.with_name(f".{file.name}.draft")
    try:
        with engine.begin():
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)  # not from the writer's own connection: SQLite refuses that
            check_file(draft)
            draft.replace(backup_of(file))
            sync_directory(file.parent)
    except (OSError, SQLAlchemyError, sqlite3.Error, UnusableLedgerError) as problem:
        log.error("cannot write %s, the copy of the ledger: %s", backup_of(file), problem)


def backup_of(file: Path) -> Path:
    """Where the copy of a ledger's file is."""
    return file.with_name(f"{file.stem}-backup{file.suffix}")


def _unusable(file: Path, why: str) -> UnusableLedgerError:
    copy = backup_of(file)
    cure = f"mv {quote(str(file))}* ELSEWHERE/; cp {quote(str(copy))} {quote(str(file))}"
    if not copy.exists():
        cure = "there is no copy of it: see 'The ledger is damaged' in docs/how-to/run-it.md"
    return UnusableLedgerError(
        f"the ledger {file} cannot be used: {why}; nothing was changed. "
        f"With no run at work: {cure}"
    )

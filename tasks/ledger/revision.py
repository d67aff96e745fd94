"""Which revision of the schema a database has, and the way from there to this code's.

The table of the revision has a name of its own: a team may keep Prefect's tables, which are
Alembic's too, in the same database. Alembic is imported only when there is something to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, func, inspect, select

if TYPE_CHECKING:
    from alembic.config import Config

FIRST = "0001"
HEAD = "0003"  # the newest of migrations/versions; with it the tables are those of schema.py
MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 20171001  # any number, the same for all: PostgreSQL's name for "migrating"

revisions = Table("ledger_revision", MetaData(), Column("version_num", String(32)))


class UnusableLedgerError(RuntimeError):
    """The database is damaged, no ledger or a newer one; nothing in it was changed."""


def bring_up_to_date(engine: Engine) -> None:
    """Leave the database with the tables of this code, made or migrated in one transaction.

    Of several processes that come at once one migrates, and the others wait for it. Raises
    UnusableLedgerError, which names the cure.
    """
    with engine.execution_options(reads=True).connect() as connection:
        if _current(connection) == HEAD:  # nearly always: every process opens the ledger
            return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        _migrate(connection)


def alembic_config(connection: Connection) -> "Config":
    """Alembic's settings for work inside the transaction of `connection`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    """The database's revision; None where it has none."""
    if not inspect(connection).has_table(revisions.name):
        return None
    found: str | None = connection.execute(select(revisions)).scalar_one_or_none()
    return found


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(connection)
    scripts = ScriptDirectory.from_config(config)
    current = _current(connection)
    if current is None:
        if _was_made_before_migrations(connection, scripts.get_revision(FIRST).module.metadata):
            command.stamp(config, FIRST)
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        raise UnusableLedgerError(
            f"{connection.engine.url!r} has revision {current} of the ledger's tables, this code "
            f"knows {HEAD} and those before it: a newer Dayshift has been here. Update this "
            "checkout; nothing was changed"
        )
    command.upgrade(config, "head")


def _was_made_before_migrations(connection: Connection, first: MetaData) -> bool:
    """Whether the first tables are there; raises UnusableLedgerError if they are others."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    if not first.tables.keys() & set(inspect(connection).get_table_names()):
        return False

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or name in first.tables

    here = MigrationContext.configure(connection, opts={"include_name": is_ours})
    if differences := compare_metadata(here, first):
        raise UnusableLedgerError(
            f"{connection.engine.url!r} has tables with the names of the ledger's that are not "
            f"the ledger's: {differences[0]}. Name a database or schema of its own in "
            "DAYSHIFT_LEDGER_URL; nothing was changed"
        )
    return True

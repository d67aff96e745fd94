"""Alembic runs this for each of its commands; how migrations are run: tasks/ledger/revision.py."""

from alembic import context
from sqlalchemy import Connection

from tasks.ledger.ledger import open_ledger
from tasks.ledger.revision import revisions
from tasks.ledger.schema import metadata


def run(connection: Connection) -> None:
    """The command, in the transaction of whoever began one."""
    context.configure(
        connection=connection, target_metadata=metadata, version_table=revisions.name
    )
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    run(given)
else:  # a person's `alembic ...`: on the workspace's ledger
    with open_ledger().engine.begin() as own:
        run(own)

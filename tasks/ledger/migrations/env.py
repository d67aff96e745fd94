"""Alembic runs this for each of its commands, in the transaction that revision.py has begun."""

from alembic import context

from tasks.ledger.revision import revisions
from tasks.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=revisions.name,
)
with context.begin_transaction():
    context.run_migrations()

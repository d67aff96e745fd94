"""The first tables, as they were before there were migrations. Not to be changed."""

from typing import Any

from alembic import op
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
)

revision = "0001"
down_revision = None

metadata = MetaData()


def _name(name: str, **options: Any) -> Column[str]:
    return Column(name, String, nullable=False, **options)


def _version(column: str) -> ForeignKeyConstraint:
    """The column, if not null, names a version that the ledger knows."""
    return ForeignKeyConstraint(
        ["application", column], ["versions.application", "versions.version"]
    )


Table(
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
    Column("at", DateTime(timezone=True), nullable=False),
    _version("parent"),
    _version("predecessor"),
    _version("anchor"),
)
Table(
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
Table(
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
    Column("at", DateTime(timezone=True), nullable=False),
    _version("version"),
)
Table(
    "champions",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("version"),
    Column("day", Date, nullable=False),
    _name("action"),
    _name("reason"),
    _name("actor"),
    Column("at", DateTime(timezone=True), nullable=False),
    _version("version"),
)
Table(
    "attachments",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("name", primary_key=True),
    _name("version"),
    _name("sha256"),
    _version("version"),
)
Table(
    "snapshots",
    metadata,
    _name("application", primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _name("version"),
    _name("experiment"),
    Column("done", Boolean, nullable=False),
    _version("version"),
)

Table(
    "leases",
    metadata,
    _name("application", primary_key=True),
    Column("fencing", Integer, nullable=False),
    Column("owner", String),
    Column("host", String),
    Column("pid", Integer),
    Column("pid_started", Float),
    Column("taken_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
)
Table(
    "attempts",
    metadata,
    _name("attempt", primary_key=True),
    _name("application"),
    Column("day", Date, nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True)),
    Column("outcome", String),
    Column("seconds", JSON),
)


def upgrade() -> None:
    """Make them."""
    metadata.create_all(op.get_bind(), checkfirst=False)

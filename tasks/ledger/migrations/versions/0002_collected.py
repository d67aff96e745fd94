"""What a collection has taken."""

from alembic import op
from sqlalchemy import Column, DateTime, ForeignKeyConstraint, String

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A table of versions whose files went."""
    op.create_table(
        "collected",
        Column("application", String, primary_key=True),
        Column("version", String, primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        ForeignKeyConstraint(
            ["application", "version"], ["versions.application", "versions.version"]
        ),
    )

"""Of which challenger a person is asked."""

from alembic import op
from sqlalchemy import Column, String

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A column of the days; empty where nobody is asked."""
    op.add_column("days", Column("challenger", String))

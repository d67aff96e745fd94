"""Write the migration to the tables of schema.py: `python -m tasks.ledger.new_revision "what"`.

Read it before it is committed, and make it HEAD in revision.py: Alembic sees columns, not meaning.
"""

import sys
import tempfile

from alembic import command

from tasks.ledger.ledger import Ledger
from tasks.ledger.revision import HEAD, alembic_config


def new_revision(what: str) -> None:
    """Compare schema.py with a ledger of the newest revision, and write down the difference."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Ledger(f"sqlite:///{folder}/ledger.db").engine
        with engine.begin() as connection:
            config = alembic_config(connection)
            command.revision(config, what, autogenerate=True, rev_id=f"{int(HEAD) + 1:04}")


if __name__ == "__main__":
    new_revision(sys.argv[1])

"""A ledger as it is, carried to another database."""

from sqlalchemy import insert, select

from tasks.ledger import Ledger
from tasks.ledger.schema import metadata


def carry(there: Ledger, url: str) -> None:
    """All rows of a ledger into an empty one at `url`."""
    here = Ledger(url)
    with there.engine.connect() as source, here.engine.begin() as target:
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in source.execute(select(table))]
            if rows:
                target.execute(insert(table), rows)

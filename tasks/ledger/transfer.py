"""Take a ledger from one database to another: `python -m tasks.ledger.transfer FROM_URL`.

Into the one that DAYSHIFT_LEDGER_URL names (without it, the workspace's file), which must be
empty: from the file of one person to a team's server, or back.
"""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from tasks.ledger.ledger import Ledger, open_ledger
from tasks.ledger.schema import leases, metadata, versions


def transfer(source: Ledger, target: Ledger) -> dict[str, int]:
    """Copy every row, in one transaction; how many there were by table.

    Raises LeaseHeldError if a run is at work on the source, ValueError if the target is not empty.
    """
    with ExitStack() as stack:
        for application in source.contents()["lines"]:
            stack.enter_context(source.lease(application["application"]))
        reading = stack.enter_context(source.engine.begin())
        writing = stack.enter_context(target.engine.begin())
        if any(target.contents().values()):
            raise ValueError(f"{target.engine.url!r} has a ledger already: name an empty database")
        return {table.name: _copy(table, reading, writing) for table in metadata.sorted_tables}


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    rows = [dict(row) for row in reading.execute(select(table)).mappings()]
    if table is versions:
        rows = _parents_first(rows)
    if table is leases:  # the numbers go on, so that a run of before can write in neither
        rows = [row | {"owner": None, "expires_at": None} for row in rows]
    if rows:
        writing.execute(insert(table), rows)
    return len(rows)


def _parents_first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """In an order in which each version names only those before it."""
    by_name = {(row["application"], row["version"]): row for row in rows}
    named = ("parent", "predecessor", "anchor")
    before = {
        key: [(key[0], row[role]) for role in named if row[role] not in (None, key[1])]
        for key, row in by_name.items()
    }
    return [by_name[key] for key in TopologicalSorter(before).static_order()]


if __name__ == "__main__":
    copied = transfer(Ledger(sys.argv[1]), open_ledger())
    print(", ".join(f"{number} {name}" for name, number in copied.items()))
    print(f"Now move {sys.argv[1]} away: a run that does not name the new one would use it.")

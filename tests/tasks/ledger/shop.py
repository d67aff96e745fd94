"""A made-up line: day n is 2017-10-n, its content "content n", its version one digit repeated."""

import datetime as dt

from tasks.ledger import Champion, Day, Lease, Ledger, Line, Version
from tasks.records import Action

APPLICATION = "recommendation"
FIRST, SECOND, THIRD, FOURTH = (digit * 64 for digit in "abcd")


def date(number: int) -> dt.date:
    return dt.date(2017, 10, number)


def version(name: str, parent: str | None, number: int) -> Version:
    """A version whose predecessor is its parent, except for the first, which has none."""
    return Version(
        version=name,
        parent=parent,
        predecessor=parent,
        anchor=FIRST if parent else None,
        day=date(number),
        kind="promoted" if parent else "first",
        manifest=f"manifest of {name}",
    )


def learned(number: int, name: str, action: Action = "promote") -> Day:
    return Day(
        day=date(number),
        digest=f"content {number}",
        outcome="learned",
        version=name,
        action=action,
        reason="for the test",
        rows=100 * number,
    )


def champion(name: str, number: int, action: Action = "promote") -> Champion:
    return Champion(
        version=name, day=date(number), action=action, reason="better", actor="the gate"
    )


def start(ledger: Ledger, lease: Lease) -> Line:
    """The bootstrap: days 1 and 2 are history."""
    history = [learned(1, FIRST, "first"), learned(2, FIRST, "first")]
    first = champion(FIRST, 2, "first")
    return ledger.start_line(lease, version(FIRST, None, 2), history, first, {"card.md": "f" * 64})


def promote(ledger: Ledger, lease: Lease, name: str, head: str, number: int) -> Line:
    """Learn a day and put its challenger on the throne."""
    made = version(name, head, number)
    return ledger.commit_increment(
        lease, head, made, learned(number, name), champion(name, number), {"card.md": "e" * 64}
    )


def keep(ledger: Ledger, lease: Lease, name: str, head: str, number: int) -> Line:
    """Learn a day and keep the parameters that serve."""
    made = version(name, head, number).model_copy(
        update={"kind": "state only", "predecessor": None}
    )
    return ledger.commit_increment(lease, head, made, learned(number, name, "keep"))

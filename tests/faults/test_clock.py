"""Which day it is follows from the data: the machine's clock may be wrong by years."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLOCKS = {"now", "utcnow", "today", "time", "localtime", "gmtime"}
OWNERS = {"dt", "datetime", "date", "time", "Timestamp", "pd"}
# Times of entries and leases, and the age of a draft that a killed run left: no version and no
# verdict depends on them.
MAY_ASK = {"ledger/commit.py", "ledger/ledger.py", "ledger/lease.py", "bundle.py"} | {
    "alerts.py",  # how long nothing was learned
    "collect.py",  # what is too young to be removed
}


def asks(path: Path) -> bool:
    """Whether a module calls for the time of day."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in CLOCKS
        and ast.unparse(call.func.value).split(".")[-1] in OWNERS
        for call in calls
    )


@pytest.mark.fault(33)
def test_nothing_that_learns_or_decides_asks_the_clock() -> None:
    for package in ("tasks", "lightning_modules"):
        found = {
            path.relative_to(ROOT / package).as_posix()
            for path in (ROOT / package).rglob("*.py")
            if asks(path)
        }
        assert found == (MAY_ASK if package == "tasks" else set())

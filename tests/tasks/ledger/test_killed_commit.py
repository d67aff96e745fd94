"""A process that dies at any statement of a commit leaves the old ledger or the new one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tasks.ledger import Day, Lease, Ledger
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, FOURTH, SECOND, THIRD, date

Write = Callable[[Ledger, Lease], object]
DIED = 9


def _start(ledger: Ledger, lease: Lease) -> None:
    shop.start(ledger, lease)


def _increment(ledger: Ledger, lease: Lease) -> None:
    shop.promote(ledger, lease, THIRD, SECOND, 4)


def _quarantine(ledger: Ledger, lease: Lease) -> None:
    ledger.quarantine(lease, date(4), "content 4", "bad")


def _rewind(ledger: Ledger, lease: Lease) -> None:
    again = Day(day=date(3), digest="content 3", outcome="rewound", reason="an operator")
    made = shop.version(FOURTH, SECOND, 2)
    ledger.rewind(lease, SECOND, made, [again], shop.champion(FOURTH, 3, "roll_back"))


def _snapshot(ledger: Ledger, lease: Lease) -> None:
    ledger.snapshot_done(ledger.missing_snapshots(APPLICATION)[0])


@pytest.mark.parametrize("write", [_start, _increment, _quarantine, _rewind, _snapshot])
@pytest.mark.fault(1, 2)
def test_killed_anywhere_leaves_old_or_new_and_can_be_run_again(
    write: Write, url: str, tmp_path: Path
) -> None:
    ledger, unharmed = Ledger(url), Ledger(f"sqlite:///{tmp_path / 'unharmed.db'}")
    with unharmed.lease(APPLICATION) as lease:
        _prepare(unharmed, lease, write)
        old = unharmed.contents()
        write(unharmed, lease)
        new = unharmed.contents()
    assert old != new
    with ledger.lease(APPLICATION) as lease:
        _prepare(ledger, lease, write)
        deaths = 0
        while _dies_at(deaths + 1, ledger, lease, write):
            deaths += 1
            assert ledger.contents() == old
        assert ledger.contents() == new  # the child that outlived its last statement
    assert deaths > 5 if write is not _snapshot else deaths > 1


def _prepare(ledger: Ledger, lease: Lease, write: Write) -> None:
    if write is not _start:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)


def _dies_at(moment: int, ledger: Ledger, lease: Lease, write: Write) -> bool:
    """Write in a child that dies at its n-th moment; whether it came to that."""
    child = os.fork()
    if child == 0:
        _die_at(moment, ledger.engine)
        try:
            write(ledger, lease)
            os._exit(0)
        except BaseException:  # noqa: BLE001  a forked child must never return into pytest
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, DIED)
    return os.waitstatus_to_exitcode(status) == DIED


def _die_at(moment: int, engine: Engine) -> None:
    """The moments: before and after each statement, and before the commit."""
    passed = 0

    def moment_passes(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == moment:
            os._exit(DIED)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, moment_passes)

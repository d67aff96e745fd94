"""A real SIGKILL before each durable operation of a promotion, the ledger on either database.

On the disk it leaves what the walk of `test_crash_points.py` takes it to leave.
"""

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger
from tasks.ledger.transfer import transfer
from tests import line
from tests.faults import children, crash_points, journeys, operations
from tests.faults.test_crash_points import EVERY
from tests.line import Place

pytestmark = [pytest.mark.slow, pytest.mark.fault(1, 2)]
STRIDE = 1 if EVERY else 12
LEDGER = "var/ledger.db"  # its bytes hold times


def promote(place: Place) -> None:
    """The evening's attempt is settled: bundle, attachments, the line."""
    line.settle(place, line.attempt(), "promote")


def looked_at(template: Path, folder: Path) -> list[str]:
    """The state of the disk before each durable operation, in one undisturbed run."""
    states: list[str] = []
    known: dict[tuple[int, ...], str] = {}

    def look(operation: str, target: str) -> None:
        states.append(crash_points.signature(folder, known, but=LEDGER))

    with line.open_copy(template, folder) as place:
        operations.watch(look, folder)
        promote(place)
    return states


def go_on(place: Place) -> dict[str, Any]:
    """The daily flow, without snapshots; the truth at its end."""
    journeys.leave_snapshots()
    journeys.learn(1, "promote")(place)
    return journeys.truth(place)


def unharmed(template: Path, folder: Path) -> dict[str, Any]:
    with line.open_copy(template, folder) as place:
        return go_on(place)


@pytest.mark.timeout(3600)
def test_a_promotion_killed_at_any_operation(
    url: str,
    evening_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    postgres = url.startswith("postgresql")
    expected = children.answer("unharmed", partial(unharmed, evening_template, tmp_path / "whole"))
    states = children.answer("looks", partial(looked_at, evening_template, tmp_path / "looks"))
    assert len(states) > 100
    kills = 0
    for number in range(1, len(states) + 1, STRIDE):
        with line.open_copy(evening_template, tmp_path / f"killed at {number}") as place:
            if postgres:
                fresh = request.getfixturevalue("postgres").new_schema()
                transfer(place.ledger, Ledger(fresh))
                monkeypatch.setenv("DAYSHIFT_LEDGER_URL", fresh)
                place = Place(place.root, place.params, Ledger(fresh))

            def work(place: Place = place, number: int = number) -> None:
                operations.kill_at(number, place.root)
                promote(place)

            ended = children.wait(children.fork(f"kill {number}", work))
            if postgres and ended.status == 0:
                break  # it was at its end: a ledger elsewhere writes no file here
            assert ended.status == -signal.SIGKILL, ended.said
            if not postgres:
                assert crash_points.signature(place.root, but=LEDGER) == states[number - 1]
            found = children.answer(f"after kill {number}", partial(go_on, place))
            assert found == expected, f"killed before operation {number}"
            kills += 1
        monkeypatch.delenv("DAYSHIFT_LEDGER_URL", raising=False)
    assert kills >= 8
    record_property("kills", kills)
    record_property("database", "postgresql" if postgres else "sqlite")

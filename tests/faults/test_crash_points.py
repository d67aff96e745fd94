"""kill -9 before every durable operation; whoever goes on ends where an unharmed run would have.

`DAYSHIFT_FAULTS=every` looks at every turn of a loop; else its first stands for all.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tasks import workspace
from tests import line
from tests.faults import children, journeys, operations
from tests.faults.crash_points import Point, State, Walk
from tests.faults.journeys import JOURNEYS, Journey
from tests.runs import opened

pytestmark = [pytest.mark.slow, pytest.mark.fault(1, 2, 3)]
SEEN: set[tuple[str, ...]] = set()  # by another journey: what only shows what is committed
EVERY = os.environ.get("DAYSHIFT_FAULTS") == "every"


@pytest.fixture
def start(request: pytest.FixtureRequest, journey: Journey, tmp_path: Path) -> Path:
    """The workspace in which the journey begins."""
    with line.open_copy(request.getfixturevalue(journey.template), tmp_path / "start") as place:
        journey.prepare(place)
    return place.root


def travel(journey: Journey, start: Path, folder: Path) -> dict[str, Any]:
    """The journey in a copy of a workspace; the truth at its end."""
    with line.open_copy(start, folder) as place:
        journey.work(place)
        return journeys.truth(place)


def walk(journey: Journey, start: Path, folder: Path) -> Walk:
    """Every point of the journey, and a copy of every state."""
    found = Walk(folder / "walk", folder / "states", EVERY, set(SEEN))

    def work() -> tuple[list[Point], list[State]]:
        with line.open_copy(start, found.root) as place:
            operations.watch(found.look, found.root)
            journey.work(place)
            found.look("end", "")
        return found.points, found.states

    found.points, found.states = children.answer("walk", work)
    SEEN.update(state.point.site for state in found.states if state.point.view)
    return found


def go_on(journey: Journey, state: State) -> dict[str, Any]:
    """The same journey once more, in a workspace as a kill left it; the truth at its end.

    Where the kill was not within a snapshot, snapshots are left out: they follow from what is
    committed, which is compared. `EVERY` makes them all the same.
    """
    whole = EVERY or state.point.view
    if not whole:
        journeys.leave_snapshots()
    code = mock.patch.object(workspace, "code_revision", lambda: line.CODE)
    with opened(state.folder) as place, code:
        journey.work(place)
        found = journeys.truth(place)
    shutil.rmtree(state.folder)
    return found if whole else journeys.committed(found)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_killed_at_any_durable_operation(
    journey: Journey, start: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    unharmed = children.answer("unharmed", partial(travel, journey, start, tmp_path / "unharmed"))
    found = walk(journey, start, tmp_path)
    print(f"{journey.name}: {len(found.points)} points, {len(found.states)} states")
    works = [(str(state.point), partial(go_on, journey, state)) for state in found.states]
    for ended in children.ended(works):
        assert ended.status == 0, f"killed before {ended.name}: {ended.said}"
        expected = unharmed if "shown" in ended.answer else journeys.committed(unharmed)
        wrong = [name for name in expected if ended.answer[name] != expected[name]]
        assert not wrong, f"killed before {ended.name}, these came out otherwise: {wrong}"
    record_property("points", len(found.points))
    record_property("states", len(found.states))
    record_property("database", "sqlite")

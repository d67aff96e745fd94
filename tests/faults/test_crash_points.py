"""kill -9 before every durable operation; whoever goes on ends where an unharmed run would have.

`DAYSHIFT_FAULTS=all` (make faults) looks at every turn of a loop; else its first stands for all.
"""

import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tasks import workspace
from tests import line
from tests.faults import children, crash_points, journeys
from tests.faults.crash_points import Point, State, Walk
from tests.faults.journeys import JOURNEYS, Journey
from tests.runs import opened

pytestmark = [pytest.mark.slow, pytest.mark.fault(1, 2, 3)]
SEEN: set[tuple[str, ...]] = set()  # by another journey: what only shows what is committed
EVERY = os.environ.get("DAYSHIFT_FAULTS") == "all"


@pytest.fixture
def start(request: pytest.FixtureRequest, journey: Journey, tmp_path: Path) -> Path:
    """The workspace in which the journey begins."""
    with line.open_copy(request.getfixturevalue(journey.template), tmp_path / "start") as place:
        journey.prepare(place)
    return place.root


def travel(journey: Journey, start: Path, folder: Path) -> object:
    """The journey in a copy of a workspace; the truth at its end."""
    with line.open_copy(start, folder) as place:
        journey.work(place)
        return journeys.truth(place)


def walk(journey: Journey, start: Path, folder: Path) -> Walk:
    """Every point of the journey, and a copy of every state."""
    found = Walk(folder / "walk", folder / "states", EVERY, set(SEEN))

    def work() -> tuple[list[Point], list[State]]:
        with line.open_copy(start, found.root) as place:
            crash_points.watch(found.look, found.root)
            journey.work(place)
            found.look("end", "")
        return found.points, found.states

    found.points, found.states = children.answer("walk", work)
    SEEN.update(state.point.site for state in found.states if state.point.view)
    return found


def go_on(journey: Journey, root: Path) -> object:
    """The same journey once more, in a workspace as a kill left it; the truth at its end."""
    with opened(root) as place, mock.patch.object(workspace, "code_revision", lambda: line.CODE):
        journey.work(place)
        found = journeys.truth(place)
    shutil.rmtree(root)
    return found


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_killed_at_any_durable_operation(
    journey: Journey, start: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    t = time.time()
    expected = children.answer("unharmed", lambda: travel(journey, start, tmp_path / "unharmed"))
    print("unharmed", time.time() - t)
    t = time.time()
    found = walk(journey, start, tmp_path)
    print(journey.name, "walk", time.time() - t, len(found.points), len(found.states), flush=True)
    for state in found.states:
        print("   ", state.point)
    t = time.time()
    works = [(str(state.point), partial(go_on, journey, state.folder)) for state in found.states]
    wrong = [end for end in children.ended(works) if end.status or end.answer != expected]
    print("recovered", time.time() - t)
    for end in wrong:
        print("WRONG", end.name, end.status, end.said[-1500:], difference(end.answer, expected))
    assert not wrong
    record_property("points", len(found.points))
    record_property("states", len(found.states))
    record_property("database", "sqlite")


def difference(found: dict[str, Any] | None, expected: dict[str, Any]) -> dict[str, Any]:
    """What came out otherwise."""
    there = found or {}
    return {k: (there.get(k), expected[k]) for k in expected if there.get(k) != expected[k]}

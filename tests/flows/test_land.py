"""Landing by flow: the next day, the same day again, a correction."""

from pathlib import Path

import pytest

from tasks import git, workspace
from tests.line import Place, nth
from tests.runs import Flows

pytestmark = pytest.mark.slow


def land(flows: Flows, *day: str) -> str:
    """Run the flow; what it said."""
    done = flows.run("-m", "flows.land", *day)
    assert done.code == 0, done.said
    return done.said


def test_the_next_day_then_the_same_bytes_then_others(place: Place, flows: Flows) -> None:
    before = git.head(workspace.REGISTRY)
    assert f"{nth(5)}: landed" in land(flows)
    landed = git.head(workspace.REGISTRY)
    assert git.git(workspace.REGISTRY, "rev-parse", "HEAD~1") == before
    assert f"{nth(5)}: unchanged" in land(flows, "--day", str(nth(5)))
    assert git.head(workspace.REGISTRY) == landed
    file = Path(place.params.shop.source["events"]) / f"{nth(5)}.csv"
    text = file.read_text()
    try:
        file.write_text(text.replace("centre", "harbour"))
        assert f"{nth(5)}: corrected" in land(flows, "--day", str(nth(5)))
    finally:
        file.write_text(text)
    assert git.head(workspace.REGISTRY) != landed
    assert workspace.registry_days()[-1] == nth(5)

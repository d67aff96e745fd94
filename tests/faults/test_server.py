"""Prefect's server dies in mid-flow, and everything is stopped for days."""

from typing import Any

import psutil
import pytest

from tasks import workspace
from tasks.verify import verify
from tests import line
from tests.flows.serving import DAILY, Served, serving, started, wait_for
from tests.line import APPLICATION, Place, land_days, nth

pytestmark = pytest.mark.slow


def begin(served: Served) -> str:
    """A run of the night's deployment, asked for by hand: its id."""
    nightly = served.deployment(DAILY)["id"]
    asked: Any = served.ask(
        "POST",
        f"/deployments/{nightly}/create_flow_run",
        parameters={"application": APPLICATION},
    )
    return str(asked["id"])


@pytest.mark.fault(23)
@pytest.mark.fault(24)
def test_a_server_killed_in_mid_flow_and_days_that_land_while_nothing_is_served(
    place: Place,
) -> None:
    """Started again days later, one run learns all that is due, in order, each day once."""
    with started(place) as (served, process):
        begin(served)
        attempts = workspace.ATTEMPTS / APPLICATION
        wait_for(lambda: list(attempts.glob("*/prequential.json")), 120)  # a day is at work
        children = psutil.Process(process.pid).children(recursive=True)
        (server,) = [one for one in children if "server" in one.cmdline()]
        server.kill()
        assert process.wait(60) == 1
        said = (place.root / "serve.log").read_text()
        assert "the server ended with exit code -9" in said
    assert psutil.wait_procs(children, timeout=1)[1] == []  # a run without its server is stopped
    before = place.ledger.history(APPLICATION)
    assert len([entry for entry in before if entry.day >= nth(1)]) < line.LANDED
    land_days(place, line.LANDED + 1)
    with serving(place) as served:
        nightly = served.deployment(DAILY)["id"]
        # The nights to come are there again.
        assert wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
        ended = served.ended(begin(served), 240)
        assert ended["state_name"] == "Completed", ended["state"]["message"]
    learned = [
        entry.day
        for entry in place.ledger.history(APPLICATION)
        if entry.day >= nth(1) and entry.outcome == "learned"
    ]
    assert learned == [nth(number) for number in range(1, line.LANDED + 2)]
    assert verify(place.ledger, APPLICATION).damage == ()

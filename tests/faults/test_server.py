"""Prefect's server dies in the middle of a run, or everything is stopped for days."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from flows.server import HOST, free_port
from tests import line
from tests.flows.serving import DAILY, serving, wait_for
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, check_whole, experiments, finish, opened

pytestmark = pytest.mark.slow


@pytest.fixture
def doomed(flows: Flows, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", Flows]]:
    """Another server, to be killed, and the way to run flows that report to it."""
    port, home = free_port(), tmp_path / "prefect"
    address = f"http://{HOST}:{port}/api"
    own = {"PREFECT_HOME": str(home), "PREFECT_API_URL": address}
    there = Flows({**flows.environment, **own})
    home.mkdir()
    with chdir(home):
        server = there.start(
            "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)
        )
    try:
        assert server.stdout
        said = iter(server.stdout.readline, "")
        assert any(address.removesuffix("/api") in text for text in said)
        yield server, there
    finally:
        server.kill()
        server.communicate()


@pytest.mark.fault(23)
def test_the_server_is_killed_in_the_middle_of_a_run(
    place: Place,
    caught_up_template: Path,
    flows: Flows,
    doomed: tuple["subprocess.Popen[str]", Flows],
) -> None:
    """Whatever becomes of that run, the ledger says what was learned and the next one goes on."""
    server, there = doomed
    with chdir(place.root):
        run = there.start("-m", "flows.daily")
        wait_for(lambda: place.ledger.attempts(APPLICATION), 120)  # it has begun to learn
        assert run.poll() is None
        server.send_signal(signal.SIGKILL)
        ended = finish(run)
        print(f"the run ended with {ended.code} and stood at {place.line.day}")
        flows.learn()
        check_whole(place)
    with opened(caught_up_template) as caught_up:
        assert place.ledger.contents() == caught_up.ledger.contents()
    assert experiments(place.root) == experiments(caught_up_template)


@pytest.mark.fault(24)
def test_days_that_landed_while_nothing_was_served_are_learned_in_order(place: Place) -> None:
    """Stopped with SIGTERM, started days later: one run learns all that is due."""
    with serving(place) as served:
        nightly = served.deployment(DAILY)["id"]
        wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
    land_days(place, line.LANDED + 1)
    with serving(place) as served:
        runs: Any = wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
        assert runs  # the nights to come are there again
        made = served.ask("POST", f"/deployments/{nightly}/create_flow_run")
        ended = served.ended(made["id"], 240)
        assert ended["state_name"] == "Completed", ended["state"]["message"]
    learned = [
        entry.day
        for entry in place.ledger.history(APPLICATION)
        if entry.day >= nth(1) and entry.outcome == "learned"
    ]
    assert learned == [nth(number) for number in range(1, line.LANDED + 2)]

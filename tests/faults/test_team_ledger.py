"""The ledger on a team's PostgreSQL: the daily flow loses nothing and learns nothing twice."""

import datetime as dt
import os
import signal
import subprocess
import time

import pytest
from sqlalchemy import update

from tasks.ledger.schema import leases
from tests.databases import Server
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import ROLLBACK, Flows, check_whole, finish

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("postgres_url")]
# Says when the steps of a day are done, and waits there, so that a test can strike in between.
LATE = """
import time
from tasks.ledger import Ledger
commit = Ledger.commit_increment
def late(*arguments, **named):
    print("about to commit", flush=True)
    time.sleep(%s)
    return commit(*arguments, **named)
Ledger.commit_increment = late
from flows.daily import daily_increment
daily_increment()
"""


def started(flows: Flows, seconds: float) -> "subprocess.Popen[str]":
    """A daily run that stands `seconds` before its commit."""
    process = flows.start("-c", LATE % seconds)
    assert process.stdout
    said = []
    for text in process.stdout:
        said.append(text)
        if "about to commit" in text:
            return process
    raise AssertionError("".join(said))


def learned(place: Place) -> list[int]:
    """Which day after history each entry is that learned one, in order."""
    history = place.ledger.history(APPLICATION)
    return [(e.day - nth(0)).days for e in history if e.outcome == "learned" and e.day > nth(0)]


@pytest.mark.fault(1, 22)
def test_a_kill_two_days_and_a_rollback(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5, 6)
    truth = caught_up.ledger.contents()
    killed = started(flows, 60)
    killed.kill()
    killed.communicate()
    assert caught_up.ledger.contents() == truth
    began = time.monotonic()
    with caught_up.ledger.lease(APPLICATION):  # its holder is dead: nobody waits for the clock
        assert time.monotonic() - began < 2
    flows.learn()
    assert learned(caught_up) == [1, 2, 3, 4, 5, 6]
    check_whole(caught_up)
    before = caught_up.line
    done = flows.run("-c", ROLLBACK % "'a bad week', 'relearn'")
    assert done.code == 0, done.said
    assert caught_up.line.day < before.day
    flows.learn()
    assert (caught_up.line.head, caught_up.line.day) == (before.head, nth(6))


@pytest.mark.fault(20)
def test_of_eight_runs_at_once_each_day_is_learned_by_one(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    runs = [finish(run) for run in [flows.start("-m", "flows.daily") for _ in range(8)]]
    assert learned(caught_up) == [1, 2, 3, 4, 5]
    assert any(run.code == 0 for run in runs)
    for run in runs:
        assert run.code == 0 or "'recommendation' is held by dayshift (process " in run.said
    check_whole(caught_up)


@pytest.mark.fault(21)
def test_who_was_stopped_and_replaced_cannot_write(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    zombie = started(flows, 0)
    os.kill(zombie.pid, signal.SIGSTOP)
    with caught_up.ledger.engine.begin() as connection:  # it has been stopped for long enough
        connection.execute(update(leases).values(expires_at=dt.datetime.now(dt.UTC)))
    said = flows.learn()
    assert "taking over 'recommendation' from dayshift, which is gone" in said
    truth = caught_up.ledger.contents()
    os.kill(zombie.pid, signal.SIGCONT)
    woken = finish(zombie)
    assert woken.code != 0
    assert "has lost the lease of 'recommendation'" in woken.said
    assert "nothing was written. Run again: what is learned is skipped" in woken.said
    assert caught_up.ledger.contents() == truth
    assert learned(caught_up) == [1, 2, 3, 4, 5]
    check_whole(caught_up)


@pytest.mark.fault(22)
def test_a_server_that_goes_down_in_mid_run(
    caught_up: Place, flows: Flows, postgres: Server
) -> None:
    land_days(caught_up, 5)
    truth = caught_up.ledger.contents()
    cut_off = started(flows, 2)
    postgres.stop()
    try:
        done = finish(cut_off)
    finally:
        postgres.start()
    assert done.code != 0
    assert "Is the server running" in done.said
    assert caught_up.ledger.contents() == truth
    flows.learn()
    assert learned(caught_up) == [1, 2, 3, 4, 5]
    check_whole(caught_up)

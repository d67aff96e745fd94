"""Past days replayed in a directory of their own: stopped, gone on with, nothing live touched."""

import signal
from pathlib import Path

import pytest

from tests.line import APPLICATION, Place, nth
from tests.runs import Flows, check_whole, contents, opened

pytestmark = pytest.mark.slow
REPLAY = Path(".workspaces/backfill")


def test_a_stopped_backfill_goes_on_and_nothing_live_changes(
    caught_up: Place, flows: Flows
) -> None:
    mine = (str(REPLAY.parent), "var/prefect")
    live, line = contents(caught_up.root, leave_out=mine), caught_up.line
    days = ("--from-day", str(nth(-1)), "--through-day", str(nth(3)))
    command = ("-m", "flows.backfill", *days)
    process = flows.start(*command)
    assert process.stdout
    while text := process.stdout.readline():  # stopped when the first of its days is learned
        if "tasks.decide" in text and str(nth(0)) in text:
            break
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done = flows.run(*command)
    assert done.code == 0, done.said
    assert "first champion:" not in done.said  # it was there already
    with opened(caught_up.root / REPLAY) as replay:
        history = replay.ledger.history(APPLICATION)
        learned = [entry.day for entry in history if entry.action != "first"]
        assert learned == [nth(number) for number in (-1, 0, 1, 2, 3)]
        check_whole(replay)
    assert caught_up.line == line
    assert contents(caught_up.root, leave_out=mine) == live

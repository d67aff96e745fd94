"""SIGKILL at random instants, again and again, to children that catch up on several days.

A child is the daily flow's body, forked warm, in a group of its own that dies with it: Git's
processes too. Each chain of kills ends with a run that is left in peace, and must end where one
that was never disturbed has ended. `make faults` kills 200 times on each database.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger
from tasks.ledger.transfer import transfer
from tests import line
from tests.faults import children, journeys
from tests.line import Place

pytestmark = [pytest.mark.slow, pytest.mark.fault(1, 18)]
KILLS = 200 if "DAYSHIFT_FAULTS" in os.environ else 20  # on each database
CHAIN = 10
DAYS = 3
SLOWEST = 3.0  # seconds until the kill; a day takes one to two
SEED = 20171001


@pytest.fixture(scope="module")
def undisturbed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The truth that all must end in."""
    place = tmp_path_factory.mktemp("undisturbed") / "place"
    return dict(children.answer("undisturbed", lambda: catch_up_in(template, place)))


def catch_up(place: Place) -> dict[str, Any]:
    """The next days, each with its snapshot, then the truth."""
    journeys.learn(DAYS)(place)
    return journeys.truth(place)


def catch_up_in(template: Path, folder: Path) -> dict[str, Any]:
    with line.open_copy(template, folder) as place:
        return catch_up(place)


def killed(place: Place, instant: float) -> bool:
    """Let a child catch up until the instant; whether it was still at it."""
    child = children.fork(f"killed after {instant:.2f} s", lambda: catch_up(place))
    time.sleep(instant)
    os.killpg(child.pid, signal.SIGKILL)
    ended = children.wait(child)
    assert ended.status in (0, -signal.SIGKILL), ended.said
    return ended.status != 0


@pytest.mark.timeout(7200)
def test_killed_at_random_again_and_again(
    url: str,
    template: Path,
    undisturbed: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    luck, kills, chains = random.Random(SEED), 0, 0
    while kills < KILLS:
        chains += 1
        folder = tmp_path / f"chain {chains}"
        with line.open_copy(template, folder) as place:
            if url.startswith("postgresql"):
                fresh = request.getfixturevalue("postgres").new_schema()
                transfer(place.ledger, Ledger(fresh))
                monkeypatch.setenv("DAYSHIFT_LEDGER_URL", fresh)
                place = Place(place.root, place.params, Ledger(fresh))
            for _ in range(CHAIN):
                if not killed(place, luck.uniform(0, SLOWEST)):
                    break
                kills += 1
            found = children.answer("left in peace", partial(catch_up, place))
            assert found == undisturbed, f"chain {chains} of seed {SEED}"
        monkeypatch.delenv("DAYSHIFT_LEDGER_URL", raising=False)
    record_property("kills", kills)
    record_property("database", url.split(":")[0].split("+")[0])

"""kill -9 at a random instant of a run; the next run ends where an unharmed one would have."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests import line
from tests.line import APPLICATION, nth
from tests.runs import Flows, check_whole, experiments, opened

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("DAYSHIFT_KILLS", "4"))


def said_when(process: "subprocess.Popen[str]") -> tuple[list[float], str]:
    """When each line came, in seconds since the first, and all of them."""
    assert process.stdout
    lines, times = [], []
    for text in process.stdout:
        lines.append(text)
        times.append(time.monotonic())
    assert process.wait() == 0, "".join(lines)
    return [at - times[0] for at in times], "".join(lines)


def kill_at(process: "subprocess.Popen[str]", instant: float, times: list[float]) -> bool:
    """Kill at the instant of the unharmed run, counted from the line that was said before it."""
    assert process.stdout
    line_before = sum(at <= instant for at in times)
    for _ in range(line_before):
        process.stdout.readline()
    time.sleep(instant - times[line_before - 1] if line_before else -instant)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def truth(root: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The ledger and the experiments of a workspace, which is looked at closely."""
    with opened(root) as place:
        check_whole(place)
        return place.ledger.contents(), experiments(root)


@pytest.fixture(scope="module")
def two_days_due(caught_up_template: Path) -> Path:
    """Two days landed and not yet pulled."""
    with line.open_copy(caught_up_template, caught_up_template.with_name("two due")) as place:
        line.land_days(place, 5, 6)
    return place.root


@pytest.fixture(scope="module")
def unharmed(two_days_due: Path, flows: Flows) -> tuple[Path, list[float]]:
    """The reference, and when it said what."""
    with line.open_copy(two_days_due, two_days_due.with_name("unharmed")) as place:
        times, said = said_when(flows.start("-m", "flows.daily"))
        assert place.line.day == nth(6), said
    return place.root, times


def instants(end: float) -> list[float]:
    """One random instant in each of equal parts of the run; the first during the imports."""
    generator = random.Random(20171001)
    first = -generator.uniform(0.1, 1.5)
    parts = KILLS - 1
    return [first, *(end * (part + generator.random()) / parts for part in range(parts))]


@pytest.mark.timeout(1800)
@pytest.mark.fault(1)
def test_a_killed_run_is_made_good_by_the_next(
    two_days_due: Path, unharmed: tuple[Path, list[float]], flows: Flows, tmp_path: Path
) -> None:
    reference, times = unharmed
    expected = truth(reference)
    killed = []
    for number, instant in enumerate(instants(times[-1])):
        with line.open_copy(two_days_due, tmp_path / f"kill-{number}") as place:
            killed.append(kill_at(flows.start("-m", "flows.daily"), instant, times))
            stood = (place.line.day, len(place.ledger.missing_snapshots(APPLICATION)))
            flows.learn()
            print(f"{instant:6.2f} s of {times[-1]:.2f} s: {killed[-1]}, stood at {stood}")
        assert truth(place.root) == expected, f"killed at {instant:.2f} s, then at {stood}"
    assert sum(killed) >= KILLS - 1  # the last instant may come after the end

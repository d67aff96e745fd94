"""What does an increment cost beside its learning?

`make bench-overhead` replays nine days in a workspace of its own: after the first, which pays for
the imports, every increment is a warm one. Then it starts the server and worker of that workspace
and lets them learn three days, one run each: the cold ones. `--quick` takes three days and one.
Seconds per step are those that the ledger's attempts note; what lies between them is the
orchestration's. `--workspace DIR` reads the warm ones of a workspace that has learned days in one
process, and starts no server; neither form is to be quoted.
"""

import argparse
import contextlib
import datetime as dt
import itertools
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import findings
from benchmarks.findings import Finding
from benchmarks.replay import APPLICATION, FIRST, replay
from tasks.ledger import Attempt, open_ledger

log = logging.getLogger(__name__)

OWN_WORKSPACE = Path(".workspaces/bench-overhead")
DEPLOYMENT = f"daily-increment/{APPLICATION}"
PORT = 4290
WARM = "warm, in a backfill"
COLD = "cold, by a worker"
LEARNING = ("prequential", "fine_tune", "evaluate")  # scoring and training, whoever asks for it
BETWEEN = "between steps"
BESIDE = "all beside learning"
WALL = "wall"
NOTES = (
    "Learning is scoring and training: prequential, fine_tune and evaluate. All else is beside "
    "it, the learner's own part of promote (its state takes the day) included.",
    "A warm increment lasts from its start to the next one's; a cold one from the run's creation "
    "to its completion, the worker's poll, the process and its imports included.",
)
BARS = {(WARM, BESIDE): 4.0, (COLD, WALL): 20.0}  # seconds, of the median


class NoAttemptsError(LookupError):
    """The workspace's ledger has too few finished attempts to say anything."""


def warm_seconds(attempts: list[Attempt]) -> pd.DataFrame:
    """Seconds per step of every increment that followed another one in the same process.

    An increment lasts from its start to the start of the next, so that nothing that happens in
    between is lost. The first one, which pays for imports, and the last one, whose end is not
    known, are left out. Raises NoAttemptsError when that leaves none.
    """
    done = [attempt for attempt in attempts if attempt.ended and attempt.seconds]
    rows = []
    for this, following in itertools.pairwise(done[1:]):
        wall = (following.started - this.started).total_seconds()
        rows.append(with_totals(this.seconds or {}, wall))
    if not rows:
        raise NoAttemptsError(
            f"{len(done)} finished attempts are too few: learn three days or more"
        )
    return pd.DataFrame(rows).fillna(0.0)


def with_totals(seconds: dict[str, float], wall: float) -> dict[str, float]:
    """Steps, what lies between them, all beside learning, and the wall, in seconds."""
    learning = sum(seconds.get(step, 0.0) for step in LEARNING)
    between = wall - sum(seconds.values())
    return {**seconds, BETWEEN: between, BESIDE: wall - learning, WALL: wall}


def cold_seconds(workspace: Path, days: list[dt.date]) -> pd.DataFrame:
    """Land each day and let the workspace's worker learn it; seconds from created to completed.

    Raises RuntimeError when a run does not complete. Needs `serving`.
    """
    walls = []
    for day in days:
        subprocess.run([sys.executable, "-m", "tasks.land", str(day)], cwd=workspace, check=True)
        walls.append(_seconds_of_a_run())
        log.info("%s: %.1f s from created to completed", day, walls[-1])
    noted = attempts_of(workspace)[-len(days) :]
    return pd.DataFrame(
        [with_totals(one.seconds or {}, wall) for one, wall in zip(noted, walls, strict=True)]
    ).fillna(0.0)


def _seconds_of_a_run() -> float:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(DEPLOYMENT)
        run = client.create_flow_run_from_deployment(deployment.id)
        while run.state is None or not run.state.is_final():
            time.sleep(0.5)
            run = client.read_flow_run(run.id)
    if not (run.state.is_completed() and run.created and run.end_time):
        raise RuntimeError(
            f"run {run.name} of {DEPLOYMENT} ended as {run.state_name}: see its log"
        )
    return (run.end_time - run.created).total_seconds()


@contextlib.contextmanager
def serving(workspace: Path, patience: float = 120) -> Iterator[None]:
    """The workspace's own server, worker and deployments, up for the length of the block.

    Raises TimeoutError when no worker is ready for DEPLOYMENT within `patience` seconds.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings

    command = [sys.executable, "-m", "flows.serve", "--port", str(PORT)]
    process = subprocess.Popen(command, cwd=workspace)
    try:
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{PORT}/api"}):
            until = time.monotonic() + patience
            while not _ready():
                if time.monotonic() > until or process.poll() is not None:
                    raise TimeoutError(f"no worker for {DEPLOYMENT}: does `make serve` work?")
                time.sleep(0.5)
            yield
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=60)


def _ready() -> bool:
    """Whether the server answers, knows the deployment and has heard from a worker for it."""
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        with get_client(sync_client=True) as client:
            return client.read_deployment_by_name(DEPLOYMENT).status == "READY"
    except (HTTPError, ObjectNotFound):
        return False


def attempts_of(workspace: Path) -> list[Attempt]:
    """What the workspace's ledger noted, in order."""
    with contextlib.chdir(workspace):
        return open_ledger().attempts(APPLICATION)


def summarise(seconds: pd.DataFrame, method: str) -> list[Finding]:
    """Median and 10th to 90th percentile of each column over increments."""
    found = []
    for step in seconds.columns:
        values = seconds[step].to_numpy(np.float64)
        low, high = np.percentile(values, [10, 90])
        bar = BARS.get((method, step))
        middle = float(np.median(values))
        found.append(
            Finding(
                measure=f"seconds: {step}",
                application=APPLICATION,
                method=method,
                value=middle,
                unit="s",
                interval=(float(low), float(high)),
                days=len(values),
                rows=len(values),
                bar=bar,
                met=None if bar is None else middle <= bar,
            )
        )
    return found


def _measure(warm: int, cold: int) -> list[Finding]:
    days = [FIRST + dt.timedelta(offset) for offset in range(warm + cold)]
    replay(OWN_WORKSPACE, days[warm - 1])
    found = summarise(warm_seconds(attempts_of(OWN_WORKSPACE)), WARM)
    with serving(OWN_WORKSPACE):
        return found + summarise(cold_seconds(OWN_WORKSPACE, days[warm:]), COLD)


def _table(found: list[Finding]) -> str:
    """Steps down, warm and cold across; medians with their spread."""
    cells = {(one.measure, one.method): one for one in found}
    methods = list(dict.fromkeys(one.method for one in found))
    steps = list(dict.fromkeys(one.measure for one in found))
    rows = [(step, *(_cell(cells.get((step, method))) for method in methods)) for step in steps]
    return findings.markdown(("median (10th to 90th percentile)", *methods), rows)


def _cell(one: Finding | None) -> str:
    if one is None or one.interval is None:
        return ""
    bar = "" if one.bar is None else f", bar {one.bar:.0f}: {'met' if one.met else 'missed'}"
    return f"{one.value:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f}){bar}"


def main() -> None:
    """Measure, and write results/overhead.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="read this one's warm increments only")
    parser.add_argument("--quick", action="store_true", help="a few days, not to be quoted")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each call of Prefect's
    if given.workspace:
        found = summarise(warm_seconds(attempts_of(given.workspace)), WARM)
    else:
        found = _measure(*((3, 1) if given.quick else (9, 3)))
    table = _table(found)
    quick = given.quick or given.workspace is not None
    findings.publish("overhead", found, table, notes=NOTES, quick=quick)
    log.info("%s", table)


if __name__ == "__main__":
    main()

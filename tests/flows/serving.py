"""`make serve` as a process, and what its server answers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import psutil

from flows.server import HOST, free_port
from tests.line import APPLICATION, Place

DAILY = f"daily-increment/{APPLICATION}"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def ask(api: str, method: str, where: str, /, **body: Any) -> Any:
    """What a Prefect server answers, asked again while its SQLite is busy (503), as clients do."""
    for _ in range(10):
        answer = httpx.request(method, f"{api}{where}", json=body or None, timeout=30)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(1)
    assert answer.is_success, answer.text
    return answer.json()


class Served(NamedTuple):
    """A workspace that is served, and its server's address."""

    place: Place
    server: str

    def ask(self, method: str, where: str, /, **body: Any) -> Any:
        """What Prefect's API answers."""
        return ask(f"{self.server}/api", method, where, **body)

    def deployment(self, name: str) -> Any:
        return self.ask("GET", f"/deployments/name/{name}")

    def runs(self, deployment: str, **state: list[str]) -> list[Any]:
        """The runs of a deployment in some types of state, first expected first."""
        found: list[Any] = self.ask(
            "POST",
            "/flow_runs/filter",
            deployments={"id": {"any_": [deployment]}},
            flow_runs={"state": {"type": state}},
            sort="EXPECTED_START_TIME_ASC",
        )
        return found

    def ended(self, run: str, seconds: float = 90) -> Any:
        """The run, when it has ended."""
        return wait_for(lambda: self._ended(run), seconds)

    def _ended(self, run: str) -> Any:
        found = self.ask("GET", f"/flow_runs/{run}")
        return found if found["state_type"] in ENDED else None


def wait_for(look: Any, seconds: float) -> Any:
    """What `look` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"still nothing after {seconds} s")


@contextmanager
def started(place: Place) -> Iterator[tuple[Served, "subprocess.Popen[bytes]"]]:
    """A workspace that is served, and the process that serves it, which may end in the block."""
    port, said = free_port(), place.root / "serve.log"
    ports = ["--port", str(port), "--reports-port", str(free_port())]
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.serve", *ports], stdout=log, stderr=log
        )
    try:
        wait_for(lambda: process.poll() or "Ctrl-C ends" in said.read_text(), 120)
        assert process.poll() is None, said.read_text()
        yield Served(place, f"http://{HOST}:{port}"), process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def serving(place: Place) -> Iterator[Served]:
    """Serve a workspace for the length of the block; then nothing of it is left running."""
    with started(place) as (served, process):
        yield served
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
    left = psutil.wait_procs(children, timeout=1)[1]
    assert (process.returncode, left) == (0, []), (place.root / "serve.log").read_text()

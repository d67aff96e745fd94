"""A Prefect server of the workspace's own: SQLite under var/, loopback only."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from tasks import workspace

HOST = "127.0.0.1"
POOL = "increments"  # of the workers, as prefect.yaml names it
PORT = 4200  # of `make serve`; the pages of the reports are one above
START_SECONDS = 120


class ServerError(RuntimeError):
    """The server did not come up."""


def environment(port: int, reports_port: int) -> dict[str, str]:
    """The variables by which this process and its children find the server and the reports."""
    return {
        "PREFECT_HOME": str((workspace.VAR / "prefect").resolve()),
        "PREFECT_API_URL": f"http://{HOST}:{port}/api",
        "PREFECT_UI_API_URL": "/api",  # the page asks the server it came from, on any port
        # How long a run that found another one at work sleeps before it looks again; else 30 s.
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks,flows,lightning_modules",
        "DAYSHIFT_WORKSPACE": str(Path.cwd()),
        "DAYSHIFT_REPORTS_URL": f"http://{HOST}:{reports_port}",
    }


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def check_free(port: int) -> None:
    """Raise ServerError if somebody listens on the port: it may be another workspace's server."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"port {port} is in use ({error.strerror}); choose another: make serve PORT=4300"
            ) from error


@contextmanager
def running_server(port: int, reports_port: int = PORT + 1) -> "Iterator[subprocess.Popen[bytes]]":
    """Start the server, set this process's environment to it, and end it after the block.

    To be entered before Prefect is imported, in the main thread. What runs leave behind links to
    the reports at `reports_port`: where `make serve` shows them, now or later. Raises ServerError,
    which names the log.
    """
    check_free(port)
    os.environ.update(environment(port, reports_port))
    log = workspace.VAR / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as lines:
        command = ["prefect", "server", "start", "--host", HOST, "--port", str(port)]
        server = start(*command, output=lines)
    with _interruptible():
        try:
            _wait_for(server, port, log)
            yield server
        finally:
            _hand_over_logs()
            stop(server)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal are a Ctrl-C: what was started is ended."""

    def interrupt(signal_number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {sign: signal.signal(sign, interrupt) for sign in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def start(*module: str, output: IO[str] | int | None = None) -> "subprocess.Popen[bytes]":
    """Start `python -m ...` out of reach of the terminal's Ctrl-C, which is ours to pass on.

    Else the server would be gone before the runs that were interrupted could say so.
    """
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        process_group=0,
    )


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a child and all that it started.

    Gently first, so that a run at work is ended and says so; a second Ctrl-C does not wait.
    """
    started = _started_by(process.pid)
    process.terminate()
    try:
        process.wait(timeout=15)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        started |= _started_by(process.pid)
        process.kill()
        process.wait()
    for patience, end in ((5, psutil.Process.terminate), (5, psutil.Process.kill)):
        for child in started:
            with suppress(psutil.NoSuchProcess):
                end(child)
        psutil.wait_procs(started, timeout=patience)


def _started_by(pid: int) -> set[psutil.Process]:
    try:
        return set(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def _hand_over_logs() -> None:
    """Prefect's last logs, while someone takes them: at exit it would wait a minute for that."""
    if "prefect.logging.handlers" in sys.modules:
        sys.modules["prefect.logging.handlers"].APILogHandler().flush()


def _wait_for(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/api/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise ServerError(f"the Prefect server did not come up on port {port}; its log is {log}")

"""`make serve`: server, work pool, deployments, worker and report pages, until Ctrl-C."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from flows.server import HOST, POOL, PORT, ServerError, check_free, running_server, start, stop
from tasks import workspace
from tasks.params import ALL, load_params

Children = dict[str, "subprocess.Popen[bytes]"]


def serve(port: int, reports_port: int, notify: str | None = None) -> None:
    """Serve the workspace in the current directory; `notify` is a block to send alerts by.

    Raises:
        NoBlockError: Prefect has no such block.
        ServerError: a port is taken, the server did not come up, or a part ended by itself.
    """
    check_free(reports_port)
    workspace.REPORTS.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_WORKER_QUERY_SECONDS"] = "2"
    print(f"starting the Prefect server on port {port} ...", flush=True)
    with running_server(port, reports_port) as server:
        # It imports Prefect, which then reads its settings: the address is known only now.
        from flows.lost_runs import give_up_lost_runs

        give_up_lost_runs()  # there is no worker at this moment
        _prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        _prefect("--no-prompt", "deploy", *_deployments())
        if notify:
            from flows.alerts import pass_on  # imports Prefect, too

            pass_on(notify, load_params().alerts.stale_days)
        children = _start_children(reports_port)
        print(_welcome(port, reports_port), flush=True)
        try:
            _watch({"server": server, **children})
        finally:
            for child in children.values():
                stop(child)


def _deployments() -> list[str]:
    """Of prefect.yaml those of the applications that there are, and those of none."""
    names = [*load_params().applications, ALL, "next-day"]
    return [part for name in names for part in ("--name", f"*/{name}")]


def _start_children(reports_port: int) -> Children:
    pages = ["http.server", str(reports_port), "--bind", HOST, "-d", str(workspace.REPORTS)]
    return {
        "worker": start("prefect", "worker", "start", "--pool", POOL, "--name", "dayshift"),
        "report pages": start(*pages, output=subprocess.DEVNULL),
    }


def _watch(children: Children) -> None:
    """Wait for ever; raises ServerError when a child ends: without it the rest is of no use."""
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                raise ServerError(f"the {name} ended with exit code {child.returncode}")
        time.sleep(0.5)


def _welcome(port: int, reports_port: int) -> str:
    names = ["", *(f"{name}/" for name in load_params().applications)]
    return "\n".join(
        [
            "",
            f"  Prefect   http://{HOST}:{port}/deployments   (an application > Run)",
            *(f"  reports   http://{HOST}:{reports_port}/{name}" for name in names),
            f"  shell     export PREFECT_API_URL=http://{HOST}:{port}/api",
            "            .venv/bin/prefect deployment run land/next-day --watch",
            "            .venv/bin/prefect deployment run daily-increment/recommendation --watch",
            "  Ctrl-C ends all of it.",
            "",
        ]
    )


def _prefect(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerError(f"prefect {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="of the Prefect server")
    parser.add_argument("--reports-port", type=int, help="of the report pages (port + 1)")
    parser.add_argument("--notify", help="send alerts by this block of Prefect, as type/name")
    given = parser.parse_args(arguments)
    try:
        serve(given.port, given.reports_port or given.port + 1, given.notify)
    except KeyboardInterrupt:
        print("stopped", flush=True)
    except (LookupError, ServerError) as problem:
        raise SystemExit(str(problem)) from problem


if __name__ == "__main__":
    main()

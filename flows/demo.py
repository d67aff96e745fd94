"""`make demo`: from nothing to seven real days learned, by the real flows, one day at a time."""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from flows.server import free_port, running_server
from tasks.land import build_registry
from tasks.params import load_params
from tasks.sources import open_source

NOT_ALL = (
    "not every application has a first champion: mend what is said above, or take its section out "
    "of params.yaml. Commit, and the same command goes on"
)
AT_ONCE = 2  # first champions: a fit keeps one core busy and takes one or two gigabytes


def demo(days: int) -> None:
    """Registry, first champion, then day by day: land it, learn it. A second call goes on."""
    began = time.monotonic()
    params = load_params()
    _say("1/3 data registry: real purchases, one partition a day, versioned by DVC")
    build_registry(open_source(params.shop.source), params.shop.history_until)
    _say("    starting a Prefect server of the workspace's own")
    with running_server(free_port()):
        _learn(days)
    _say(f"done in {time.monotonic() - began:.0f} s")


def _learn(days: int) -> None:
    # The terminal has lines of our own; the pages have all that was logged.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "WARNING"
    # Prefect reads its settings when it is imported, and the server's address is known only now.
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.score import score
    from tasks.ledger import open_ledger
    from tasks.reference import read_frame
    from tasks.report import rows, terminal_table, write_report

    # Joining the heartbeat's thread costs each of these short runs a second.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        applications = list(load_params().applications)
        _say("2/3 first champions: fitted on history, proven beside a naive rival, two at a time")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            if not all(pool.map(_start_line, applications)):
                sys.exit(NOT_ALL)
        _say(f"3/3 {days} daily increments: land, pull, validate, score, drift, fine-tune, decide")
        for number in range(1, days + 1):
            if not _one_day(number, days, applications):
                break
        _say("    what the champions predict for the next day")
        written = [path for application in applications for path in score(application)]
    ledger = open_ledger()
    for application in applications:
        print(f"\n{application}\n{terminal_table(rows(ledger, application)[-days:])}", flush=True)
    print()
    for path in written:
        _say(f"{len(read_frame(path)):>7,} rows  {path}")
    for application in applications:
        page = write_report(ledger, application, load_params())
        _say(f"the page of {application}: {page.resolve()}")
    _say("see the runs in Prefect: make serve")


def _start_line(application: str) -> bool:
    """Bootstrap in a process of its own and say at once what came of it; whether it is there.

    The others may be at work for long, and what failed has to be mended before a day is learned.
    """
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "flows.bootstrap", "--application", application],
        env=os.environ | {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO"},
        capture_output=True,
        text=True,
        check=False,
    )
    proof = [line.split(" - ")[-1] for line in done.stderr.splitlines() if "held-out" in line]
    told = "".join(proof) or "there already"
    if done.returncode:
        told = f"failed\n{done.stdout}{done.stderr}"
    _say(f"    {application}, {time.monotonic() - began:.0f} s: {told}")
    return not done.returncode


def _one_day(number: int, days: int, applications: Sequence[str]) -> bool:
    from flows.daily import daily_increment
    from flows.land import land

    landed = land()
    for application in applications:
        began = time.monotonic()
        for verdict in daily_increment(application):
            spent = time.monotonic() - began
            told = f"{verdict.day} {application}: {verdict.outcome}"
            _say(f"    [{number}/{days}] {told}, {spent:.1f} s")
    if landed is None:
        _say("    every day of the source has landed and been learned")
    return landed is not None


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _show_progress_of(*names: str) -> None:
    """Of these alone: the demo has a line of its own for each day."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("         %(message)s"))
    for name in names:
        logging.getLogger(name).addHandler(handler)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="how many days to learn")
    given = parser.parse_args(arguments)
    if os.environ.pop("DAYSHIFT_LEDGER_URL", None):
        _say("DAYSHIFT_LEDGER_URL is left alone: a team's ledger is no place for a demo")
    _show_progress_of("tasks.land")
    demo(given.days)


if __name__ == "__main__":
    main()

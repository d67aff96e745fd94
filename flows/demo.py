"""`make demo`: from nothing to seven real days learned, by the real flows, one day at a time."""

import argparse
import logging
import os
import time
from collections.abc import Sequence

from flows.server import free_port, running_server
from tasks.land import build_registry
from tasks.params import load_params
from tasks.sources import open_source

APPLICATION = "recommendation"


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

    from flows.bootstrap import bootstrap
    from tasks.ledger import open_ledger
    from tasks.report import rows, terminal_table, write_report

    # Joining the heartbeat's thread costs each of these short runs a second.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        _say("2/3 first champion: fitted on history, proven beside the naive rival")
        line = bootstrap(APPLICATION)
        _say(f"    version {line.head[:12]} has learned through {line.day}")
        _say(f"3/3 {days} daily increments: land, pull, validate, score, drift, fine-tune, decide")
        for number in range(1, days + 1):
            if not _one_day(number, days):
                break
    ledger = open_ledger()
    learned = rows(ledger, APPLICATION)
    print(f"\n{terminal_table(learned[-days:])}\n", flush=True)
    _say(f"the page of this line: {write_report(ledger, APPLICATION).resolve()}")
    _say("see its runs in Prefect: make serve")


def _one_day(number: int, days: int) -> bool:
    from flows.daily import daily_increment
    from flows.land import land

    began = time.monotonic()
    landed = land()
    for verdict in daily_increment(APPLICATION):
        spent = time.monotonic() - began
        _say(f"    [{number}/{days}] {verdict.day}: {verdict.action}, {spent:.1f} s")
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
    _show_progress_of("tasks.land", "tasks.bootstrap", "lightning_modules")
    demo(given.days)


if __name__ == "__main__":
    main()

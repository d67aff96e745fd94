"""What does an increment cost when history is long, and when all of its process is counted?

`make bench-cost` lets each application live through ten months of the embedded shop and takes
the same five days of events in as the learner was on day 27, 160 and 300: CPU seconds by part
(results/cost_growth_<application>.{json,md}). Then it runs the flows themselves as processes: a
full retrain, one increment, and seven in one process (results/cost_process.{json,md}). `--only`
measures one of the two. `--quick` lives through six weeks and runs each flow once: not to be
quoted.
"""

import argparse
import datetime as dt
import logging
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cost_figures, cost_growth, cost_process, findings
from benchmarks.cost_figures import QUICK, Span
from benchmarks.regimes import make_place
from tasks.params import load_params

log = logging.getLogger(__name__)

LAST = dt.date(2017, 12, 31)
WORKSPACE = Path(".workspaces/bench-cost")
GROWTH_NOTES = (
    "An increment here is load, examples, scores and their quality, fine_tune, absorb and save, "
    "each once, in CPU seconds of one process; medians of days and rounds, in brackets the least "
    "and the most of the rounds' ratios. The same rows: the events of days 28 to 32, to learners "
    "as they were on day 27 and later, dated whole weeks later. Between the points the state "
    "takes every day, the memories the last 60 before a point, and the parameters stay.",
    "A memory of bounded size that is not yet full early makes a part dearer until it is: what "
    "goes on growing shows in the ratio to the middle. Its own days: the line's increments around "
    "both days, with as many rows as those days had.",
)
PROCESS_NOTES = (
    "`python -m flows.bootstrap` and `python -m flows.daily` as they are started: imports, "
    "reading, drift, report, DVC's and git's children included, Prefect's server not. Full "
    "retrain: the bootstrap of the same application, up to the day before. A catch-up is "
    f"{cost_process.CATCH_UP} days in one process. All in fresh copies of one workspace, one "
    "after the other; medians, in brackets the least and the most.",
    "Where others are at work on the machine, wall seconds say less than CPU seconds.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure growth, then processes, and write each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="six weeks, not to be quoted")
    parser.add_argument("--only", choices=("growth", "process"), help="one of the two")
    parser.add_argument("--application", help="the growth of one instead of all")
    parser.add_argument("--most-items", type=int, help="bound recommendation's growth by this")
    parser.add_argument(
        "--rounds", type=int, default=cost_process.ROUNDS, help="full retrains that are timed"
    )
    given = parser.parse_args(arguments)
    if given.most_items and given.application != "recommendation":
        parser.error("--most-items is of --application recommendation")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    place = (WORKSPACE / "days").resolve()
    make_place(place, LAST)
    if given.only != "process":
        for name in [given.application] if given.application else load_params().applications:
            measure_growth(place, name, given.quick, given.most_items)
    if given.only != "growth":
        measure_processes(place, given.quick, 1 if given.quick else given.rounds)


def measure_growth(place: Path, application: str, quick: bool, most_items: int | None) -> None:
    """One application; writes cost_growth_<application>, with a bound its own file."""
    span = QUICK if quick else Span()
    lines = (WORKSPACE / "line").resolve()
    bounded = {} if most_items is None else {"most_items": most_items}
    growth = cost_growth.grow(place, application, span, lines / application, **bounded)
    found, table = cost_figures.figures(growth), cost_figures.table(growth)
    log.info("%s", table)
    name = f"cost_growth_{application}" + (f"_{most_items}_items" if bounded else "")
    findings.publish(name, found, table, notes=GROWTH_NOTES, quick=quick)


def measure_processes(place: Path, quick: bool, rounds: int) -> None:
    """Recommendation alone: what is counted beside its learning is the same for all."""
    nights = 1 if quick else cost_process.NIGHTS
    measured = cost_process.measure(place, (WORKSPACE / "night").resolve(), rounds, nights)
    found = cost_process.figures(measured)
    table = cost_process.table(found)
    log.info("%s", table)
    findings.publish("cost_process", found, table, notes=PROCESS_NOTES, quick=quick)


if __name__ == "__main__":
    main()

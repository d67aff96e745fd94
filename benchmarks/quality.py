"""How good are the champions, and is it worth it to learn every day?

`make bench-quality` lets every application learn 2017-10-01..12-31 by daily increments and puts it
beside the same learner frozen, the same learner fitted anew now and then, simple methods and
peers, on the same days and rows; results/quality_<application>.{json,md}. `--application`
takes one, `--quick` six days: the short form is not to be quoted.
"""

import argparse
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import findings
from benchmarks.findings import Finding
from benchmarks.purchases import read_purchases
from benchmarks.quality_behavior import measure_behavior
from benchmarks.quality_pricing import measure_pricing
from benchmarks.quality_recommendation import Recorder
from benchmarks.regimes import Cost, live_through, make_place

log = logging.getLogger(__name__)

FIRST, LAST, QUICK_LAST = dt.date(2017, 10, 1), dt.date(2017, 12, 31), dt.date(2017, 10, 6)
WORKSPACE = Path(".workspaces/bench-quality")
RETRAIN_DAYS = 28  # of recommendation
Measured = tuple[list[Finding], Cost, list[str]]


def measure_recommendation(place: Path, first: dt.date, last: dt.date) -> Measured:
    """Champion, frozen, retrained and rivals on the workspace's household-days."""
    recorder = Recorder(read_purchases(place, last))
    cost = live_through(place, "recommendation", last, recorder, RETRAIN_DAYS)
    notes = [
        "Household-days: all of households that the shop knew. new_recall ranks never bought "
        "items alone; cold items were first sold in the last 28 days, cold users had come on "
        f"fewer than 10 days. Full retrain: every {RETRAIN_DAYS} days."
    ]
    return recorder.findings(), cost, notes


MEASURES: dict[str, Callable[[Path, dt.date, dt.date], Measured]] = {
    "recommendation": measure_recommendation,
    "behavior": measure_behavior,
    "pricing": measure_pricing,
}
NOTES = (
    "Champion: one increment a day through the gate, a fifth of the day's units held out. Frozen: "
    "the first champion's parameters on the champion's state. Full retrain: the same learner, "
    "fitted anew on all days so far at intervals. Intervals are 95%, by resampling days.",
    "Training seconds are CPU, of the whole range; the champion's include reading its parent "
    "back, the first champion's all of history's days.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the applications asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--application", choices=list(MEASURES), help="one instead of all")
    parser.add_argument("--quick", action="store_true", help="six days, not to be quoted")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    last = QUICK_LAST if given.quick else LAST
    for application in [given.application] if given.application else list(MEASURES):
        place = WORKSPACE / ("quick" if given.quick else "full") / application
        make_place(place, last)
        found, cost, notes = MEASURES[application](place, FIRST, last)
        table = "\n\n".join([_table(found), _costs(cost)])
        name = f"quality_{application}"
        findings.publish(name, found, table, notes=(*NOTES, *notes), quick=given.quick)
        log.info("%s", table)


def _table(found: list[Finding]) -> str:
    """Methods down, measures across; bars that were missed are said below."""
    measures = list(dict.fromkeys(one.measure for one in found))
    methods = list(dict.fromkeys(one.method for one in found))
    cells = {(one.method, one.measure): one for one in found}
    rows = [
        (method, *(_cell(cells.get((method, measure))) for measure in measures))
        for method in methods
    ]
    missed = [
        f"- Missed: {one.method}, {one.measure}: {one.value:.4f}, the bar is {one.bar:.4f}."
        for one in found
        if one.met is False and one.bar is not None
    ]
    table = findings.markdown(("", *measures), rows)
    return "\n\n".join([table, "\n".join(missed) or "No bar was missed."])


def _cell(one: Finding | None) -> str:
    if one is None:
        return ""
    if one.interval is None or "gain" not in one.measure:
        return f"{one.value:.4f}"
    return f"{one.value:+.4f} ({one.interval[0]:+.4f} to {one.interval[1]:+.4f})"


def _costs(cost: Cost) -> str:
    rows: list[tuple[str, ...]] = [
        (method, f"{seconds:.1f}", str(cost.times[method]), f"{seconds / cost.times[method]:.2f}")
        for method, seconds in cost.seconds.items()
    ]
    return findings.markdown(("training", "CPU seconds", "times", "each"), rows)


if __name__ == "__main__":
    main()

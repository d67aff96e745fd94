"""Five hundred nights of a small made-up shop in one process: does anything grow that should not?

`make bench-load` lands, pulls, learns and shows one day after the other, by the flows' bodies and
without Prefect, as a long backfill would. Every fifty nights it notes the memory of the process,
the seconds of a night by its parts, its CPU seconds and what was added on the disk. `--nights`
takes fewer: the quick form, not to be quoted.
"""

import argparse
import contextlib
import datetime as dt
import gc
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks import findings
from benchmarks.findings import Finding
from flows import daily
from tasks import land, pull, workspace
from tasks.params import load_params
from tasks.sources import Source, open_source
from tests import line
from tests.faults.journeys import start, without_prefect
from tests.line import APPLICATION, Place
from tests.shop import write_shop

log = logging.getLogger(__name__)
NIGHTS = 500
EVERY = 50
MEGABYTE = 2**20
PARTS = ("land", "pull", "steps", "commit", "snapshot", "night", "CPU")
STEPS = ("validate", "prequential", "drift", "plan", "fine_tune", "evaluate", "decide")
DISK = {
    "ledger": (workspace.LEDGER, workspace.LEDGER.with_name("ledger.db-wal")),
    "bundles": (workspace.BUNDLES,),
    "files beside versions": (workspace.ATTACHMENTS,),
    "DVC's cache": (Path(".dvc/cache"),),
    "DVC's remote": (workspace.VAR / "remote",),
    "Git": (Path(".git"),),
    "registry": (workspace.REGISTRY,),
}
# The last fifty nights beside the second fifty: no night may cost more for those before it.
BARS = {"memory": 1.25, "CPU": 1.5}
NOTES = (
    "Medians of fifty nights each. Memory is what the process holds at their end; added on the "
    "disk is the mean of a night. Nothing is collected here: `collect` is a flow of its own. CPU "
    "is of the whole night, git's and DVC's children included; other seconds are of the clock.",
    "The shop's files are opened once: a process that lands one day reads all of them first.",
)


@dataclass
class Stretch:
    """What some nights in a row have cost."""

    nights: int
    memory: float
    disk: dict[str, float]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def median(self, part: str) -> float:
        """Of the seconds that this part of a night took."""
        return float(np.median(self.seconds[part]))


def run(folder: Path, nights: int) -> list[Stretch]:
    """So many nights in a workspace in `folder`, in stretches of fifty."""
    source = write_shop(folder / "shop", days=line.HISTORY_DAYS + nights + 1)
    line.write_project(folder / "project", source)
    line.write_workspace(folder / "empty", folder / "project")
    stretches = []
    with line.open_copy(folder / "empty", folder / "place") as place:
        start(place)
        shop, before = open_source(load_params().shop.source), _disk()
        for first in range(1, nights + 1, EVERY):
            numbers = range(first, min(first + EVERY, nights + 1))
            stretch = _live_through(place, shop, numbers)
            after = _disk()
            stretch.disk = {name: (after[name] - before[name]) / len(numbers) for name in after}
            before = after
            stretches.append(stretch)
            log.info(
                "%d nights: %.0f MB, %.2f s", numbers[-1], stretch.memory, stretch.median("night")
            )
    return stretches


def _live_through(place: Place, shop: Source, numbers: range) -> Stretch:
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}
    for number in numbers:
        for part, spent in _night(place, shop, number).items():
            seconds[part].append(spent)
    gc.collect()
    memory = psutil.Process().memory_info().rss / MEGABYTE
    return Stretch(numbers[-1], memory, {}, seconds)


def _night(place: Place, shop: Source, number: int) -> dict[str, float]:
    """Seconds of one night by its parts; the whole of it is more than their sum."""
    spent: dict[str, float] = {}
    began = _cpu()
    with _timed(spent, "night"), without_prefect():
        with _timed(spent, "land"):
            if number > line.LANDED:
                land.land_day(shop, line.nth(number))
        with _timed(spent, "pull"):
            pull.pull()
        daily.daily_increment.fn(APPLICATION, line.nth(number))
    spent["CPU"] = _cpu() - began
    last = place.ledger.attempts(APPLICATION)[-1].seconds or {}
    spent["steps"] = sum(last.get(step, 0) for step in STEPS)
    spent["commit"] = last.get("promote", 0)
    spent["snapshot"] = last.get("finish_snapshots", 0)
    return spent


def _cpu() -> float:
    """Seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


@contextlib.contextmanager
def _timed(spent: dict[str, float], part: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    spent[part] = time.perf_counter() - began


def _disk() -> dict[str, float]:
    """Megabytes by place."""
    return {name: sum(map(_megabytes, places)) for name, places in DISK.items()}


def _megabytes(place: Path) -> float:
    files = [place] if place.is_file() else place.rglob("*")
    return sum(file.lstat().st_size for file in files if file.is_file()) / MEGABYTE


def figures(stretches: list[Stretch]) -> list[Finding]:
    """Each measure after so many nights, and the last beside the second against its bar."""
    found = []
    for one in stretches:
        found.append(_finding("memory", one, one.memory, "MB"))
        found += [_finding(f"seconds: {part}", one, one.median(part), "s") for part in PARTS]
        found += [_finding(f"added: {name}", one, kept, "MB") for name, kept in one.disk.items()]
    if len(stretches) > 2:
        early, late = stretches[1], stretches[-1]
        grown = {
            "memory": late.memory / early.memory,
            "CPU": late.median("CPU") / early.median("CPU"),
        }
        for name, value in grown.items():
            ratio = _finding(f"{name}, last beside second fifty", late, value, "ratio")
            bar = BARS[name]
            found.append(ratio.model_copy(update={"bar": bar, "met": value <= bar}))
    return found


def _finding(measure: str, at: Stretch, value: float, unit: str) -> Finding:
    return Finding(
        measure=measure,
        application=APPLICATION,
        method=f"after {at.nights} nights",
        value=value,
        unit=unit,
        days=at.nights,
        rows=len(at.seconds["night"]),
    )


def table(found: list[Finding]) -> str:
    """Nights down, measures across."""
    plain = [one for one in found if one.bar is None]
    measures = list(dict.fromkeys(one.measure for one in plain))
    cells = {(one.measure, one.method): f"{one.value:.3g} {one.unit}" for one in plain}
    rows = [
        (method, *(cells[measure, method] for measure in measures))
        for method in dict.fromkeys(one.method for one in plain)
    ]
    bars = [
        f"{one.measure}: {one.value:.2f}, bar {one.bar}: {'met' if one.met else 'missed'}."
        for one in found
        if one.bar is not None
    ]
    return "\n\n".join([findings.markdown(("", *measures), rows), *bars])


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=NIGHTS)
    nights = parser.parse_args().nights
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    began = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DVC_SITE_CACHE_DIR"] = f"{folder}/dvc"
        found = figures(run(Path(folder), nights))
    findings.publish("load", found, table(found), notes=NOTES, quick=nights < NIGHTS)
    log.info("%s", dt.datetime.now(dt.UTC) - began)


if __name__ == "__main__":
    main()

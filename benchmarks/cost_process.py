"""What a night's process costs, its imports counted, beside a full retrain's."""

import contextlib
import datetime as dt
import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import findings
from benchmarks.findings import Finding
from flows.server import free_port, running_server
from tasks.params import load_params

log = logging.getLogger(__name__)

APPLICATION = "recommendation"
RETRAIN, COLD, WARM = "full retrain", "one increment, cold", "a day in a catch-up"
CATCH_UP = 7  # days
CPU, WALL = "CPU seconds", "wall seconds"
BARS = {COLD: 1 / 3, WARM: 1 / 10}  # of a full retrain
ROUNDS = 3  # full retrains
NIGHTS = 2  # after each: one increment, then a catch-up
Seconds = tuple[float, float]  # CPU and wall


@dataclass
class Round:
    """A full retrain, and what followed it on the same line."""

    retrain: Seconds
    nights: dict[str, list[Seconds]] = field(default_factory=lambda: {COLD: [], WARM: []})


def measure(place: Path, folder: Path, rounds: int, nights: int) -> list[Round]:
    """Every round in a copy of the workspace `place`, whose days are pulled and which has no line.

    There a first champion is fitted as a full retrain is: all of history read, lived through and
    fitted, proved and stored. Then `nights` times one increment, and a catch-up in one process.
    """
    found = []
    with contextlib.ExitStack() as stack:
        with contextlib.chdir(place):  # the server's files are the workspace's
            stack.enter_context(running_server(free_port()))
        for number in range(rounds):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(place, folder, symlinks=True, ignore=shutil.ignore_patterns("prefect"))
            found.append(_round(folder, nights))
            log.info("round %d of %d: %s", number + 1, rounds, found[-1])
    shutil.rmtree(folder)
    return found


def _round(where: Path, nights: int) -> Round:
    one = Round(_flow("bootstrap", where))
    through = load_params().shop.history_until - dt.timedelta(days=1)
    for _ in range(nights):
        for method, days in ((COLD, 1), (WARM, CATCH_UP)):
            through += dt.timedelta(days)
            cpu, wall = _flow("daily", where, through)
            one.nights[method].append((cpu / days, wall / days))
    return one


def spent_by(command: list[str], where: Path) -> Seconds:
    """CPU seconds of a process and of those it waited for, and wall seconds.

    Raises subprocess.CalledProcessError when it fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=where)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime, wall


def _flow(name: str, where: Path, through: dt.date | None = None) -> Seconds:
    command = [sys.executable, "-m", f"flows.{name}", "--application", APPLICATION]
    return spent_by([*command, *([f"--through-day={through}"] if through else [])], where)


def figures(rounds: list[Round]) -> list[Finding]:
    """Medians, and the share of the round's full retrain against the bar."""
    found = []
    for column, name in enumerate((CPU, WALL)):
        retrains = [one.retrain[column] for one in rounds]
        found.append(_finding(f"{name}, whole process", RETRAIN, retrains, "s"))
        for method, bar in BARS.items():
            pairs = [
                (night[column], one.retrain[column])
                for one in rounds
                for night in one.nights[method]
            ]
            seconds, shares = [night for night, _ in pairs], [a / b for a, b in pairs]
            found.append(_finding(f"{name}, whole process", method, seconds, "s"))
            share = _finding(f"{name}, of full retrain's", method, shares, "share")
            found.append(share.model_copy(update={"bar": bar, "met": share.value <= bar}))
    return found


def _finding(name: str, method: str, values: list[float], unit: str) -> Finding:
    return Finding(
        measure=name,
        application=APPLICATION,
        method=method,
        value=float(np.median(values)),
        unit=unit,
        interval=(min(values), max(values)),
        days=len(values),
        rows=len(values),
    )


def table(found: list[Finding]) -> str:
    """Methods down, measures across; medians with the least and the most of the rounds."""
    measures = list(dict.fromkeys(one.measure for one in found))
    cells = {(one.measure, one.method): one for one in found}
    rows = [
        (method, *(_cell(cells.get((name, method))) for name in measures))
        for method in (RETRAIN, COLD, WARM)
    ]
    return findings.markdown((f"{APPLICATION}, whole process", *measures), rows)


def _cell(one: Finding | None) -> str:
    if one is None or one.interval is None:
        return ""
    digits = 3 if one.unit == "share" else 1
    value, low, high = (f"{number:.{digits}f}" for number in (one.value, *one.interval))
    bar = "" if one.bar is None else f", bar {one.bar:.3f}: {'met' if one.met else 'missed'}"
    return f"{value} ({low} to {high}){bar}"

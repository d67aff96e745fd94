"""What a benchmark leaves behind: one row per figure, and what it takes to judge them."""

import datetime as dt
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil
from numpy.typing import NDArray

from tasks.record import Record

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CHANGED = " with changes"
DRAWS = 10_000
SEED = 20171001


class DifferentRowsError(ValueError):
    """Two methods were not scored on the same rows, so they cannot be compared."""


class Finding(Record):
    """One figure; `met` says whether it passes `bar`, as the benchmark defines that."""

    measure: str
    application: str
    method: str
    value: float
    unit: str
    interval: tuple[float, float] | None = None
    days: int
    rows: int
    cpu_seconds: float | None = None
    peak_mb: float | None = None
    bar: float | None = None
    met: bool | None = None


class Findings(Record):
    """All figures of a benchmark; only the full form may be quoted."""

    benchmark: str
    form: Literal["full", "quick"]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    commit: str
    machine: str
    date: dt.date
    command: str

    @property
    def stem(self) -> str:
        """Name of the files without their ending."""
        return self.benchmark if self.form == "full" else f"{self.benchmark}.quick"


def publish(
    benchmark: str, findings: list[Finding], table: str, *, notes: tuple[str, ...], quick: bool
) -> Findings:
    """Write `<benchmark>.json` and `.md` under results/; `table` is the Markdown to quote."""
    published = Findings(
        benchmark=benchmark,
        form="quick" if quick else "full",
        findings=tuple(findings),
        notes=notes,
        commit=commit_of(ROOT),
        machine=this_machine(),
        date=dt.datetime.now(dt.UTC).date(),
        command=shlex.join(
            ["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]
        ),
    )
    published.write(RESULTS / f"{published.stem}.json")
    page = [f"# {benchmark}{' (quick form, not to be quoted)' if quick else ''}", table]
    changed = CHANGED if published.commit.endswith(CHANGED) else ""
    page += [*notes]
    page += [f"`{published.command}` at {published.commit[:12]}{changed} on {published.date}."]
    page += [f"Machine: {published.machine}."]
    (RESULTS / f"{published.stem}.md").write_text("\n\n".join(page) + "\n")
    return published


def markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table: the first column to the left, figures to the right."""
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def day_interval(daily: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """95% percentile interval of the mean (Efron & Tibshirani 1993, ch. 13), days resampled."""
    drawn = np.random.default_rng(SEED).integers(len(daily), size=(DRAWS, len(daily)))
    low, high = np.percentile(daily[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def commit_of(root: Path) -> str:
    """HEAD of a checkout, marked when tracked files other than the results differ from it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    # Relative: git takes no absolute path to leave out.
    but_results = f":!{RESULTS.relative_to(ROOT)}"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", but_results)
    return git("rev-parse", "HEAD") + (CHANGED if changed else "")


def this_machine() -> str:
    """Processors, memory and Python, for who judges a figure."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = named[0] if named else name
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} x {name}, {memory:.0f} GiB, Python {platform.python_version()}"

"""What the fault suite has shown, as a file that is committed: a plugin for `make faults`.

Tests say what they did with `record_property`: "kills", "points" and "states" are summed up,
"mutation" is a guard that was taken out, and "database" where their ledger was.
"""

import datetime as dt
import hashlib
import json
import os
import shlex
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.findings import commit_of, markdown, this_machine

ROOT = Path(__file__).parents[2]
REPORT = Path(__file__).with_name("report.json")
# What commits an increment, and what it commits: a change of these asks for a new report.
COMMITS = (
    *("tasks/ledger", "tasks/bundle.py", "tasks/manifest.py", "tasks/promote.py"),
    *("tasks/roll_back.py", "tasks/version.py", "tasks/snapshot.py", "tasks/workspace.py"),
    *("tasks/interrupted.py", "tasks/attempt.py", "tasks/git.py"),
)
COUNTED = ("kills", "points", "states")


def digest(root: Path = ROOT) -> str:
    """The sha256 over the sources that commit an increment."""
    total = hashlib.sha256()
    for name in COMMITS:
        place = root / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def outdated(report: dict[str, Any]) -> str | None:
    """Why a report does not speak of the code as it is; None if it does."""
    if report["digest"] != digest():
        return "what commits an increment has changed: run `make faults` again and commit"
    if report["failed"]:
        return f"the report is of a run that failed: {report['failed']}"
    if any(not skipped["reason"] for skipped in report["skipped"]):
        return "a test was skipped without a reason"
    return None


class Collected:
    """The outcomes of one session."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.rows: dict[int, Counter[str]] = {}
        self.counts: Counter[str] = Counter()
        self.databases: set[str] = set()
        self.mutations: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.failed: list[str] = []

    def add(self, test: pytest.TestReport) -> None:
        """One phase of one test: a call, or a setup that skipped or failed."""
        if test.when != "call" and test.outcome == "passed":
            return
        said: dict[str, Any] = dict(test.user_properties)
        for row in said.get("rows", ()):
            self.rows.setdefault(row, Counter())[test.outcome] += 1
        for name in COUNTED:
            self.counts[name] += said.get(name, 0)
        self.databases |= {said["database"]} if "database" in said else set()
        self.mutations += [said["mutation"]] if "mutation" in said else []
        if test.skipped:
            reason = test.longrepr[2] if isinstance(test.longrepr, tuple) else str(test.longrepr)
            self.skipped.append({"test": test.nodeid, "reason": reason.removeprefix("Skipped: ")})
        if test.failed:
            self.failed.append(test.nodeid)

    def report(self) -> dict[str, Any]:
        """All of it, and what it takes to judge it."""
        return {
            "commit": commit_of(ROOT),
            "machine": this_machine(),
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "command": shlex.join(["pytest", *sys.argv[1:]]),
            "digest": digest(),
            "seconds": round(time.monotonic() - self.began),
            "databases": sorted(self.databases),
            **{name: self.counts[name] for name in COUNTED},
            "rows": {str(row): dict(self.rows[row]) for row in sorted(self.rows)},
            "mutations": self.mutations,
            "skipped": self.skipped,
            "failed": self.failed,
        }


def page(report: dict[str, Any]) -> str:
    """The report for a person."""
    rows = [
        (row, *(str(outcomes.get(name, 0)) for name in ("passed", "failed", "skipped")))
        for row, outcomes in sorted(report["rows"].items(), key=lambda one: int(one[0]))
    ]
    guards: list[tuple[str, ...]] = [
        (one["guard"], one["file"], one["test"].split("::")[-1], one["outcome"])
        for one in report["mutations"]
    ]
    skipped = [f"- {one['test']}: {one['reason']}" for one in report["skipped"]] or ["None."]
    parts = [
        "# What the fault suite has shown",
        f"{report['points']} durable operations looked at, {report['states']} different states "
        f"gone on from, {report['kills']} processes killed. Ledgers on "
        f"{' and '.join(report['databases'])}. {report['seconds']} seconds.",
        "## Rows of the fault matrix (docs/reliability.md), by tests",
        markdown(("row", "passed", "failed", "skipped"), rows),
        "## Guards taken out: the test must fail",
        markdown(("guard", "file", "test", "the test"), guards),
        "## Skipped",
        "\n".join(skipped),
        f"`{report['command']}` at {report['commit']} on {report['date']}.",
        f"Machine: {report['machine']}. Digest of the sources: {report['digest'][:12]}.",
    ]
    return "\n\n".join(parts) + "\n"


collected = Collected()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell each test's rows with its outcome."""
    for item in items:
        rows = sorted({row for mark in item.iter_markers("fault") for row in mark.args})
        item.user_properties.append(("rows", rows))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what came of a test."""
    collected.add(report)


def pytest_sessionfinish() -> None:
    """Write the report beside this file; of several processes the one that hears all of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    report = collected.report()
    REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")
    REPORT.with_suffix(".md").write_text(page(report))

"""Intervals of what a benchmark found, and of which commit it says that it was."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import findings
from tasks import git


def test_interval_is_as_wide_as_theory_says() -> None:
    daily = np.random.default_rng(1).normal(size=400)
    low, high = findings.day_interval(daily)
    assert high - low == pytest.approx(2 * 1.96 * daily.std() / 20, rel=0.05)


def test_results_of_another_benchmark_are_no_change_of_the_code(tmp_path: Path) -> None:
    files = [tmp_path / "benchmarks" / "results" / "one.md", tmp_path / "benchmarks" / "one.py"]
    files[0].parent.mkdir(parents=True)
    git.git(tmp_path, "init", "-q")
    for file in files:
        file.write_text("before")
    git.git(tmp_path, "add", ".")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    git.git(tmp_path, *who, "commit", "-qm", "one")
    head = git.git(tmp_path, "rev-parse", "HEAD").strip()
    files[0].write_text("after")
    assert findings.commit_of(tmp_path) == head
    files[1].write_text("after")
    assert findings.commit_of(tmp_path) == f"{head} with changes"

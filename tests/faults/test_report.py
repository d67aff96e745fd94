"""The committed report is of this code, and of a whole run; an older one is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults import report
from tests.faults.report import COMMITS, REPORT, ROOT


@pytest.fixture
def committed() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(REPORT.read_text())
    return read


def test_the_report_is_of_the_code_as_it_is(committed: dict[str, Any]) -> None:
    assert report.outdated(committed) is None
    assert committed["kills"] >= 200
    assert committed["databases"] == ["postgresql", "sqlite"]
    assert len(committed["mutations"]) >= 10
    assert {one["outcome"] for one in committed["mutations"]} == {"failed"}
    assert REPORT.with_suffix(".md").read_text() == report.page(committed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": "0" * 64}, "run `make faults` again and commit"),
        ({"failed": ["a test"]}, "of a run that failed"),
        ({"skipped": [{"test": "a test", "reason": ""}]}, "without a reason"),
    ],
)
def test_another_report_is_refused(
    change: dict[str, Any], said: str, committed: dict[str, Any]
) -> None:
    good = committed | {"digest": report.digest(), "failed": [], "skipped": []}
    assert report.outdated(good) is None
    assert said in str(report.outdated(good | change))


@pytest.mark.parametrize("name", COMMITS)
def test_the_digest_covers_every_source(name: str, tmp_path: Path) -> None:
    for one in COMMITS:
        copy = shutil.copytree if (ROOT / one).is_dir() else shutil.copy2
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / one, tmp_path / one)
    before = report.digest(tmp_path)
    assert before == report.digest()
    changed = tmp_path / name
    changed = sorted(changed.rglob("*.py"))[-1] if changed.is_dir() else changed
    changed.write_text(changed.read_text() + "\n")
    assert report.digest(tmp_path) != before

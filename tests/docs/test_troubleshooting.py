"""Every error that we raise is on the page, and no other one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RAISED = re.compile(r"^class (\w+Error)\(", re.MULTILINE)
TOLD = re.compile(r"`(\w+Error)`(?=.*\|.*\|)")


def test_every_error_is_told() -> None:
    ours = {
        name
        for folder in ("flows", "tasks", "lightning_modules")
        for path in (ROOT / folder).rglob("*.py")
        for name in RAISED.findall(path.read_text())
    }
    assert len(ours) > 20
    assert set(TOLD.findall((ROOT / "docs" / "troubleshooting.md").read_text())) == ours

"""The plan, as a table: what the night finds and what it does then."""

from pathlib import Path

import pytest

from tasks.params import Params
from tasks.plan import plan
from tasks.records import Drift, Plan, Validation
from tests.tasks.made import DAY, increment, params


def decided(where: Path, settings: Params, *, rows: int, closed: bool, drift: str) -> Plan:
    Validation(day=DAY, rows=rows, users=1, items=1, closed=closed).write(
        where / "validation.json"
    )
    Drift(
        day=DAY,
        evaluated=drift != "unknown",
        reason=f"it is {drift}",
        columns={},
        share=0.0,
        detected=drift == "moved",
    ).write(where / "drift.json")
    made = plan(increment(), settings, where)
    assert Plan.read(where / "plan.json") == made
    return made


@pytest.mark.parametrize(
    ("rows", "closed", "drift", "only_on_drift", "action", "reasons"),
    [
        (500, False, "still", False, "fine_tune", ["500 new rows, not drifted"]),
        (500, False, "moved", False, "fine_tune", ["500 new rows, drifted"]),
        (500, False, "moved", True, "fine_tune", ["500 new rows, drifted"]),
        (500, False, "still", True, "skip", ["no drift"]),
        (200, False, "still", False, "fine_tune", ["200 new rows"]),
        (199, False, "moved", False, "skip", ["199 rows are fewer than plan.min_rows = 200"]),
        (500, False, "unknown", False, "skip", ["drift could not be evaluated (it is unknown)"]),
        (0, True, "still", False, "skip", ["the shop was closed"]),
        (9, False, "unknown", True, "skip", ["9 rows are fewer", "drift could not be evaluated"]),
    ],
)
def test_what_the_night_finds_decides_what_it_does(
    rows: int,
    closed: bool,
    drift: str,
    only_on_drift: bool,
    action: str,
    reasons: list[str],
    tmp_path: Path,
) -> None:
    settings = params(plan={"min_rows": 200, "only_on_drift": only_on_drift})
    made = decided(tmp_path, settings, rows=rows, closed=closed, drift=drift)
    assert made.action == action
    assert len(made.reasons) == len(reasons)
    for said, expected in zip(made.reasons, reasons, strict=True):
        assert expected in said

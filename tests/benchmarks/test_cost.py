"""Figures of an increment's cost from made-up measurements, and what a process is said to cost."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import cost_figures, cost_process
from benchmarks.cost_figures import ALL, PARTS, SAME, Growth, Span
from benchmarks.cost_growth import shifted
from benchmarks.findings import Finding
from lightning_modules.learner import ShopDay

SPAN = Span({"early": 10, "middle": 17, "late": 24}, same=2, around=1, rounds=2)


def growth(late: float) -> Growth:
    """Every part takes a second early and late, but examples: `late` times that."""
    made = Growth("recommendation", SPAN, events=100)
    for kind in (SAME, cost_figures.OWN):
        for point in SPAN.points:
            for part in PARTS:
                more = late if part == "examples" and point == "late" else 1.0
                made.spent[kind, point].seconds[part] = [more, more, 3 * more, more]
    made.sizes = {point: {"bytes of all files": 7} for point in SPAN.points}
    return made


def by_name(found: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(one.measure, one.method): one for one in found}


def test_a_part_that_grew_misses_the_bar_and_all_of_it_may_still_meet_it() -> None:
    found = by_name(cost_figures.figures(growth(1.5)))
    examples = found["CPU of examples, the same rows", "late / early"]
    assert examples.value == pytest.approx(1.5)
    assert examples.met is False
    whole = found[f"CPU of {ALL}, the same rows", "late / early"]
    assert whole.value == pytest.approx(6.5 / 6)
    assert (whole.bar, whole.met) == (1.10, True)
    assert found["CPU of save, the same rows", "late / early"].value == pytest.approx(1)
    assert found["CPU of examples, its own days", "late / early"].bar is None
    assert found["bytes of all files", "late"].unit == "bytes"


def test_one_slow_day_is_not_the_median() -> None:
    assert cost_figures.medians(growth(1.0), SAME, "early")["load"] == 1.0


def test_the_table_says_how_much_of_all_a_part_grew() -> None:
    line = next(t for t in cost_figures.table(growth(1.6)).splitlines() if "| examples" in t)
    assert "1.60 (1.60 to 1.60) missed" in line
    assert "+10.0%" in line


def test_the_line_is_timed_around_the_first_and_last_point_alone() -> None:
    near = {number: SPAN.near(number) for number in range(1, SPAN.last + 1)}
    assert [number for number, name in near.items() if name == "early"] == [11, 12, 13]
    assert [number for number, name in near.items() if name == "late"] == [25, 26, 27]
    assert "middle" not in near.values()
    points = list(Span().points.values())
    assert np.diff(points).tolist() == [133, 140]
    assert all(step % 7 == 0 for step in np.diff(points))


def test_memories_take_the_days_before_and_around_a_point() -> None:
    span = Span({"early": 30, "late": 300}, memory=10)
    seen = [number for number in range(1, span.last + 1) if span.seen(number)]
    assert seen == [*range(21, 42), *range(291, 309)]
    assert all(span.seen(number) for number in range(1, 309) if span.near(number))


def test_a_shifted_day_has_the_same_rows_later() -> None:
    day = dt.date(2017, 1, 30)
    events = pd.DataFrame({"event_time": pd.to_datetime(["2017-01-30 12:00Z"]), "item_id": ["a"]})
    prices = pd.DataFrame({name: pd.to_datetime(["2017-01-30"]) for name in ("date", "until")})
    moved = shifted(ShopDay(day, events, events[["item_id"]], prices), 7)
    assert moved.day == dt.date(2017, 2, 6)
    assert moved.events["event_time"].tolist() == [pd.Timestamp("2017-02-06 12:00Z")]
    assert moved.prices["until"].tolist() == [pd.Timestamp("2017-02-06")]
    assert moved.events["item_id"].tolist() == ["a"]
    assert events["event_time"].tolist() == [pd.Timestamp("2017-01-30 12:00Z")]


def test_each_night_is_compared_with_the_full_retrain_of_its_round() -> None:
    rounds = [
        cost_process.Round(
            (100.0 * n, 300.0 * n),
            {
                cost_process.COLD: [(20.0 * n, 60.0), (20.0 * n, 200.0 * n)],
                cost_process.WARM: [(5.0 * n, 9.0 * n)] * 2,
            },
        )
        for n in (1, 2, 4)
    ]
    found = by_name(cost_process.figures(rounds))
    cold = found["CPU seconds, of full retrain's", cost_process.COLD]
    assert cold.value == pytest.approx(0.2)
    assert (cold.bar, cold.met, cold.days) == (1 / 3, True, 6)
    assert found["wall seconds, of full retrain's", cost_process.COLD].met is False
    assert found["CPU seconds, whole process", cost_process.RETRAIN].value == 200
    assert found["CPU seconds, of full retrain's", cost_process.WARM].met is True
    assert "bar 0.333: met" in cost_process.table(list(found.values()))


def test_a_processs_cost_holds_that_of_its_children(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    cpu, wall = cost_process.spent_by([sys.executable, "-c", outer], tmp_path)
    assert cpu >= 0.3
    assert wall > 0
    with pytest.raises(subprocess.CalledProcessError):
        cost_process.spent_by([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)

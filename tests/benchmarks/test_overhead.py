"""Seconds per step, from the ledger's attempts."""

import datetime as dt
from pathlib import Path

import pytest

from benchmarks import overhead
from tasks.ledger import Attempt

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STEPS = {"validate": 0.25, "prequential": 0.5, "fine_tune": 0.75, "evaluate": 0.25, "drift": 0.5}


def attempt(number: int, at: float, seconds: dict[str, float] | None = STEPS) -> Attempt:
    ended = None if seconds is None else START + dt.timedelta(seconds=at + 2)
    return Attempt(
        attempt=str(number),
        application="recommendation",
        day=dt.date(2017, 10, 1) + dt.timedelta(number),
        fencing=1,
        started=START + dt.timedelta(seconds=at),
        ended=ended,
        outcome=None if seconds is None else "promote",
        seconds=seconds,
    )


def test_warm_increments_last_until_the_next_and_leave_out_the_cold_first() -> None:
    cold = STEPS | {"drift": 5.0}
    killed = attempt(2, 20, seconds=None)
    seconds = overhead.warm_seconds(
        [attempt(0, 0, cold), attempt(1, 10), killed, attempt(3, 13), attempt(4, 17)]
    )
    assert seconds["wall"].tolist() == [3, 4]
    assert seconds["drift"].tolist() == [0.5, 0.5]
    assert seconds[overhead.BETWEEN].tolist() == [0.75, 1.75]
    assert seconds[overhead.BESIDE].tolist() == [1.5, 2.5]


def test_two_attempts_say_nothing() -> None:
    with pytest.raises(overhead.NoAttemptsError, match="learn three days or more"):
        overhead.warm_seconds([attempt(0, 0), attempt(1, 10)])


def test_bar_is_held_against_the_median() -> None:
    attempts = [attempt(number, 5.0 * number) for number in range(6)]
    found = overhead.summarise(overhead.warm_seconds(attempts), overhead.WARM)
    by = {one.measure: one for one in found}
    beside = by[f"seconds: {overhead.BESIDE}"]
    assert (beside.value, beside.bar, beside.met, beside.days) == (3.5, 4.0, True, 4)
    assert by["seconds: drift"].bar is None
    assert "3.50 (3.50 to 3.50), bar 4: met" in overhead._table(found)


def test_a_server_that_dies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "_ready", lambda: False)
    fake = tmp_path / "flows"
    fake.mkdir()
    (fake / "serve.py").write_text("raise SystemExit(1)")
    with (
        pytest.raises(TimeoutError, match="does `make serve` work"),
        overhead.serving(tmp_path),
    ):
        pass

"""Records are frozen, checked, and the same bytes whenever they are the same."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.record import write_json
from tasks.records import ColumnDrift, Increment, Plan, seed_of
from tasks.update import UpdateSettings
from tests.tasks.made import increment


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    pinned = increment(looks={"anchor": 3}, update=UpdateSettings(epochs=2))
    path = tmp_path / "deep" / "increment.json"
    assert pinned.write(path) is pinned
    assert Increment.read(path) == pinned
    content = path.read_bytes()
    Increment.read(path).write(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]  # no draft is left beside it


def test_a_record_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        increment().day = dt.date(2024, 3, 1)  # type: ignore[misc]


def test_a_file_of_another_shape_is_refused_by_field(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_json(path, {"action": "fine_tune", "reasons": [], "surprise": 1})
    with pytest.raises(ValidationError, match="surprise"):
        Plan.read(path)
    write_json(path, {"action": "improvise", "reasons": []})
    with pytest.raises(ValidationError, match="action"):
        Plan.read(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="finite"):
        ColumnDrift(psi=value, drifted=False)
    path = tmp_path / "value.json"
    path.write_text("before")
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, {"psi": value})
    assert path.read_text() == "before"


@given(st.lists(st.text(max_size=4), min_size=1, max_size=3))
def test_a_seed_depends_on_all_its_parts(parts: list[str]) -> None:
    seed = seed_of(*parts)
    assert 0 <= seed < 2**31
    assert seed == seed_of(*parts)
    assert seed != seed_of(*parts, "one more")


def test_parts_of_a_seed_do_not_run_together() -> None:
    assert seed_of("ab", "c") != seed_of("a", "bc")

"""increments.json: one entry an application, and the same call for flow and stage."""

import json
import shutil
from pathlib import Path

import pytest

from tasks import pins, workspace
from tasks.params import Params
from tasks.records import Increment
from tests.tasks.made import increment


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy2(Path(__file__).parents[2] / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    workspace.INCREMENTS_FILE.write_text('{"increments": {}}\n')


def test_a_pin_comes_back_and_leaves_the_others_alone() -> None:
    pins.write_pin(increment())
    other = increment(application="pricing", seed=9)
    pins.write_pin(other)
    pins.write_pin(increment(seed=6))
    assert pins.read_pin("pricing") == other
    assert pins.read_pin("recommendation").seed == 6
    pinned = json.loads(workspace.INCREMENTS_FILE.read_text())["increments"]
    assert sorted(pinned) == ["pricing", "recommendation"]


def test_before_the_first_increment_the_cure_is_named() -> None:
    with pytest.raises(pins.NothingPinnedError, match=r"'recommendation' yet: run the daily flow"):
        pins.read_pin("recommendation")


def test_a_stage_is_the_step_on_the_pinned_increment(monkeypatch: pytest.MonkeyPatch) -> None:
    pins.write_pin(increment())
    calls: list[tuple[Increment, Params, Path]] = []
    monkeypatch.setattr("sys.argv", ["tasks/plan.py", "recommendation"])
    pins.run_as_stage(lambda *arguments: calls.append(arguments))
    ((pinned, params, where),) = calls
    assert pinned == increment()
    assert params.application("recommendation").gate.draws == 2000
    assert where == Path("increments/recommendation")

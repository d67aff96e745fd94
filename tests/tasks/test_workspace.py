"""A workspace is made, carried forward, and records increments; damaged data is not read."""

import json
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks import git, land, workspace
from tasks.carry import make_workspace
from tasks.pull import pull
from tasks.sources import open_source
from tests.shop import FIRST_DAY, write_project, write_shop

APPLICATION = "recommendation"
ROLES = [workspace.INCREMENTS / APPLICATION / role for role in ("parent", "anchor")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path / "project")
    make_workspace(tmp_path / "place", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "project"


@pytest.fixture
def pulled(project: Path, tmp_path: Path) -> dict[str, Any]:
    settings = write_shop(tmp_path / "shop", users=12, items=16, days=4)
    land.build_registry(open_source(settings), FIRST_DAY + timedelta(days=4))
    pull()
    return settings


def increment(day: date, content: str) -> None:
    """What snapshot leaves in the workspace for DVC to record."""
    events = str(workspace.DATA / workspace.partition("events", day))
    pin = {"increments": {APPLICATION: {"day": str(day), "events": events}}}
    with workspace.recording(APPLICATION, day, ROLES):
        workspace.INCREMENTS_FILE.write_text(json.dumps(pin))
        for role in ROLES:
            role.mkdir(parents=True, exist_ok=True)
            (role / "model").write_text(content)
        (workspace.INCREMENTS / APPLICATION / "verdict.json").write_text(str(day))


def dvc(*arguments: str) -> str:
    done = subprocess.run(["dvc", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_workspace_is_carried_forward_and_keeps_what_it_learned(project: Path) -> None:
    place = Path.cwd()
    learned = '{"increments": {"recommendation": {}}}'
    workspace.INCREMENTS_FILE.write_text(learned)
    workspace.DVC_LOCK.write_text("schema: '2.0'\n")
    (project / "increments.json").write_text('{"increments": {}, "more": 1}\n')
    (project / "new.py").write_text("")
    git.commit_as_of(project, "an upgrade", FIRST_DAY)
    make_workspace(place, project)
    assert git.head(place) == git.head(project)
    assert (place / "new.py").exists()
    assert workspace.INCREMENTS_FILE.read_text() == learned
    assert workspace.DVC_LOCK.exists()


def test_a_conflict_is_named_and_nothing_is_lost(project: Path) -> None:
    workspace.INCREMENTS_FILE.write_text("learned")
    Path("dvc.yaml").write_text("mine")
    (project / "dvc.yaml").write_text("theirs")
    git.commit_as_of(project, "an upgrade", FIRST_DAY)
    with pytest.raises(git.GitError, match=r"dvc\.yaml"):
        make_workspace(Path.cwd(), project)
    assert workspace.INCREMENTS_FILE.read_text() == "learned"
    assert Path("dvc.yaml").read_text() == "mine"


def asked_anew() -> str:
    workspace._code_revision.cache_clear()
    return workspace.code_revision()


def test_the_code_revision_tells_edited_code_apart(project: Path) -> None:
    (project / "tasks").mkdir()
    (project / "tasks" / "step.py").write_text("a = 1\n")
    git.commit_as_of(project, "code", FIRST_DAY)
    make_workspace(Path.cwd(), project)
    clean = asked_anew()
    assert clean == git.head(project)
    Path("tasks/step.py").write_text("a = 2\n")
    assert workspace.code_revision() == clean  # this process has loaded what was there before
    edited = asked_anew()
    assert edited.startswith(clean + "+")
    Path("tasks/step.py").write_text("a = 3\n")
    assert asked_anew() != edited


@pytest.mark.fault(11)
def test_a_partition_is_read_only_when_its_digest_is_right(pulled: dict[str, Any]) -> None:
    path = workspace.partition("events", FIRST_DAY)
    md5 = workspace.data_manifest()[path]
    rows = workspace.read_partition(path, md5)
    expected = open_source(pulled).read_day(FIRST_DAY).events
    pd.testing.assert_frame_equal(rows, expected)
    file = workspace.DATA / path
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(workspace.DamagedPartitionError, match=f"{path} has md5 .*dvc pull"):
        workspace.read_partition(path, md5)
    file.unlink()
    with pytest.raises(workspace.DamagedPartitionError, match="missing"):
        workspace.read_partition(path, md5)


def test_a_look_at_the_registry_changes_nothing(pulled: dict[str, Any], tmp_path: Path) -> None:
    path = workspace.partition("items", FIRST_DAY)
    before = workspace.DATA_DVC.read_bytes()
    workspace.fetch_from_registry([path], tmp_path / "look")
    md5 = workspace.registry_manifest()[path]
    assert len(workspace.read_partition(path, md5, folder=tmp_path / "look"))
    assert workspace.DATA_DVC.read_bytes() == before


def test_increments_are_experiments_that_can_be_brought_back(pulled: dict[str, Any]) -> None:
    days = [FIRST_DAY, FIRST_DAY + timedelta(days=1)]
    for day in days:
        increment(day, f"model before {day}")
    increment(days[-1], f"model before {days[-1]}")  # killed before it was noted: again
    names = dvc("exp", "list", "--name-only").split()
    assert sorted(names) == [f"{APPLICATION}-{day}" for day in days]
    assert "up to date" in dvc("status")
    assert "up to date" in dvc("repro")
    dvc("exp", "apply", f"{APPLICATION}-{days[0]}")
    assert (ROLES[0] / "model").read_text() == f"model before {days[0]}"
    verdict = workspace.INCREMENTS / APPLICATION / "verdict.json"
    assert verdict.read_text() == str(days[0])
    dvc("repro", "--force")
    assert verdict.read_text() == str(days[0])
    assert "up to date" in dvc("status")
    assert "up to date" in dvc("push")  # nothing was left unpushed

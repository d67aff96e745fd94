"""A snapshot shows a committed increment to DVC: once is as good as twice, and it can be rerun."""

from pathlib import Path

import pytest
from dvc.repo import Repo

from tasks import (
    bundle,
    decide,
    drift,
    evaluate,
    fine_tune,
    pins,
    plan,
    prequential,
    validate,
    workspace,
)
from tasks.attempt import PIN, SIDE_FILES
from tasks.card import CARD
from tasks.records import Increment
from tests.line import APPLICATION, Place, attempt, finish_snapshots, settle

STEPS = (validate, prequential, drift, plan, fine_tune, evaluate, decide)


def outputs(place: Path) -> dict[str, bytes]:
    """The files of the stages, by name below the folder."""
    tracked = ("parent", "predecessor", "anchor", "head", ".gitignore", PIN, CARD, *SIDE_FILES)
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file()
        and path.suffix != ".dvc"
        and path.relative_to(place).parts[0] not in tracked
    }


def experiments() -> list[str]:
    with Repo() as repo:
        return [
            name for names in repo.experiments.ls(git_remote=None).values() for name, _ in names
        ]


def test_an_increment_is_shown_to_dvc_and_its_stages_give_the_same_bytes(
    evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = Increment.read(attempt() / PIN)
    place = workspace.INCREMENTS / APPLICATION
    place.mkdir(parents=True, exist_ok=True)
    (place / "of_another_day.json").write_text("{}")
    line = settle(evening, attempt())
    assert len(evening.ledger.missing_snapshots(APPLICATION)) == 2
    assert finish_snapshots(evening) == 2  # the first champion's has nothing to show
    assert finish_snapshots(evening) == 0

    assert pins.read_pin(APPLICATION) == pinned
    for role in ("parent", "predecessor", "anchor"):
        assert bundle.verify(place / role, version=getattr(pinned, role))
    assert bundle.verify(place / "head", version=line.head)
    shown = outputs(place)
    kept = workspace.ATTACHMENTS / APPLICATION / line.head
    assert shown == outputs(kept)
    with Repo() as repo:
        assert repo.status() == {}
    assert experiments() == [f"{APPLICATION}-{pinned.day}"]

    # What `dvc repro --force` runs, one after the other.
    monkeypatch.setattr("sys.argv", ["stage", APPLICATION])
    for step in STEPS:
        pins.run_as_stage(getattr(step, step.__name__.rpartition(".")[2]))
    assert outputs(place) == shown

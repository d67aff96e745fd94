"""What DVC no longer needs goes from cache and remote; what any ref names can still be rebuilt."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from dvc.repo import Repo

from tasks import git, objects, workspace
from tests.line import APPLICATION, Place, finish_snapshots

REMOTE = workspace.VAR / "remote"
CACHE = Path(".dvc/cache/files/md5")


def names(store: Path) -> set[str]:
    """The objects in a store."""
    return {path.parent.name + path.name for path in store.glob("**/*") if path.is_file()}


def check_can_be_had(ref: str) -> None:
    """All of an experiment, from the remote alone."""
    with Repo() as repo:
        repo.experiments.apply(ref.rsplit("/", 1)[1])
    shutil.rmtree(".dvc/cache")
    with Repo() as repo:
        repo.pull(force=True)
        assert repo.status(cloud=True) == {}


@pytest.mark.slow
@pytest.mark.fault(29)
def test_two_of_three_experiments_go_and_the_third_is_whole(seasoned: Place) -> None:
    finish_snapshots(seasoned)
    landed = set(workspace.data_manifest().values())
    history = names(workspace.REGISTRY / ".dvc/cache")
    first, second, third = sorted(objects.experiments(APPLICATION))
    git.git(Path(), "branch", "a-persons-own", second)
    before = names(CACHE), names(REMOTE)
    said = objects.sweep([first, second], remote=False, dry_run=True)
    assert (names(CACHE), names(REMOTE)) == before
    assert said["cache"] > 0 < said["remote"]

    for operation in ("update-ref", "cache", "remote"):  # killed before, between and within
        _killed_at(operation, [first, second])
    assert objects.experiments(APPLICATION).keys() == {third}
    objects.sweep([], remote=False, dry_run=False)
    assert objects.sweep([], remote=False, dry_run=False) == {"cache": 0, "remote": 0}
    assert landed <= names(CACHE) < before[0]
    assert names(REMOTE) < before[1]
    assert names(workspace.REGISTRY / ".dvc/cache") == history
    check_can_be_had(third)
    with Repo() as repo:
        assert repo.status() == {}
        repo.fetch(revs=["a-persons-own"])  # the branch keeps what it names


def _killed_at(operation: str, doomed: list[str]) -> None:
    """A child dies where it is about to do that; the second time it is past it."""
    child = os.fork()
    if child == 0:
        try:
            _die_at(operation)
            objects.sweep(doomed, remote=False, dry_run=False)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def _die_at(operation: str) -> None:
    run, remove = git.git, objects._remove

    def stop(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def stopping_git(where: Path, *arguments: str, **environment: str) -> str:
        if operation == "update-ref" == arguments[0]:
            run(where, *arguments, **environment)
            stop()
        return run(where, *arguments, **environment)

    def stopping_remove(store: object, reachable: set[str], dry_run: bool) -> int:
        if operation in str(getattr(store, "path", "")):
            store.fs.remove = stop  # type: ignore[attr-defined]
        return remove(store, reachable, dry_run)

    git.git = stopping_git
    objects._remove = stopping_remove


@pytest.mark.slow
def test_a_store_that_others_may_use_is_left_alone(seasoned: Place, tmp_path: Path) -> None:
    config = Path(".dvc/config").read_text()
    Path(".dvc/config").write_text(config.replace("../var/remote", str(tmp_path / "shared")))
    finish_snapshots(seasoned)
    doomed = sorted(objects.experiments(APPLICATION))[:2]
    before = names(tmp_path / "shared")
    assert before
    assert objects.sweep(doomed, remote=False, dry_run=False).keys() == {"cache"}
    assert names(tmp_path / "shared") == before
    assert objects.sweep([], remote=True, dry_run=False)["remote"] > 0
    assert names(tmp_path / "shared") < before

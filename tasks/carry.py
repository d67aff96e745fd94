"""Workspaces, where runs happen: clones of the project, made or carried to its HEAD."""

import logging
import shutil
import sys
from pathlib import Path

from tasks import git
from tasks.interrupted import alone
from tasks.workspace import DATA_DVC, DVC_LOCK, INCREMENTS_FILE, JOURNAL, VAR

log = logging.getLogger(__name__)
BRANCH = "workspace"
# What an increment changes among the tracked files: kept when a workspace is carried forward.
LEARNED = (DATA_DVC, DVC_LOCK, INCREMENTS_FILE)


def make_workspace(directory: Path, project: Path = Path()) -> None:
    """Make a workspace of the project's HEAD, or carry one there, keeping what it has learned.

    Waits while a run pulls data or records an increment there. Raises GitError if a tracked file
    other than LEARNED was edited in the workspace, and by the project too; ValueError where
    `directory` is, or holds, the project itself, or holds something that is no workspace.
    """
    _check_apart(directory, project)
    if edited := git.git(project, "status", "--porcelain", "--untracked-files=no"):
        log.warning("a workspace is made of commits; these changes stay behind:\n%s", edited)
    with alone((directory / JOURNAL).with_suffix(".lock")):
        _carry(directory, project, aside=directory / VAR / "carried")
    environment, link = (project / ".venv").resolve(), directory / ".venv"
    if environment.exists() and not link.exists():
        link.symlink_to(environment)


def _check_apart(directory: Path, project: Path) -> None:
    """What a workspace is made of would be written over what is there."""
    if project.resolve().is_relative_to(directory.resolve()):
        raise ValueError(
            f"{directory} is, or holds, what the workspace is made from: name another"
        )
    there = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if ".git" not in there and there - {VAR.name}:  # a call that was cut short has made var/
        raise ValueError(f"{directory} is no workspace and not empty: name another")


def _carry(directory: Path, project: Path, aside: Path) -> None:
    """Check out the project's HEAD on a branch of the workspace's own.

    Changed LEARNED files lie in `aside` meanwhile: copied before they are taken back, so that a
    kill in between loses nothing and the next call goes on.
    """
    if not (directory / ".git").exists():
        git.git(directory, "init", "--quiet")
        git.git(directory, "config", "user.name", "dayshift")  # who records the experiments
        git.git(directory, "config", "user.email", "dayshift@localhost")
    aside.mkdir(parents=True, exist_ok=True)
    changed = git.git(directory, "status", "--porcelain", "--", *map(str, LEARNED))
    for line in changed.splitlines():
        state, name = line[:2], line[3:]
        shutil.copy2(directory / name, aside / f"{name}.draft")
        (aside / f"{name}.draft").replace(aside / name)
        if state == "??":
            (directory / name).unlink()
        else:
            git.git(directory, "checkout", "--quiet", "HEAD", "--", name)
    try:
        git.git(directory, "fetch", "--quiet", str(project.resolve()), "HEAD")
        git.git(directory, "checkout", "--quiet", "-B", BRANCH, "FETCH_HEAD")
    finally:
        for path in LEARNED:
            if (aside / path).exists():
                (aside / path).replace(directory / path)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    make_workspace(Path(sys.argv[1]))

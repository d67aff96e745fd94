"""Git, by its own command line."""

import os
import subprocess
from collections.abc import Iterable
from datetime import date
from pathlib import Path

# Commits that must be the same everywhere: one identity, and nobody's own settings.
REPRODUCIBLE = {
    "GIT_AUTHOR_NAME": "dayshift",
    "GIT_AUTHOR_EMAIL": "dayshift@localhost",
    "GIT_COMMITTER_NAME": "dayshift",
    "GIT_COMMITTER_EMAIL": "dayshift@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitError(RuntimeError):
    """Git refused; the message holds the command and Git's own words."""


def git(where: Path, *arguments: str, **environment: str) -> str:
    """Run Git in `where`; its output without the last line's end.

    Raises:
        GitError: Git's exit status was not 0.
    """
    # A hook of an outer repository sets GIT_DIR and the like, which would lead Git elsewhere.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=where,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GitError(f"git {' '.join(arguments)} in {where}: {done.stderr.strip()}")
    return done.stdout.rstrip("\n")


def head(where: Path) -> str:
    """The commit that is checked out."""
    return git(where, "rev-parse", "HEAD")


def start(where: Path) -> None:
    """A new repository whose first branch is `main`."""
    git(where, "init", "--quiet", "--initial-branch=main", "--object-format=sha1", "--template=",
        **REPRODUCIBLE)  # fmt: skip


def commit_as_of(where: Path, message: str, day: date) -> str:
    """Commit all that is not ignored, dated the last second of `day`; the new commit.

    Identity and date are fixed, so the same content on the same parent is the same commit.
    """
    stamp = f"{day}T23:59:59+0000"
    dates = {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    git(where, "add", "--all", **REPRODUCIBLE)
    git(where, "commit", "--quiet", "--no-verify", "--message", message, **REPRODUCIBLE, **dates)
    return head(where)


def discard_changes(where: Path) -> None:
    """Take tracked files back to the last commit, and clear what a killed process left locked."""
    lock = where / ".git" / "index.lock"
    if git(where, "status", "--porcelain", "--untracked-files=no") or lock.exists():
        lock.unlink(missing_ok=True)
        git(where, "checkout", "--quiet", "--force", "HEAD", "--", ".")


def experiment(where: Path, name: str, message: str, untracked: Iterable[Path]) -> None:
    """Keep the working tree as DVC's experiment `name` on HEAD, where `dvc exp` finds it.

    The same ref and tree as `dvc exp save --force` makes, which stashes changes and detaches HEAD
    on its way: a kill there takes the workspace apart. Here one ref changes, in one step.
    """
    base = head(where)
    index = {"GIT_INDEX_FILE": str((where / ".git" / f"index.{name}").resolve())}
    for leftover in (index["GIT_INDEX_FILE"], index["GIT_INDEX_FILE"] + ".lock"):
        Path(leftover).unlink(missing_ok=True)  # of a killed run
    git(where, "read-tree", base, **index)
    git(where, "add", "--update", **index)
    git(where, "add", "--force", "--", *map(str, untracked), **index)
    tree = git(where, "write-tree", **index)
    commit = git(where, "commit-tree", tree, "-p", base, "-m", message)
    git(where, "update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", commit)
    Path(index["GIT_INDEX_FILE"]).unlink()

"""The flows as real processes, as a worker or a person starts them."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import NamedTuple

from tasks import bundle, git, workspace
from tasks.ledger import open_ledger
from tests.line import APPLICATION, Place

DAILY = "from flows.daily import daily_increment; daily_increment(%s)"
OURS = ("DAYSHIFT_LEDGER_URL", "AWS_")  # what a process takes over from the test
ROLLBACK = "from flows.rollback import rollback; rollback(%s, application='recommendation')"
# What a look may leave: SQLite's shared memory, compiled modules, Git's memory of file times.
NOT_CONTENT = (".db-shm", ".db-wal", ".pyc", ".git/index")


class Finished(NamedTuple):
    """How a process ended and all that it said."""

    code: int
    said: str


class Flows(NamedTuple):
    """Starts processes in a workspace, with a Prefect server to report to."""

    environment: Mapping[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A Python process in the current directory; what it says comes through one pipe."""
        return subprocess.Popen(
            [sys.executable, "-u", *arguments],
            env={
                **self.environment,
                **{name: value for name, value in os.environ.items() if name.startswith(OURS)},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> Finished:
        """The same, waited for."""
        return finish(self.start(*arguments))

    def daily(self, parameters: str = "") -> Finished:
        """The daily flow, with parameters in Python's own words."""
        return self.run(*(("-c", DAILY % parameters) if parameters else ("-m", "flows.daily")))

    def learn(self, parameters: str = "") -> str:
        """The same where it must end well; what it said."""
        done = self.daily(parameters)
        assert done.code == 0, done.said
        return done.said

    def dvc(self, *arguments: str) -> str:
        """A DVC command that must end well; what it said."""
        done = self.run("-m", "dvc", *arguments)
        assert done.code == 0, done.said
        return done.said


def finish(process: "subprocess.Popen[str]") -> Finished:
    """Wait for the end."""
    said, _ = process.communicate(timeout=300)
    return Finished(process.returncode, said)


def contents(root: Path, leave_out: tuple[str, ...] = ()) -> dict[str, str]:
    """SHA-256 by path of every file of a workspace."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        for name in [path.relative_to(root).as_posix()]
        if not name.startswith(leave_out) and not name.endswith(NOT_CONTENT)
    }


def experiments(root: Path) -> dict[str, str]:
    """The tree of each DVC experiment by name."""
    refs = git.git(root, "for-each-ref", "refs/exps", "--format=%(refname) %(tree)")
    found = (line.split(" ") for line in refs.splitlines())
    return {name.rsplit("/", 1)[1]: tree for name, tree in found}


def check_whole(place: Place) -> None:
    """Every version and attachment that the ledger names is there, unharmed and shown to DVC."""
    truth = place.ledger.contents()
    for row in truth["versions"]:
        stored = bundle.load(workspace.BUNDLES, APPLICATION, row["version"])
        assert stored.digest == row["manifest"]
    for row in truth["attachments"]:
        file = workspace.ATTACHMENTS / APPLICATION / row["version"] / row["name"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"], file
    assert all(row["done"] for row in truth["snapshots"])
    learned = [
        entry.day for entry in place.ledger.history(APPLICATION) if entry.outcome == "learned"
    ]
    first, last = min(learned).toordinal(), max(learned).toordinal()
    assert [day.toordinal() for day in learned] == list(range(first, last + 1))


@contextmanager
def opened(root: Path) -> Iterator[Place]:
    """Within the block, the workspace is the current directory."""
    from tasks.params import load_params

    with chdir(root):
        place = Place(root, load_params(), open_ledger())
        try:
            yield place
        finally:
            place.ledger.engine.dispose()

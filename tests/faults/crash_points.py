"""Every durable operation of a piece of work is a point at which it may be killed.

A walk does the work once, in a child. Before each of its durable operations, and once more at the
end, it asks: what would a `kill -9` at this instant leave on the disk? Where that is another state
than any before, it keeps a copy of it. So every point is looked at, and equal states, such as the
many within a folder that the next run throws away, are kept once. `test_real_kills.py` compares
the states of a walk with those that a real SIGKILL leaves.

Two more states belong to each file that is written: empty, as right after it was opened, and half.
A killed process loses what it has buffered, not what it gave to the system; power failure is not
in this test.
"""

import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

# What a run in a workspace can change; the rest is the project's own source.
CHANGING = (
    *("var", "increments", ".dvc", ".git", "data", "registry"),
    *("data.dvc", "dvc.lock", "increments.json"),
)
THROWN_AWAY = "var/attempts/"  # by the next run, before anything else is done in it
# Written once under a name that says what is in them: a copy may share them.
NEVER_REWRITTEN = (
    ".dvc/cache/",
    "var/remote/",
    "registry/.remote/",
    ".git/objects/",
    "var/bundles/",
)
OWN = re.compile(r"/(tasks|flows|lightning_modules)/")
DVC = re.compile(r"/site-packages/(dvc|scmrepo)")
DEPTH = 3
RANDOM_NAME = re.compile(r"\.[A-Za-z0-9_-]{22}\.tmp|\.draft-[a-z0-9_]{8}|tmp_?[A-Za-z0-9_]{6,8}")


@dataclass(frozen=True)
class Point:
    """One durable operation: what is about to happen, and which code does it."""

    number: int
    operation: str
    target: str
    site: tuple[str, ...]
    view: bool  # within a snapshot or a pull: all of it can be made again from what is committed

    def __str__(self) -> str:
        return (
            f"{self.number}: {self.operation} {self.target[-150:]} by {' < '.join(self.site[1:])}"
        )


@dataclass(frozen=True)
class State:
    """What a kill at `point` leaves, kept at `folder`."""

    point: Point
    folder: Path


@dataclass
class Walk:
    """What a walk through some work has found.

    Without `every`, a place in the code that comes by again is not looked at again: a loop's first
    turn stands for the others. `seen` are places that need no look at all.
    """

    root: Path
    kept: Path
    every: bool
    seen: set[tuple[str, ...]]
    points: list[Point] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)
    _digests: dict[tuple[int, ...], str] = field(default_factory=dict)
    _opened: tuple[Point, Path] | None = None

    def look(self, operation: str, target: str) -> None:
        """Called before each operation."""
        self._look_back()
        point = _point(len(self.points) + 1, operation, target)
        self.points.append(point)
        if THROWN_AWAY in target:  # the state is that of the point before
            return
        folder = self._keep(point)
        if operation == "open" and folder is not None:
            self._opened = (point, Path(os.path.relpath(target, self.root)))

    def _keep(self, point: Point) -> Path | None:
        """Copy the state if it is new."""
        if not self.every and point.site in self.seen:
            return None
        state = signature(self.root, self._digests)
        if state in self._known:
            return None
        self._known.add(state)
        self.seen.add(point.site)
        folder = self.kept / str(len(self.states))
        copy(self.root, folder)
        self.states.append(State(point, folder))
        return folder

    def _look_back(self) -> None:
        """The file that was opened last is written by now: it might have been empty, or half."""
        if self._opened is None:
            return
        point, path = self._opened
        self._opened = None
        written = self.root / path
        if path.parts[0] == ".." or not written.is_file() or not written.stat().st_size:
            return
        if point.view and not self.every:
            return
        before = next(state.folder for state in self.states if state.point is point)
        content = written.read_bytes()
        for name, part in (("empty", b""), ("half", content[: len(content) // 2])):
            torn = replace(point, operation=f"{name} after {point.operation}")
            folder = self.kept / str(len(self.states))
            copy(before, folder)
            (folder / path).unlink(missing_ok=True)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(part)
            self.states.append(State(torn, folder))


def signature(
    root: Path, known: dict[tuple[int, ...], str] | None = None, but: str = "nothing"
) -> str:
    """The state of a workspace as far as a next run can see it, `but` for what begins so.

    `known` spares reading again.
    """
    known = {} if known is None else known
    lines = []
    for path in _changing(str(root)):
        name = RANDOM_NAME.sub("~", path[len(str(root)) + 1 :])
        if name.startswith(but):
            continue
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode):
            key = (status.st_ino, status.st_size, status.st_mtime_ns)
            if key not in known:
                known[key] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            lines.append(f"{name} {status.st_mode:o} {known[key]}")
        else:
            lines.append(f"{name} {status.st_mode:o}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def copy(root: Path, folder: Path) -> None:
    """A copy of a workspace as it is at this instant; it shares what is never written again."""
    top = str(root)
    for place, folders, files in os.walk(top):
        inside = place[len(top) :].lstrip("/")
        target = f"{folder}/{inside}"
        os.makedirs(target)  # noqa: PTH103  here and below: some hundred thousand times
        shared = f"{inside}/".startswith(NEVER_REWRITTEN)
        shared = shared or inside.split("/", 1)[0] not in CHANGING
        for name in files:
            source = f"{place}/{name}"
            if shared and (inside or name not in CHANGING):
                os.link(source, f"{target}/{name}")
            else:
                shutil.copy2(source, f"{target}/{name}", follow_symlinks=False)
        for name in [one for one in folders if os.path.islink(f"{place}/{one}")]:  # noqa: PTH114
            shutil.copy2(f"{place}/{name}", f"{target}/{name}", follow_symlinks=False)


def _changing(root: str) -> Iterator[str]:
    """Paths of all that a run can change, without what is thrown away and SQLite's memory."""
    for name in CHANGING:
        top = f"{root}/{name}"
        if os.path.isfile(top):  # noqa: PTH113  a thousand times a second
            yield top
        for folder, folders, files in os.walk(top):
            if folder == f"{root}/var" and "attempts" in folders:
                folders.remove("attempts")
            yield from (f"{folder}/{one}" for one in folders)
            yield from (f"{folder}/{one}" for one in files if not one.endswith(".db-shm"))


def _point(number: int, operation: str, target: str) -> Point:
    """Where we are: the last place in DVC's code and the last three in ours; of a view, one."""
    ours: list[str] = []
    foreign: list[str] = []
    shown = False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        place = f"{'/'.join(path.split('/')[-2:])}:{frame.f_lineno}"
        if not foreign and not ours and DVC.search(path):
            foreign.append(place)
        elif "/site-packages/" not in path and OWN.search(path):
            ours.append(place)
            shown = shown or path.endswith("tasks/snapshot.py")
        frame = frame.f_back
    view = bool(foreign) or not ours or shown
    depth = 1 if view else DEPTH
    return Point(number, operation, target, (operation, *[*foreign, *ours][:depth]), view)

"""A folder for one run at one day: versions linked in, the files of the steps beside them."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks import bundle, workspace
from tasks.records import Increment

PIN = "increment.json"
SIDE_FILES = ("drift.html", "evidently.json")  # Evidently numbers its parts anew in each run


def open_attempt(increment: Increment) -> Path:
    """A fresh folder with verified links to parent, predecessor and anchor.

    Raises CorruptBundleError before anything is learned from a damaged version.
    """
    where = fresh_folder(increment.application)
    _link_versions(increment, where)
    increment.write(where / PIN)
    return where


@contextmanager
def open_preview(increment: Increment) -> Iterator[Path]:
    """The same folder for a dry run: outside the workspace, and gone after the block."""
    with tempfile.TemporaryDirectory() as place:
        _link_versions(increment, Path(place))
        yield Path(place)


def fresh_folder(application: str) -> Path:
    """An empty folder of this run's own; what killed runs of the application left is removed.

    The caller holds the application's lease, so no other run is at work in one of them.
    """
    shelf = workspace.ATTEMPTS / application
    shutil.rmtree(shelf, ignore_errors=True)
    where = shelf / uuid.uuid4().hex
    where.mkdir(parents=True)
    return where


def _link_versions(increment: Increment, where: Path) -> None:
    for role in ("parent", "predecessor", "anchor"):
        stored = bundle.load(workspace.BUNDLES, increment.application, getattr(increment, role))
        bundle.link(stored.path, where / role)

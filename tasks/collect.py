"""Step: remove what no one can ask for any more: mark from the ledger, then sweep.

What goes is first noted in the ledger, in a transaction that checks the lease; then it is renamed
into the trash, then deleted. A run that is killed has removed nothing that is needed, whenever it
was, and the next one goes on. The steps' records stay: some kilobytes a night, for the report.
"""

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from tasks import objects, workspace
from tasks.bundle import sync_directory
from tasks.due import line_of
from tasks.ledger import Lease, Ledger
from tasks.params import Params
from tasks.record import Record
from tasks.retention import needed, promised, since

FIT = Path("challenger", "fit.json")
VERSION = re.compile(r"[0-9a-f]{64}")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LINK = re.compile(r"[a-z]+")
SHELVES = (workspace.BUNDLES, workspace.ATTACHMENTS, workspace.OUTPUTS)


class Collection(Record):
    """What a collection removes, or would."""

    application: str
    targets: tuple[str, ...] = Field(
        description="Versions that can be gone back to, oldest first."
    )
    versions: tuple[str, ...] = Field(description="Versions whose files go, from now on.")
    experiments: tuple[str, ...] = Field(description="As Git refs.")
    bytes: dict[str, int] = Field(description="What goes, by place.")


def collect(ledger: Ledger, lease: Lease, params: Params) -> Collection:
    """Remove bundles, outputs, pages, files beside versions and experiments beyond the retention.

    The caller holds the lease: no increment, rollback or bootstrap of the application is at work.
    Raises NoChampionError, UnreadablePinError or LostLineError; then nothing was removed.
    """
    application = lease.application
    trash = workspace.VAR / "trash" / application
    shutil.rmtree(trash, ignore_errors=True)  # of a run that was killed
    found, doomed = _look(ledger, application, params)
    ledger.note_collected(lease, found.versions)
    trash.mkdir(parents=True, exist_ok=True)
    for path in doomed:
        path.rename(trash / uuid.uuid4().hex)
    for folder in {path.parent for path in doomed}:
        sync_directory(folder)
    shutil.rmtree(trash)
    stored = objects.sweep(found.experiments, params.retention.remote, dry_run=False)
    return found.model_copy(update={"bytes": found.bytes | stored})


def preview(ledger: Ledger, application: str, params: Params) -> Collection:
    """What `collect` would remove now; nothing is changed."""
    found, _ = _look(ledger, application, params)
    stored = objects.sweep(found.experiments, params.retention.remote, dry_run=True)
    return found.model_copy(update={"bytes": found.bytes | stored})


def _look(ledger: Ledger, application: str, params: Params) -> tuple[Collection, list[Path]]:
    """What goes, and the files and folders of it outside of DVC's store."""
    line = line_of(ledger, application)
    targets = promised(ledger, line, params.retention)
    known = ledger.versions(application)
    live = needed(ledger, application, targets)
    live |= _young(application, params.retention.grace_hours)
    first = str(since(line, params.retention))
    shown = {str(version.day) for version in targets.values()}
    doomed = {
        "bundles": list(_others(workspace.BUNDLES / application, live)),
        "attachments": [
            path
            for place in _others(workspace.ATTACHMENTS / application, live)
            for path in _spent(place, place.name in known)
        ],
        "outputs": list(_others(workspace.OUTPUTS / application, live)),
        "reports": [
            page for page in _named(workspace.REPORTS / application, DAY) if page.name < first
        ],
    }
    found = Collection(
        application=application,
        targets=tuple(sorted(targets, key=lambda name: targets[name].day)),
        versions=tuple(sorted(known.keys() - live - ledger.collected(application).keys())),
        experiments=tuple(
            ref
            for ref, day in sorted(objects.experiments(application).items())
            if day < first and day not in shown
        ),
        bytes={place: sum(map(_size, paths)) for place, paths in doomed.items()},
    )
    return found, [path for paths in doomed.values() for path in paths]


def _young(application: str, hours: float) -> set[str]:
    """Versions with a folder so new that whoever made it may be at work with it."""
    oldest = time.time() - 3600 * hours
    return {
        place.name
        for shelf in SHELVES
        for place in _named(shelf / application, VERSION)
        if place.stat().st_mtime > oldest
    }


def _others(shelf: Path, live: set[str]) -> Iterator[Path]:
    """The folders of versions that are not live; what a link such as `latest` shows stays."""
    shown = {path.readlink().name for path in _named(shelf, LINK) if path.is_symlink()}
    return (place for place in _named(shelf, VERSION) if place.name not in live | shown)


def _named(shelf: Path, name: re.Pattern[str]) -> list[Path]:
    """What is called so, in order; nothing where there is no shelf."""
    return sorted(path for path in shelf.glob("*") if name.fullmatch(path.name))


def _spent(place: Path, known: bool) -> list[Path]:
    """What goes of the files beside a version: all but the records, if the ledger knows it."""
    if not known:
        return [place]
    kept = {*place.glob("*.json"), place / FIT}
    return sorted(path for path in place.rglob("*") if path.is_file() and path not in kept)


def _size(path: Path) -> int:
    """Bytes of a file, or of all below a folder."""
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())

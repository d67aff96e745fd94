"""Step: show a committed increment to DVC: pins, outputs of the stages, an experiment."""

import logging
import shutil
from pathlib import Path

from tasks import bundle, workspace
from tasks.attempt import PIN, SIDE_FILES
from tasks.card import CARD
from tasks.ledger import Ledger, Snapshot
from tasks.pins import write_pin
from tasks.records import Increment

log = logging.getLogger(__name__)
BEFORE = ("parent", "predecessor", "anchor")
HEAD = "head"  # what the increment ended in; on the remote with the rest, for who loses it here
KEPT_OUT = (PIN, CARD, *SIDE_FILES)


def finish_snapshots(ledger: Ledger, application: str) -> int:
    """Make every snapshot that the ledger misses, oldest first; how many there were.

    A snapshot is only a view of what is committed. Making it twice is making it once, so a run
    that was killed in the middle of one is made good by the next daily run, backfill or rollback.
    """
    missing = ledger.missing_snapshots(application)
    line = ledger.line(application)
    on_line = {known.version for known in ledger.lineage(line)} if line and missing else set()
    for snapshot in missing:
        # A first champion and an operator's "keep" have no increment to show; what the line has
        # gone back from need not be shown any more, and may be what was lost.
        if snapshot.version in on_line and PIN in ledger.attached(application, snapshot.version):
            take_snapshot(snapshot)
        ledger.snapshot_done(snapshot)
    return len(missing)


def take_snapshot(snapshot: Snapshot) -> None:
    """Bring the increment's files into the workspace and save them as a DVC experiment.

    Raises CorruptBundleError if a version it names is damaged in the store.
    """
    source = _attachments(snapshot)
    increment = Increment.read(source / PIN)
    place = workspace.INCREMENTS / snapshot.application
    versions = {role: getattr(increment, role) for role in BEFORE} | {HEAD: snapshot.version}
    tracked = [place / role for role in versions]
    with workspace.recording(snapshot.application, increment.day, tracked):
        for role, version in versions.items():
            stored = bundle.location(workspace.BUNDLES, snapshot.application, version)
            bundle.link(stored, place / role)
        _replace_outputs(source, place)
        write_pin(increment)
    log.info("%s is recorded as experiment %s", increment.day, snapshot.experiment)


def _attachments(snapshot: Snapshot) -> Path:
    return workspace.ATTACHMENTS / snapshot.application / snapshot.version


def _replace_outputs(source: Path, place: Path) -> None:
    """Exactly the files of this increment: what an earlier one left is removed."""
    for old in place.iterdir():
        if old.name in (*BEFORE, HEAD) or old.name.endswith(".dvc"):
            continue
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in sorted(source.iterdir()):
        if path.name in KEPT_OUT:
            continue
        if path.is_dir():
            shutil.copytree(path, place / path.name)
        else:
            shutil.copyfile(path, place / path.name)

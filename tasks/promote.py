"""Step: promote, keep or roll back, in one transaction of the ledger.

All files are in place before it and nothing is needed after it: a process killed at any instant
leaves the old head or the new one. What it prepared is then made again, to the same bytes.
"""

import hashlib
import logging
import os
import shutil
from pathlib import Path

from tasks import workspace
from tasks.attempt import SIDE_FILES
from tasks.bundle import Bundle, sync_directory
from tasks.card import write_card
from tasks.due import content
from tasks.ledger import Champion, Day, Lease, Ledger, Line, version_of
from tasks.params import Params, ShopParams
from tasks.records import Increment, Validation, Verdict
from tasks.version import build_version

log = logging.getLogger(__name__)
MADE_BY_LINKS = ("parent", "predecessor", "anchor")


class NotApprovedError(RuntimeError):
    """A person is to approve the challenger first."""


def promote(
    ledger: Ledger, lease: Lease, increment: Increment, params: Params, where: Path
) -> Line:
    """Store the next version, keep the step's files beside it, move the line; returns the line.

    Raises LostLineError if another run has moved the line since; nothing is learned twice. And
    NotApprovedError, whoever calls: nothing serves that a person was to be asked for.
    """
    line = ledger.line(increment.application)
    verdict = Verdict.read(where / "verdict.json")
    if verdict.awaits:
        raise NotApprovedError(
            f"challenger {verdict.awaits[:12]} of {increment.day} awaits approval; nothing was "
            "written. Run the daily flow, which asks for it: docs/how-to/approve.md"
        )
    stored = build_version(increment, params, where)
    attached = attach(stored, where)
    today = _day(increment, verdict, stored, params.shop)
    champion = Champion(
        version=stored.version,
        day=increment.day,
        action=verdict.action,
        reason=verdict.reason,
        actor="operator" if verdict.approval else "daily increment",
    )
    version = version_of(stored)
    if verdict.action == "roll_back" and line is not None:
        fates = [*_taken_back(ledger, line, stored), today]
        return ledger.rewind(lease, increment.parent, version, fates, champion, attached)
    serves = champion if verdict.action == "promote" else None
    return ledger.commit_increment(lease, increment.parent, version, today, serves, attached)


def attach(stored: Bundle, where: Path) -> dict[str, str]:
    """Move what the steps wrote beside the version; sha256 by file name.

    Where the folder is there already, a run that was killed or overtaken has made the same version
    of the same files: they stay, since a reader may be at them. What a collection took comes back.
    """
    for name in MADE_BY_LINKS:
        shutil.rmtree(where / name, ignore_errors=True)
    manifest = stored.manifest
    if manifest.kind == "promoted":
        write_card(manifest, where)
    place = workspace.ATTACHMENTS / manifest.application / manifest.version
    place.parent.mkdir(parents=True, exist_ok=True)
    for path in _files(where):
        with path.open("rb") as written:
            os.fsync(written.fileno())
    if not place.exists():
        where.rename(place)
        for directory in (place, place.parent):
            sync_directory(directory)
    for path in _files(where):
        there = place / path.relative_to(where)
        if not there.exists():
            there.parent.mkdir(exist_ok=True)
            path.rename(there)
            sync_directory(there.parent)
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _files(place)
        if path.name not in SIDE_FILES
    }


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file())


def _day(increment: Increment, verdict: Verdict, stored: Bundle, shop: ShopParams) -> Day:
    place = workspace.ATTACHMENTS / increment.application / stored.version
    return Day(
        day=increment.day,
        digest=content(increment.day, increment.partitions, shop),
        outcome="learned",
        version=stored.version,
        action=verdict.action,
        reason=verdict.reason,
        rows=Validation.read(place / "validation.json").rows,
    )


def _taken_back(ledger: Ledger, line: Line, stored: Bundle) -> list[Day]:
    """The days since the bad champion came to serve: in the state, no longer in the parameters.

    They are not learned again, or the loop would learn, regret and take back the same for ever.
    """
    since = ledger.versions(line.application)[line.champion].day
    return [
        Day(
            day=day,
            digest=entry.digest,
            outcome="learned",
            version=stored.version,
            action="keep",
            reason=f"kept in the state: champion {line.champion[:12]} was taken back",
            rows=entry.rows,
        )
        for day, entry in sorted(ledger.fates(line.application).items())
        if entry.outcome == "learned" and since <= day
    ]

"""Step: a person is asked whether the challenger may serve; nothing is held open meanwhile."""

import hashlib
import os
import shutil
from pathlib import Path

from tasks import workspace
from tasks.bundle import sync_directory
from tasks.due import content
from tasks.ledger import Day, Lease, Ledger
from tasks.nights import awaiting_folder
from tasks.params import Params
from tasks.records import Increment, Validation, Verdict

MADE_BY_LINKS = ("parent", "predecessor", "anchor")
FIT = "fit.json"


def ask(ledger: Ledger, lease: Lease, increment: Increment, params: Params, where: Path) -> Day:
    """Keep what the steps wrote, for the person to see, and note that the day awaits approval.

    The reason names the verdict and its sha256. All is there before the ledger speaks of it; a run
    that was killed in between writes the same again. The challenger itself is not kept: it is
    learned anew, to the same bits. Raises LostLineError, and AlreadyLearnedError.
    """
    verdict = Verdict.read(where / "verdict.json")
    asked = Day(
        day=increment.day,
        digest=content(increment.day, increment.partitions, params.shop),
        outcome="awaiting",
        reason="",
        rows=Validation.read(where / "validation.json").rows,
        challenger=verdict.awaits,
    )
    place = awaiting_folder(increment.application, asked)
    sha256 = hashlib.sha256((where / "verdict.json").read_bytes()).hexdigest()
    _keep(where, place)
    reason = (
        f"the gate would promote: {verdict.reason}. It awaits approval of challenger "
        f"{place.name.rpartition('-')[2]}: {place / 'verdict.json'} (sha256 {sha256[:16]})"
    )
    asked = asked.model_copy(update={"reason": reason})
    ledger.note(lease, asked)
    return asked


def _keep(where: Path, place: Path) -> None:
    """Move the records to where they stay; what is there already says the same."""
    if place.exists():
        return
    for name in MADE_BY_LINKS:
        shutil.rmtree(where / name)
    for path in [path for path in (where / "challenger").rglob("*") if path.is_file()]:
        if path.name != FIT:
            path.unlink()
    for path in where.rglob("*"):
        if path.is_file():
            with path.open("rb") as written:
                os.fsync(written.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    where.rename(place)
    for folder in (place, place.parent, workspace.VAR):
        sync_directory(folder)

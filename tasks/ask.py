"""Step: a person is asked whether the challenger may serve; nothing is held open meanwhile."""

import hashlib
import os
import shutil
from pathlib import Path

from tasks.attempt import SIDE_FILES
from tasks.bundle import sync_directory
from tasks.due import content
from tasks.ledger import Day, Lease, Ledger
from tasks.nights import awaiting_folder
from tasks.params import Params
from tasks.records import Increment, Validation, Verdict

FIT = "challenger/fit.json"


def ask(ledger: Ledger, lease: Lease, increment: Increment, params: Params, where: Path) -> Day:
    """Keep the records of the steps, for the person to see, and note that the day awaits approval.

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
    """Put the records where they stay; what is there already says the same."""
    if place.exists():
        return
    draft = where / "shown"
    records = {path.name for path in where.glob("*.json")}.difference(SIDE_FILES)
    for name in (*records, FIT):
        kept = draft / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(where / name, kept)
        with kept.open("rb") as written:
            os.fsync(written.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    draft.rename(place)
    for folder in (place / "challenger", place, place.parent, place.parent.parent):
        sync_directory(folder)

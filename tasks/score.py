"""Step: the champion's batch outputs, one Parquet file a table, all of a version or none."""

import datetime as dt
import logging
import shutil
import tempfile
from pathlib import Path

from tasks import bundle, learners, workspace
from tasks.due import line_of
from tasks.interrupted import alone
from tasks.ledger import Ledger, Line
from tasks.params import Params
from tasks.reference import write_frame

log = logging.getLogger(__name__)
LATEST = "latest"
LOCK = ".lock"
DRAFT = ".draft-"


def score(ledger: Ledger, application: str, params: Params) -> list[Path]:
    """Write `var/outputs/<application>/<version>/<table>.parquet` and point `latest` at it.

    The version is the head of the line: the champion's parameters on the newest state. A folder
    appears by one rename and is never changed: where it is there already, nothing is done. Raises
    NoChampionError, CorruptBundleError.
    """
    shelf = workspace.OUTPUTS / application
    with alone(shelf / LOCK):
        for leftover in shelf.glob(f"{DRAFT}*"):  # of a run that was killed
            shutil.rmtree(leftover)
        line = line_of(ledger, application)
        place = shelf / line.head
        if not place.exists():
            _write(application, line, params, place)
        _point(shelf / LATEST, line.head)
    written = sorted(place.glob("*.parquet"))
    log.info("%s: %d tables of version %s", place, len(written), line.head[:12])
    return written


def scored_version(application: str) -> str | None:
    """The version whose outputs are the newest; None before the first."""
    latest = workspace.OUTPUTS / application / LATEST
    return latest.readlink().name if latest.is_symlink() else None


def _write(application: str, line: Line, params: Params, place: Path) -> None:
    source = bundle.location(workspace.BUNDLES, application, line.head)
    learner = learners.open_learner(source, params.application(application), line.head)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=place.parent))
    try:
        for name, table in learner.outputs(line.day + dt.timedelta(days=1)).items():
            write_frame(table, draft / f"{name}.parquet")
        draft.chmod(0o755)
        draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _point(link: Path, version: str) -> None:
    """Replace the link in one step: a reader finds the old version or the new one."""
    draft = link.with_name(f".{link.name}.draft")
    draft.unlink(missing_ok=True)
    draft.symlink_to(version)
    draft.replace(link)

"""Step: a day is set aside, with all that is wrong with it."""

import datetime as dt
import hashlib

from tasks.contract import InvalidDayError
from tasks.faults import Faults
from tasks.ledger import Lease, Ledger
from tasks.nights import faults_file


def quarantine(
    ledger: Ledger, lease: Lease, day: dt.date, digest: str, problem: InvalidDayError
) -> None:
    """Set the day, whose content has `digest`, aside.

    The reason names the file with the faults and the sha256 of that file. It is there before the
    ledger speaks of it; a run that was killed in between writes the same bytes again.
    """
    reason = str(problem)
    if problem.faults:
        path = faults_file(lease.application, day, digest)
        found = Faults(
            application=lease.application, day=day, digest=digest, faults=problem.faults
        )
        found.write(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        reason = f"{reason} All faults: {path} (sha256 {sha256[:16]})."
    ledger.quarantine(lease, day, digest, reason)

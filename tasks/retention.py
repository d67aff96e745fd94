"""What a line can go back to, and all that this needs: a collection leaves it alone."""

import datetime as dt
from collections.abc import Mapping

from pydantic import ValidationError

from tasks.attempt import PIN
from tasks.ledger import Ledger, Line, Version
from tasks.nights import beside
from tasks.records import Increment
from tasks.upkeep import RetentionParams


class UnreadablePinError(RuntimeError):
    """What a version was made from cannot be told, so nothing may be removed or gone back to."""


def since(line: Line, retention: RetentionParams) -> dt.date:
    """The first of the last days that are kept."""
    return line.day - dt.timedelta(days=retention.days - 1)


def promised(ledger: Ledger, line: Line, retention: RetentionParams) -> dict[str, Version]:
    """The versions of the line that it can go back to, and those still to be shown to DVC.

    Head, champion, anchor and the last champions, whatever their age, and the last days; but what
    was collected, or made from what was, is not promised again. Raises UnreadablePinError.
    """
    lineage = {known.version: known for known in ledger.lineage(line)}
    kept = {line.head, line.champion, line.anchor}
    earlier = line.predecessor
    for _ in range(retention.predecessors):
        if earlier is None:
            break
        kept.add(earlier)
        earlier = lineage[earlier].predecessor
    kept |= {snapshot.version for snapshot in ledger.missing_snapshots(line.application)}
    first = since(line, retention)
    gone = ledger.collected(line.application).keys()
    return {
        name: known
        for name, known in lineage.items()
        if (name in kept or known.day >= first)
        and not gone & made_from(ledger, line.application, name)
    }


def needed(ledger: Ledger, application: str, targets: Mapping[str, Version]) -> set[str]:
    """The versions without which one of the targets could not be gone back to and learned on.

    Raises UnreadablePinError.
    """
    names: set[str] = set()
    for name, target in targets.items():
        names |= made_from(ledger, application, name)
        names |= {past for past in (target.predecessor, target.anchor) if past}
    return names


def made_from(ledger: Ledger, application: str, version: str) -> set[str]:
    """The version and those that its increment is pinned to: its snapshot shows them all.

    Raises UnreadablePinError.
    """
    if PIN not in ledger.attached(application, version):
        return {version}  # a first champion or an operator's "keep": there is nothing to show
    place = beside(application, version, PIN)
    try:
        pinned = Increment.read(place)
    except (OSError, ValidationError) as problem:
        raise UnreadablePinError(
            f"{place} cannot be read, so what version {version[:12]} was made from is not known; "
            f"nothing was changed. Restore the file, or `dvc exp apply` the day's experiment and "
            f"copy it from increments.json ({problem})"
        ) from problem
    return {version, pinned.parent, pinned.predecessor, pinned.anchor}

"""The line goes back to a version before a day, and the days since are learned in order."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from tasks import bundle, learners, workspace
from tasks.bundle import Bundle, CorruptBundleError
from tasks.ledger import Champion, Day, DayEntry, Lease, Ledger, Line, Version, version_of
from tasks.params import Params

Actor = Literal["operator", "daily increment"]


class NoWayBackError(ValueError):
    """The line cannot go back there; the message says where it can."""


def rewind_before(
    ledger: Ledger,
    lease: Lease,
    line: Line,
    params: Params,
    fates: Sequence[Day],
    actor: Actor,
) -> Line:
    """Give days their new `fates`, and go back before the oldest of them; returns the line.

    All in one transaction. The days learned since are due again, in order, so that the line ends
    as one that had it right from the beginning; so are those whose challenger a person was asked
    for, since it will be another one. The newest version that has seen none of these
    days becomes the head; it is read back whole and loads before the line moves. What an operator
    took back since stays so: only an operator goes back past it. Raises NoWayBackError; then
    nothing moved.
    """
    first, reason = fates[0].day, fates[0].reason
    lineage = ledger.lineage(line)
    before = [known for known in lineage if known.day < first]
    if not before:
        raise NoWayBackError(
            f"{first} is part of the history of the first champion of '{line.application}': "
            "no version is older. Start a line anew to learn it (the bootstrap flow)"
        )
    dropped = {known.version for known in lineage[: -len(before)]}
    theirs = [
        one
        for one in ledger.champions(line.application)
        if one.version in dropped and (one.actor, one.action) == ("operator", "roll_back")
    ]
    if actor != "operator" and theirs:
        raise NoWayBackError(
            f"an operator has taken '{line.application}' back since {first}: {theirs[-1].reason}. "
            f"To learn {first} anew all the same, use the rollback flow"
        )
    target = _readable(params, line.application, before[0].version, first)
    known, given = ledger.fates(line.application), {fate.day for fate in fates}
    again = [
        Day(day=day, digest=old.digest, outcome="rewound", reason=reason, rows=old.rows)
        for day, old in known.items()
        if day > target.manifest.day
        and old.outcome in ("learned", "awaiting")
        and day not in given
    ]
    restored = fates_before(ledger.history(line.application), known, target, before)
    champion = Champion(
        version=served_since(before),
        day=target.manifest.day,
        action="roll_back",
        reason=reason,
        actor=actor,
    )
    moves = target.version != line.head
    return ledger.rewind(
        lease,
        line.head,
        version_of(target),
        [*restored, *fates, *again],
        champion if moves else None,
    )


def one_line(reason: str) -> str:
    """It is shown in logs, tables and a terminal, where control characters would do things."""
    return " ".join("".join(c if c.isprintable() else " " for c in reason).split())


def served_since(lineage: Sequence[Version]) -> str:
    """The version at which the parameters of the first one came to serve."""
    return next(known.version for known in lineage if known.kind != "state only")


def fates_before(
    history: list[DayEntry],
    fates: dict[dt.date, DayEntry],
    target: Bundle,
    lineage: Sequence[Version],
) -> list[Day]:
    """The fates of days up to the target that a version no longer on the line has changed since.

    An automatic roll back settles days before its own; who goes back past it takes that back too.
    """
    own = {known.version for known in lineage}
    restored = []
    for day, entry in fates.items():
        if day <= target.manifest.day and entry.version not in own:
            earlier = [one for one in history if one.day == day and one.version in own]
            restored += [
                Day(**one.model_dump(include=set(Day.model_fields))) for one in earlier[-1:]
            ]
    return restored


def _readable(params: Params, application: str, version: str, first: dt.date) -> Bundle:
    try:
        target = bundle.load(workspace.BUNDLES, application, version)
    except CorruptBundleError as problem:
        raise NoWayBackError(
            f"{first} cannot be learned in its place: the version before it is gone. {problem}"
        ) from problem
    section = params.application(application)
    learners.learner_class(section).load(target.path, section.settings)
    return target

"""Step: an operator takes the line back to an earlier version and settles the days since."""

import shutil
from pathlib import Path
from typing import Literal

from tasks import bundle, gate, learners, reference, workspace
from tasks.attempt import fresh_folder
from tasks.bundle import Bundle
from tasks.due import line_of
from tasks.ledger import Champion, Day, DayEntry, Lease, Ledger, Line, Version, version_of
from tasks.ledger.entries import Outcome
from tasks.manifest import ManifestFields
from tasks.params import Params
from tasks.retention import made_from
from tasks.rewind import NoWayBackError, fates_before, one_line, served_since
from tasks.version import EVIDENCE

Fate = Literal["relearn", "keep", "quarantine"]
# Which days after the target get a new fate, by what became of them.
SETTLED_BY: dict[Fate, tuple[Outcome, ...]] = {
    "relearn": ("learned", "quarantined", "given_up", "awaiting"),
    "keep": ("learned",),
    "quarantine": ("learned", "rewound", "released", "awaiting", "approved", "rejected"),
}


def roll_back(
    ledger: Ledger,
    lease: Lease,
    application: str,
    params: Params,
    to_version: str | None,
    days_since: Fate,
    reason: str,
) -> Line:
    """Make `to_version` (or the champion's predecessor) the head; returns the line.

    The learner goes back with it: parameters, optimizer, state, replay memory, vocabulary, cursor.
    The days since, those set aside too, are learned again; or set aside; or, with "keep", those
    learned stay in the state and only parameters and optimizer go back. Of the head itself only
    the days after it are settled anew: so a day set aside by mistake is released. The target is
    read back whole, and loads, before the line moves. Raises NoWayBackError, CorruptBundleError
    or LostLineError; then nothing moved.
    """
    reason = _given(reason)
    line = line_of(ledger, application)
    target, lineage = _target(ledger, line, to_version)
    section = params.application(application)
    learners.learner_class(section).load(target.path, section.settings)
    fates = ledger.fates(application)
    since = [
        entry
        for day, entry in fates.items()
        if day > target.manifest.day and entry.outcome in SETTLED_BY[days_since]
    ]
    if target.version == line.head and not since:
        raise NoWayBackError(
            f"'{line.head[:12]}' is the head, and no day after it is to be settled anew"
        )
    restored = []
    if days_since == "keep":
        target = _target_on_today(line, target, params, fresh_folder(application))
        lineage = [version_of(target)]
    else:
        restored = fates_before(ledger.history(application), fates, target, lineage)
    champion = Champion(
        version=served_since(lineage),
        day=target.manifest.day,
        action="roll_back",
        reason=reason,
        actor="operator",
    )
    return ledger.rewind(
        lease,
        line.head,
        version_of(target),
        [*restored, *(_settled(entry, days_since, target, reason) for entry in since)],
        None if target.version == line.head else champion,
    )


def _given(reason: str) -> str:
    line = one_line(reason)
    if not line:
        raise NoWayBackError("a rollback needs a reason: what a later reader will ask for")
    return line


def _target(ledger: Ledger, line: Line, wanted: str | None) -> tuple[Bundle, list[Version]]:
    """The version to go back to, verified, and its lineage, newest first."""
    version = wanted or line.predecessor
    if version is None:
        raise NoWayBackError(f"{line.champion[:12]} is the first champion of '{line.application}'")
    lineage = ledger.lineage(line)
    places = [at for at, known in enumerate(lineage) if known.version.startswith(version)]
    if len(places) != 1:
        known = ", ".join(known.version[:12] for known in lineage)
        raise NoWayBackError(f"'{version}' is not one version of this line: {known}")
    found = lineage[places[0] :]
    _refuse_collected(ledger, line, found[0].version)
    return bundle.load(workspace.BUNDLES, line.application, found[0].version), found


def _refuse_collected(ledger: Ledger, line: Line, version: str) -> None:
    """Raises NoWayBackError if files of the target went, or of what its increment is pinned to."""
    gone = ledger.collected(line.application)
    lost = sorted(made_from(ledger, line.application, version) & gone.keys())
    if lost:
        of = "its" if lost == [version] else f"{', '.join(name[:12] for name in lost)}, of its"
        there = ", ".join(
            known.version[:12] for known in ledger.lineage(line) if known.version not in gone
        )
        raise NoWayBackError(
            f"'{version[:12]}' was collected on {gone[lost[0]]:%Y-%m-%d}: {of} files are gone. "
            f"params.yaml says under retention how long they stay. There are still: {there}"
        )


def _target_on_today(line: Line, target: Bundle, params: Params, where: Path) -> Bundle:
    """The target's parameters on the state of today, as a version of its own."""
    application = line.application
    head = bundle.load(workspace.BUNDLES, application, line.head)
    section = params.application(application)
    learner = learners.open_learner(head.path, section, line.head)
    learner.load_parameters(target.path)
    learner.save(where)
    for name in (reference.FILE, "cursor.json"):
        shutil.copyfile(head.path / name, where / name)
    reference.write_frame(gate.no_evidence(), where / EVIDENCE)  # the pooled nights were another's
    fields = ManifestFields(
        application=application,
        day=line.day,
        kind="rolled back",
        parent=line.head,
        predecessor=target.manifest.predecessor,
        anchor=line.anchor,
        settings=section.model_dump(mode="json"),
        partitions={},
        code=workspace.code_revision(),
    )
    stored = bundle.store(where, fields, workspace.BUNDLES)
    shutil.rmtree(where)
    learners.open_learner(stored.path, section)  # a save may end well that wrote nothing
    return stored


def _settled(entry: DayEntry, fate: Fate, target: Bundle, reason: str) -> Day:
    shared = {"day": entry.day, "digest": entry.digest, "reason": reason, "rows": entry.rows}
    if fate == "keep":
        return Day(**shared, outcome="learned", version=target.version, action="keep")
    return Day(**shared, outcome="rewound" if fate == "relearn" else "quarantined")

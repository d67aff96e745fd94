"""Step: an operator takes the line back to an earlier version and settles the days since."""

import shutil
from pathlib import Path
from typing import Literal

from tasks import bundle, gate, learners, reference, workspace
from tasks.attempt import fresh_folder
from tasks.bundle import Bundle
from tasks.due import line_of
from tasks.ledger import Champion, Day, DayEntry, Lease, Ledger, Line, version_of
from tasks.manifest import ManifestFields
from tasks.params import Params
from tasks.version import EVIDENCE

Fate = Literal["relearn", "keep", "quarantine"]


class NoWayBackError(ValueError):
    """The line cannot go back there; the message says where it can."""


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
    The days learned since are learned again, or set aside; or, with "keep", they stay in the state
    and only parameters and optimizer go back. The target is read back whole, and loads, before the
    line moves. Raises NoWayBackError, CorruptBundleError or LostLineError; then nothing moved.
    """
    line = line_of(ledger, application)
    target = _target(line, application, to_version)
    section = params.application(application)
    learners.learner_class(section).load(target.path, section.settings)
    since = {
        day: entry
        for day, entry in ledger.fates(application).items()
        if entry.outcome == "learned" and day > target.manifest.day
    }
    if days_since == "keep":
        target = _target_on_today(line, target, params, fresh_folder(application))
    fates = [_settled(entry, days_since, target, reason) for entry in since.values()]
    champion = Champion(
        version=_served_since(target, application),
        day=target.manifest.day,
        action="roll_back",
        reason=reason,
        actor="operator",
    )
    return ledger.rewind(lease, line.head, version_of(target), fates, champion)


def _target(line: Line, application: str, wanted: str | None) -> Bundle:
    version = wanted or line.predecessor
    if version is None:
        raise NoWayBackError(f"{line.champion[:12]} is the first champion of '{application}'")
    lineage = list(_lineage(line.head, application))
    matches = [ancestor for ancestor in lineage if ancestor.startswith(version)]
    if len(matches) != 1 or matches[0] == line.head:
        earlier = ", ".join(ancestor[:12] for ancestor in lineage[1:])
        raise NoWayBackError(f"'{version}' is not one earlier version of this line: {earlier}")
    return bundle.load(workspace.BUNDLES, application, matches[0])


def _served_since(target: Bundle, application: str) -> str:
    """The version at which the target's parameters came to serve."""
    for version in _lineage(target.version, application):
        place = bundle.location(workspace.BUNDLES, application, version)
        if bundle.read_manifest(place).kind != "state only":
            return version
    return target.version


def _lineage(head: str, application: str) -> list[str]:
    """The head and its parents, newest first."""
    chain, version = [], head
    while version:
        chain.append(version)
        manifest = bundle.read_manifest(bundle.location(workspace.BUNDLES, application, version))
        version = manifest.parent or ""
    return chain


def _target_on_today(line: Line, target: Bundle, params: Params, where: Path) -> Bundle:
    """The target's parameters on the state of today, as a version of its own."""
    application = line.application
    head = bundle.load(workspace.BUNDLES, application, line.head)
    section = params.application(application)
    learner = learners.open_learner(head.path, section)
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
    return stored


def _settled(entry: DayEntry, fate: Fate, target: Bundle, reason: str) -> Day:
    shared = {"day": entry.day, "digest": entry.digest, "reason": reason, "rows": entry.rows}
    if fate == "keep":
        return Day(**shared, outcome="learned", version=target.version, action="keep")
    return Day(**shared, outcome="rewound" if fate == "relearn" else "quarantined")

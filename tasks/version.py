"""The next version: what the verdict makes of parent, challenger and day."""

import shutil
from pathlib import Path
from typing import Any

from tasks import bundle, gate, learners, reference, workspace
from tasks.bundle import Bundle
from tasks.cursor import Cursor, PastDay
from tasks.days import read_events
from tasks.manifest import Kind, Manifest, ManifestFields
from tasks.params import Params
from tasks.records import Action, Increment, Plan, Prequential, Validation, Verdict

EVIDENCE = "evidence.parquet"
KINDS: dict[Action, Kind] = {
    "first": "first",
    "promote": "promoted",
    "keep": "state only",
    "roll_back": "rolled back",
}


def build_version(increment: Increment, params: Params, where: Path) -> Bundle:
    """Store the head that follows from the verdict; the ledger does not know it yet.

    Promote takes the challenger's parameters and optimizer, keep the parent's, roll back the
    predecessor's. In each case the state takes every row of the day, once. What was stored is read
    back and loaded: a save may end well that wrote nothing. Raises CorruptBundleError if a version
    it is made of is damaged, or it or LearnerFileError if the new one is.
    """
    verdict = Verdict.read(where / "verdict.json")
    plan = Plan.read(where / "plan.json")
    parent = bundle.verify(where / "parent", version=increment.parent)
    draft = where / "next"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    _write_learner(increment, params, where, verdict.action, draft)
    _write_memory(increment, params, where, draft)
    _write_evidence(where, verdict.action, draft)
    fields = ManifestFields(
        application=increment.application,
        day=increment.day,
        kind=KINDS[verdict.action],
        parent=increment.parent,
        predecessor=_predecessor(increment, parent, where, verdict.action),
        anchor=increment.anchor,
        settings=_settings(increment, params, plan, verdict),
        partitions=increment.partitions,
        code=increment.code,
    )
    stored = bundle.store(draft, fields, workspace.BUNDLES)
    shutil.rmtree(draft)
    learners.open_learner(stored.path, params.application(increment.application))
    return stored


def _settings(
    increment: Increment, params: Params, plan: Plan, verdict: Verdict
) -> dict[str, Any]:
    """What was used; an operator's choice is part of it, and a person's answer.

    Else a day that was kept would be the same version with and without the choice, and the files
    of the first would stand beside the second.
    """
    section = params.application(increment.application)
    used = section.model_copy(update={"fine_tune": plan.update(increment.update)})
    chosen: dict[str, Any] = {"learn": increment.learn} if increment.learn else {}
    if verdict.approval:
        chosen["approval"] = verdict.approval.model_dump(mode="json")
    return used.model_dump(mode="json") | chosen


def _write_learner(
    increment: Increment, params: Params, where: Path, action: Action, draft: Path
) -> None:
    section = params.application(increment.application)
    learner = learners.open_learner(where / "parent", section, increment.parent)
    if action == "promote":
        learner.load_parameters(where / "challenger")
    if action == "roll_back":
        bundle.verify(where / "predecessor", version=increment.predecessor)
        learner.load_parameters(where / "predecessor")
    seen = learners.examples(increment, params, where)
    held_out = learners.held_out(seen, section.holdout_share)
    learner.absorb(learners.read_day(increment), seen, held_out)
    learner.save(draft)


def _write_memory(increment: Increment, params: Params, where: Path, draft: Path) -> None:
    past = reference.read(where / "parent")
    scores = reference.champion_scores(where / "prequential.parquet")
    scored = Prequential.read(where / "prequential.json")
    settings = params.application(increment.application).drift
    events, zone = read_events(increment), params.shop.time_zone
    rows = reference.drift_rows(
        events, scores, scored.unit, increment.day, zone, settings.event_types
    )
    reference.write(reference.advance(past, rows, increment.day, settings), draft)
    looks = dict(increment.looks)
    for role in ("anchor", "predecessor"):
        # Where nobody shopped, or there is no other version, nobody looked.
        if not scores.empty and getattr(increment, role) != increment.parent:
            looks[role] = looks.get(role, 0) + 1
    plan, before = Plan.read(where / "plan.json"), Cursor.read(where / "parent")
    today = PastDay(
        day=increment.day,
        rows=Validation.read(where / "validation.json").rows,
        metric=scored.champion.get(scored.metric),
        alarm=plan.alarm,
    )
    Cursor(
        day=increment.day,
        looks=looks,
        past=(*before.past, today)[-settings.reference_days :],
        fitted=increment.day if plan.action == "full_retrain" else before.fitted,
    ).write(draft)


def _write_evidence(where: Path, action: Action, draft: Path) -> None:
    """The pooled nights; after a roll back none: they were nights of the one taken back."""
    if action == "roll_back":
        reference.write_frame(gate.no_evidence(), draft / EVIDENCE)
    else:
        shutil.copyfile(where / EVIDENCE, draft / EVIDENCE)


def _predecessor(
    increment: Increment, parent: Manifest, where: Path, action: Action
) -> str | None:
    """The last version with other parameters; after a roll back, that of the one gone back to.

    Were it the one just taken back, the next night would weigh going "back" to it again.
    """
    if action == "promote":
        return increment.parent
    if action == "roll_back":
        return bundle.verify(where / "predecessor", version=increment.predecessor).predecessor
    return parent.predecessor

"""Step: the plan's parameters and their optimizer, taught the new rows; or new ones, of all."""

import logging
from pathlib import Path

from lightning_modules.learner import DivergedError
from tasks import bundle, learners
from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Fit, Increment, Plan
from tasks.retrain import OtherStateError, refit

log = logging.getLogger(__name__)
FOLDER = "challenger"
FILE = "fit.json"


def fine_tune(increment: Increment, params: Params, where: Path) -> Fit:
    """Write challenger/: parameters, optimizer and learning curve; or only why there is none.

    A loss, gradient or weight that is not finite ends the fit: the challenger is not written, the
    verdict will be "keep". Raises CorruptBundleError if the parent, or the version whose
    parameters are recalled, is not what was pinned; of a full retrain also OtherHistoryError.
    """
    challenger = where / FOLDER
    challenger.mkdir(exist_ok=True)
    plan = Plan.read(where / "plan.json")
    if plan.action == "skip":
        return _nothing("; ".join(plan.reasons), diverged=False).write(challenger / FILE)
    try:
        if plan.action == "full_retrain":
            return _refitted(increment, params, where).write(challenger / FILE)
        return _taught(increment, params, where, plan).write(challenger / FILE)
    except DivergedError as problem:
        log.error("%s: the fit diverged, the champion stays: %s", increment.day, problem)
        return _nothing(f"diverged: {problem}", diverged=True).write(challenger / FILE)
    except OtherStateError as problem:
        log.error("%s: nothing was learned, the champion stays: %s", increment.day, problem)
        return _nothing(str(problem), diverged=False).write(challenger / FILE)


def _taught(increment: Increment, params: Params, where: Path, plan: Plan) -> Fit:
    """The start's parameters, taught today's units that are not held out."""
    section = params.application(increment.application)
    learner = learners.open_learner(where / "parent", section, increment.parent)
    if plan.start != "parent":
        bundle.verify(where / plan.start, version=getattr(increment, plan.start))
        learner.load_parameters(where / plan.start)
    seen = learners.examples(increment, params, where)
    held_out = learners.held_out(seen, section.holdout_share)
    curve = learner.fine_tune(
        seen,
        held_out,
        update=plan.update(increment.update).model_dump(exclude_none=True),
        seed=increment.seed,
    )
    if not curve:
        return _nothing("there was nothing to learn", diverged=False)
    learner.save_parameters(where / FOLDER)
    lists = int((~held_out).sum())
    parts = int(max(point.get("parts", 1) for point in curve))
    why = f"in {parts} parts a batch: the whole did not fit into memory" if parts > 1 else ""
    return Fit(learned=True, diverged=False, reason=why, lists=lists, curve=tuple(curve))


def _refitted(increment: Increment, params: Params, where: Path) -> Fit:
    """Parameters of their own, fitted on the past and on today's units that are not held out."""
    curve, new, again = refit(increment, params, where, where / FOLDER)
    return Fit(learned=True, diverged=False, reason="", lists=new, again=again, curve=tuple(curve))


def _nothing(reason: str, diverged: bool) -> Fit:
    return Fit(learned=False, diverged=diverged, reason=reason, lists=0, curve=())


if __name__ == "__main__":  # the `fine_tune` stage of dvc.yaml
    run_as_stage(fine_tune)

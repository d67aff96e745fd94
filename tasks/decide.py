"""Step: the verdict. It fails closed: what cannot be shown is a "keep"."""

import datetime as dt
import hashlib
import json
import logging
from pathlib import Path

import pandas as pd

from tasks import gate, reference
from tasks.params import GateParams, Params
from tasks.pins import run_as_stage
from tasks.records import Check, Drift, Evaluation, Fit, Increment, Plan, Prequential, Verdict

log = logging.getLogger(__name__)
FILE = "verdict.json"
EVIDENCE = "evidence.parquet"


def decide(increment: Increment, params: Params, where: Path) -> Verdict:
    """Promote, keep or roll back, with every check's effect, interval, margin and power.

    First the champion itself is on trial: has it been shown, over the last days since it came to
    serve, to be worse than its predecessor? Then the challenger: is it shown not to be worse on
    the held-out units, does it not forget, and has the line not sunk below the anchor?
    Writes the pooled evidence that the next increment goes on from beside the verdict.
    """
    settings = params.application(increment.application).gate
    scored = Prequential.read(where / "prequential.json")
    plan = Plan.read(where / "plan.json")
    evidence = _pooled(increment, scored, settings, where)
    reference.write_frame(evidence, where / EVIDENCE)
    champion_holds = _against(
        increment, "predecessor", settings.rollback_margin, evidence, settings
    )
    line_holds = _against(increment, "anchor", settings.anchor_margin, evidence, settings)
    checks = (
        champion_holds,
        line_holds,
        *_undefined(where, scored.metric),
        *_challenger(increment, where, settings),
    )
    if not champion_holds.passed:
        action, failed = "roll_back", [champion_holds]
    else:
        failed = [check for check in checks if not check.passed]
        action = "keep" if failed else "promote"
    reason = "; ".join(f"{check.name}: {check.why}" for check in failed) or "every check passed"
    found = Verdict(
        application=increment.application,
        day=increment.day,
        action=action,
        reason=reason,
        checks=checks,
        alarms=_alarms(where, plan, line_holds),
        plan=plan.told,
    )
    verdict = _after_approval(increment, found, settings, where)
    log.info("%s: %s, %s", increment.day, verdict.outcome, verdict.reason)
    return verdict.write(where / FILE)


def _after_approval(
    increment: Increment, found: Verdict, settings: GateParams, where: Path
) -> Verdict:
    """What the gate found, after a person's answer: a promotion waits for it where one is asked.

    An answer is for the very challenger that was shown. For another one it says nothing.
    """
    answer, asks = increment.approval, settings.approval != "none"
    if found.action != "promote" or not (asks or answer):
        return found
    shown = _shown(increment, found, where)
    if answer is None or answer.challenger != shown:
        return found.model_copy(update={"awaits": shown}) if asks else found
    if answer.decision == "reject":
        why = f"rejected by a person: {answer.reason}"
        return found.model_copy(update={"action": "keep", "reason": why, "approval": answer})
    why = f"{found.reason}; approved by a person: {answer.reason}"
    return found.model_copy(update={"reason": why, "approval": answer})


def _shown(increment: Increment, found: Verdict, where: Path) -> str:
    """The digest of all that a person approves: what it is made from, its files, the checks."""
    place = where / "challenger"
    files = {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }
    content = {
        "increment": increment.model_dump(mode="json", exclude={"approval"}),
        "verdict": found.model_dump(mode="json"),
        "files": files,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _undefined(where: Path, metric: str) -> list[Check]:
    """A failed check if a unit's metric is no number: it can prove nothing."""
    values = reference.read_frame(where / "prequential.parquet")[metric]
    if values.notna().all():
        return []
    why = f"{int(values.isna().sum())} values of {metric} are none"
    return [Check(name="tonight's metrics are numbers", passed=False, why=why)]


def _alarms(where: Path, plan: Plan, line_holds: Check) -> tuple[str, ...]:
    drift = Drift.read(where / "drift.json")
    fit = Fit.read(where / "challenger" / "fit.json")
    alarms = []
    if not drift.evaluated:
        alarms.append(f"drift could not be evaluated: {drift.reason}")
    if fit.diverged:
        alarms.append(f"the fit {fit.reason}")
    if plan.action == "full_retrain" and not (fit.learned or fit.diverged):
        alarms.append(f"the full retrain came to nothing: {fit.reason}")
    if not line_holds.passed:
        alarms.append(f"{line_holds.name} no longer holds: {line_holds.why}")
    return tuple(alarms)


def _pooled(
    increment: Increment, scored: Prequential, settings: GateParams, where: Path
) -> pd.DataFrame:
    """The parent's evidence, without what concerns versions no longer compared, plus today's."""
    memory = reference.read_frame(where / "parent" / EVIDENCE)
    memory = memory[memory["against"].isin({increment.predecessor, increment.anchor})]
    since = increment.day - dt.timedelta(days=settings.window_days - 1)
    if not scored.units:  # nobody shopped
        return gate.pool(memory, gate.no_evidence(), since)
    today = reference.read_frame(where / "prequential.parquet")
    values = today.pivot(index="unit", columns="method", values=scored.metric)
    if not scored.higher_is_better:
        values = -values
    others = {increment.predecessor: "predecessor", increment.anchor: "anchor"}
    for version, method in sorted(others.items()):
        if version != increment.parent:
            rows = gate.evidence_of(
                version, increment.day, values["champion"], values[method]
            ).dropna()  # one night's gap is not a user's for the whole window
            memory = gate.pool(memory, rows, since)
    return memory


def _against(
    increment: Increment, other: str, margin: float, evidence: pd.DataFrame, settings: GateParams
) -> Check:
    version = getattr(increment, other)
    units = evidence.loc[evidence["against"] == version, "unit"].nunique()
    if 0 < units < settings.min_units:
        return Check(
            name=f"champion not worse than its {other}",
            passed=True,
            why=f"{units} are too few to take a champion back",
            units=units,
        )
    return gate.not_proven_worse(
        f"champion not worse than its {other}",
        evidence[evidence["against"] == version],
        margin,
        settings.alpha,
        increment.looks.get(other, 0) + 1,
        draws=settings.draws,
        seed=increment.seed,
    )


def _challenger(increment: Increment, where: Path, settings: GateParams) -> list[Check]:
    evaluation = Evaluation.read(where / "evaluation.json")
    if evaluation.challenger is None:
        return [Check(name="there is a challenger", passed=False, why=evaluation.reason)]
    enough = evaluation.units >= settings.min_units
    held_out = f"held-out {evaluation.unit.removesuffix('_id')}s"
    size = Check(
        name=f"enough {held_out}",
        passed=enough,
        why=f"{evaluation.units} of at least {settings.min_units}",
        units=evaluation.units,
    )
    table = reference.read_frame(where / "evaluation.parquet")
    values = table.pivot(index="unit", columns="method", values=evaluation.metric)
    values = values.reindex(columns=["champion", "challenger"])  # also where nobody was held out
    if not evaluation.higher_is_better:
        values = -values
    today = gate.evidence_of(
        "challenger", increment.day, values["challenger"], values["champion"]
    ).assign(champion=values["champion"].to_numpy())
    holdout = gate.not_worse(
        f"challenger not worse on {held_out} ({evaluation.metric})",
        today,
        settings.margin,
        settings.alpha,
        draws=settings.draws,
        seed=increment.seed,
    )
    return [size, holdout, _forgetting(increment, where, settings)]


def _forgetting(increment: Increment, where: Path, settings: GateParams) -> Check:
    past = reference.read_frame(where / "forgetting.parquet")
    # A lower loss is better: the sign is turned so that "new minus old" is again a gain.
    losses = pd.DataFrame(
        {
            "unit": past["unit"],
            "difference": past["champion"] - past["challenger"],
            "champion": past["champion"],
        }
    )
    return gate.not_worse(
        "no forgetting (loss on past holdouts)",
        losses,
        settings.forgetting_margin,
        settings.alpha,
        draws=settings.draws,
        seed=increment.seed,
    )


if __name__ == "__main__":  # the `decide` stage of dvc.yaml
    run_as_stage(decide)

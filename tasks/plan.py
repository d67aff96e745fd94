"""Step: what tonight does with the parameters, and why."""

from pathlib import Path

from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Drift, Increment, Plan, Validation

FILE = "plan.json"


def plan(increment: Increment, params: Params, where: Path) -> Plan:
    """Fine-tune, unless the day is closed, too small, not understood or (by choice) unmoved."""
    settings = params.application(increment.application).plan
    validation = Validation.read(where / "validation.json")
    drift = Drift.read(where / "drift.json")
    against = []
    if validation.closed:
        against.append("the shop was closed")
    elif validation.rows < settings.min_rows:
        against.append(
            f"{validation.rows} rows are fewer than plan.min_rows = {settings.min_rows}"
        )
    if not drift.evaluated:
        against.append(f"drift could not be evaluated ({drift.reason})")
    elif settings.only_on_drift and not drift.detected:
        against.append(f"no drift ({drift.reason}) and plan.only_on_drift is set")
    if against:
        return Plan(action="skip", reasons=tuple(against)).write(where / FILE)
    moved = "drifted" if drift.detected else "not drifted"
    because = (f"{validation.rows} new rows, {moved}: {drift.reason}",)
    return Plan(action="fine_tune", reasons=because).write(where / FILE)


if __name__ == "__main__":  # the `plan` stage of dvc.yaml
    run_as_stage(plan)

"""The dry run: the loop's own steps on a copy, up to the plan. Nothing is pulled or changed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from flows import steps
from tasks import days
from tasks.attempt import open_preview
from tasks.contract import InvalidDayError
from tasks.due import LateDayError, WaitingError, corrected, line_of, next_increment
from tasks.ledger import Ledger
from tasks.params import Params
from tasks.records import Increment, Learn, Plan, Prequential, Validation
from tasks.update import UpdateSettings


def describe_tonight(
    ledger: Ledger,
    application: str,
    params: Params,
    through_day: date | None,
    update: UpdateSettings | None,
    learn: Learn | None,
) -> str:
    """What a run at this moment would do and why, as Markdown."""
    learned = line_of(ledger, application).day
    heading = (
        f"## {application}: a dry run\n\nLearned through **{learned}**. Nothing was changed.\n"
    )
    with days.look_at_registry(after=learned):
        through = through_day or date.max
        late = corrected(ledger, line_of(ledger, application), params.shop, through)
        if late and params.shop.on_correction == "relearn":
            back = f"It would go back before {min(late)}, which was landed again, and learn on."
            return f"{heading}\n{back}"
        try:
            increment = next_increment(ledger, application, params, through, update, learn)
        except LateDayError as problem:
            return f"{heading}\nIt would set a day aside: {problem}"
        except WaitingError as problem:
            return f"{heading}\nIt would learn nothing: {problem}"
        if increment is None:
            return f"{heading}\nThere is nothing to learn."
        with open_preview(increment) as where:
            return heading + _plan(increment, params, through, where)


def _plan(increment: Increment, params: Params, through: date, where: Path) -> str:
    try:
        validation = steps.validate_day(increment, params, where)
        scored = steps.score_before_learning(increment, params, where)
    except InvalidDayError as problem:
        return f"\nIt would set {increment.day} aside: {problem}"
    steps.detect_drift(increment, params, where)
    plan = steps.plan_night(increment, params, where)
    later = [day for day in days.by_day(days.manifest()) if increment.day < day <= through]
    return "\n".join(
        [
            *_first(increment, validation, plan),
            _after(len(later)),
            *_scores(scored),
        ]
    )


def _first(increment: Increment, validation: Validation, plan: Plan) -> Iterator[str]:
    action = plan.action.replace("_", "-")
    yield (
        f"\nIt would first learn **{increment.day}** ({validation.rows} rows of "
        f"{validation.users} users): **{action}**, because {'; '.join(plan.reasons)}.\n"
    )
    if plan.action == "fine_tune":
        update = plan.update(increment.update)
        settings = update.model_dump(exclude_none=True, exclude={"retention"})
        kept = update.retention.model_dump(exclude_defaults=True)  # none of it is the usual thing
        settings |= {f"retention.{name}": value for name, value in kept.items()}
        yield "- Update: " + ", ".join(f"{name} {value}" for name, value in settings.items())
    if plan.signals:
        least = plan.signals[0]
        yield (
            f"- Least usual of {len(plan.signals)} things watched: {least.name}, "
            f"{least.today:.4g} where {least.usual:.4g} is usual (p {least.adjusted:.2g}, "
            f"an alarm at {plan.level:.2g})"
        )


def _after(days: int) -> str:
    if not days:
        return "- No other day would follow\n"
    more = "1 more landed day" if days == 1 else f"{days} more landed days"
    return f"- After it, {more} would follow, each with its own plan\n"


def _scores(scored: Prequential) -> Iterator[str]:
    """One line per metric: a table that goes down fits on Prefect's page."""
    yield "| scored before learning | champion | naive |\n|---|---:|---:|"
    for name, value in scored.champion.items():
        yield f"| {name} | {value:.4f} | {scored.naive.get(name, 0):.4f} |"

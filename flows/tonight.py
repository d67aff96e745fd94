"""The dry run: the loop's own steps on a copy, up to the plan. Nothing is pulled or changed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from flows.markdown import as_text
from tasks import days, drift, plan, prequential, validate
from tasks.attempt import open_preview
from tasks.contract import InvalidDayError
from tasks.due import LateDayError, WaitingError, corrected, line_of, next_increment
from tasks.figures import figure
from tasks.ledger import Ledger
from tasks.nights import awaiting, metric_names
from tasks.params import Params
from tasks.record import Record
from tasks.records import Increment, Learn, Plan, Prequential, Validation
from tasks.update import UpdateSettings

TURNED = ("epochs", "learning_rate", "embedding_learning_rate", "batch_size", "replay")


class Tonight(Record):
    """What a run would do first: go back, wait, set a day aside, learn one, or nothing."""

    application: str
    learned_through: date
    back_before: date | None = None
    waiting: str | None = None
    set_aside: str | None = None
    increment: Increment | None = None
    validation: Validation | None = None
    plan: Plan | None = None
    scored: Prequential | None = None
    days_after: int = 0
    awaiting: tuple[date, ...] = ()


def look_at_tonight(
    ledger: Ledger,
    application: str,
    params: Params,
    through_day: date | None = None,
    update: UpdateSettings | None = None,
    learn: Learn | None = None,
) -> Tonight:
    """The loop's own steps on a copy, up to the plan; raises as a run would."""
    line, through = line_of(ledger, application), through_day or date.max
    asked = tuple(fate.day for fate in awaiting(ledger, application))
    tonight = Tonight(application=application, learned_through=line.day, awaiting=asked)
    with days.look_at_registry(after=line.day):
        late = corrected(ledger, line, params.shop, through)
        if late and params.shop.on_correction == "relearn":
            return tonight.model_copy(update={"back_before": min(late)})
        try:
            increment = next_increment(ledger, application, params, through, update, learn)
        except LateDayError as problem:
            return tonight.model_copy(update={"set_aside": str(problem)})
        except WaitingError as problem:
            return tonight.model_copy(update={"waiting": str(problem)})
        if increment is None:
            return tonight
        landed = days.by_day(days.manifest())
        after = sum(increment.day < day <= through for day in landed)
        tonight = tonight.model_copy(update={"increment": increment, "days_after": after})
        with open_preview(increment) as where:
            return tonight.model_copy(update=_look(increment, params, where))


def _look(increment: Increment, params: Params, where: Path) -> dict[str, str | Record]:
    try:
        validation = validate.validate(increment, params, where)
        scored = prequential.prequential(increment, params, where)
    except InvalidDayError as problem:
        return {"set_aside": str(problem)}
    drift.drift(increment, params, where)
    return {
        "validation": validation,
        "scored": scored,
        "plan": plan.plan(increment, params, where),
    }


def describe(tonight: Tonight) -> str:
    """The same as Markdown."""
    heading = (
        f"## {tonight.application}: a dry run\n\nLearned through "
        f"**{tonight.learned_through}**. Nothing was changed.\n"
    )
    if tonight.awaiting:
        heading += f"\nAwaiting approval: {', '.join(map(str, tonight.awaiting))}.\n"
    if tonight.back_before:
        before = f"It would go back before {tonight.back_before}, which was landed again"
        return f"{heading}\n{before}, and learn on."
    if tonight.waiting:
        return f"{heading}\nIt would learn nothing: {as_text(tonight.waiting)}"
    day = tonight.increment and tonight.increment.day
    if tonight.set_aside:
        return f"{heading}\nIt would set {day or 'a day'} aside: {as_text(tonight.set_aside)}"
    if not (tonight.increment and tonight.validation and tonight.plan and tonight.scored):
        return f"{heading}\nThere is nothing to learn."
    first = _first(tonight.increment, tonight.validation, tonight.plan)
    return "\n".join([heading, *first, _after(tonight.days_after), *_scores(tonight.scored)])


def _first(increment: Increment, validation: Validation, plan: Plan) -> Iterator[str]:
    action = plan.action.replace("_", "-")
    yield (
        f"It would first learn **{increment.day}** ({validation.rows} rows of "
        f"{validation.users} users): **{action}**, because {as_text('; '.join(plan.reasons))}.\n"
    )
    if plan.action == "fine_tune":
        yield "- Update: " + ", ".join(_told(plan.update(increment.update)))
    if plan.signals:
        least = plan.signals[0]
        yield (
            f"- Least usual of {len(plan.signals)} things watched: {least.name}, "
            f"{least.today:.4g} where {least.usual:.4g} is usual (p {least.adjusted:.2g}; "
            f"an alarm at {plan.level:.2g} or less)"
        )


def _told(update: UpdateSettings) -> Iterator[str]:
    """What is always turned, and of the rest what is not as it is without a setting."""
    turned = update.model_dump(include=set(TURNED))
    other = update.model_dump(exclude_defaults=True, exclude={"retention", *TURNED})
    kept = update.retention.model_dump(exclude_defaults=True)
    for name, value in (turned | other).items():
        yield f"{name} {value}"
    for name, value in kept.items():
        yield f"retention.{name} {value}"


def _after(days: int) -> str:
    if not days:
        return "- No other day would follow\n"
    more = "1 more landed day" if days == 1 else f"{days} more landed days"
    return f"- After it, {more} would follow, each with its own plan\n"


def _scores(scored: Prequential) -> Iterator[str]:
    """One line per metric, the one that decides first: a table that goes down fits the page."""
    yield "| before learning | champion | naive rival |\n|---|---:|---:|"
    for name in metric_names(scored):
        yield f"| {name} | {figure(scored.champion[name])} | {figure(scored.naive.get(name, 0))} |"

"""Training in two parts: all that is learned by the day, then the week's demand alone.

The week has a fifth of the rows and its tower shares no weight with the others, so it can be given
as many steps as it needs: it is far from learned when the others begin to learn by heart.
"""

from typing import Any, NamedTuple

from lightning_modules.events import Events, Source
from lightning_modules.halving import train_within_memory
from lightning_modules.learner import Curve
from lightning_modules.parameters import Parameters
from lightning_modules.pricing.item_days import TrainingRows
from lightning_modules.pricing.network import to_network
from lightning_modules.pricing.sources import Bag, InMemory
from lightning_modules.pricing.tower import Shape
from lightning_modules.retention import within
from lightning_modules.schedule import Schedule

RATES = ("learning_rate", "embedding_learning_rate")


class Lesson(NamedTuple):
    """What is taught: `daily` by the rule, then `weeks` (see `week_rule`), by one seed."""

    daily: Source
    weeks: TrainingRows
    rule: dict[str, Any]
    seed: int


def taught(
    parameters: Parameters, shape: Shape, bag: Bag, lesson: Lesson
) -> tuple[Parameters, Curve]:
    """New parameters and the learning curve of the first part; raises DivergedError."""
    rule, week = week_rule(lesson.rule)
    after, curve = _trained(parameters, shape, lesson.daily, rule, lesson.seed)
    if len(lesson.weeks):
        weeks = InMemory(lesson.weeks, bag)
        after, _ = _trained(after, shape, weeks, week, lesson.seed)
    if (trust := (rule.get("retention") or {}).get("trust")) is not None:
        after.weights = within(parameters.weights, after.weights, trust)  # both parts together
    return after, curve


def week_rule(rule: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rule without the settings of the week, and the week's own.

    `week_epochs` and `week_batch_size` stand in for those of the rule, `week_speed` is a factor on
    its rates, which fall to the end: the week's demand is not taught again for a week. An online
    rule stays one pass with a step of its own. A target of the loss is not one of the week's loss.
    """
    rest = dict(rule)
    epochs, batch, speed = (rest.pop(f"week_{name}") for name in ("epochs", "batch_size", "speed"))
    faster = {name: rest[name] * speed for name in RATES}
    own = {**rest, **faster, "batch_size": batch}
    own.pop("target_loss", None)
    return rest, own if rest.get("rule") == "online" else {**own, "epochs": epochs, "cosine": True}


def _trained(
    parameters: Parameters, shape: Shape, source: Source, rule: dict[str, Any], seed: int
) -> tuple[Parameters, Curve]:
    schedule = Schedule.read(rule)
    network = to_network(parameters, shape)
    events = Events(source, schedule.batch_size, seed)
    after, curve = train_within_memory(network, parameters, events, schedule)
    if schedule.retention.ewc:  # of the weights that the other part teaches it stays as it was
        after.put("fisher", {**parameters.part("fisher"), **after.part("fisher")})
    return after, curve

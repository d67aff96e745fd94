"""How a training goes: rates, the update rule, and when to stop. Needs no torch."""

from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

# What each keeps of a weight between steps; with momentum also its buffer.
KEPT: dict[str, frozenset[str]] = {
    "adam": frozenset({"step", "exp_avg", "exp_avg_sq"}),
    "adamw": frozenset({"step", "exp_avg", "exp_avg_sq"}),
    "sgd": frozenset(),
    "adagrad": frozenset({"step", "sum"}),
    "rmsprop": frozenset({"step", "square_avg"}),
}
RULES = ("synchronous", "asynchronous", "online")
TRAINED = ("all", "adapters")
LAST_RATE = 0.05
WARM_UP = 0.03
WITH_MOMENTUM = ("sgd", "rmsprop")


@dataclass(frozen=True)
class Retention:
    """How strongly the parent is kept; zero or None is not at all.

    `ewc` holds each weight to the parent's, by how much past losses depended on it
    (`ewc_decay` is how much of that is remembered from one increment to the next); `distill`
    holds what the network says of each row to what the parent says; `average` is how much of the
    served weights is kept at each step, the rest being the weights that learn; `trust` is the
    longest way that weights may go in an increment, as a share of their length.
    """

    ewc: float = 0.0
    ewc_decay: float = 0.9
    distill: float = 0.0
    average: float = 0.0
    trust: float | None = None


@dataclass(frozen=True)
class Schedule:
    """How fast to learn, by what rule, and when to stop.

    `learning_rate` is the network's, `embedding_learning_rate` that of the rows of ids, and
    `weight_decay` theirs too. `cosine` warms up over the first steps and then lowers the rates to
    a twentieth. `rule` is one of RULES, see `updates`: an update takes the gradients of `cache`
    batches, computed by `workers` processes (0: here) on weights that are at most `most_stale`
    updates older if the rule is asynchronous, in `any_order` as they come; an online step decays
    as (1 + t / tau)^-power.

    `train` is what learns: "all", or "adapters" and the rows of ids alone, see `freezing`.

    Training ends after `epochs`, after `max_steps`, after `max_seconds` (a rerun may then differ),
    when the mean loss of the last fifty steps is at `target_loss`, or when that has not fallen for
    `patience` steps. It has diverged when that mean is `divergence` times that of the first fifty.
    `precision` is Lightning's: "bf16-mixed" on a GPU. The gradient of an update is added up over
    `parts` batches: one that did not fit into memory is done in so many, see `halving`.
    """

    learning_rate: float
    embedding_learning_rate: float
    batch_size: int
    clip: float = 5.0
    epochs: int = 1
    weight_decay: float = 0.0
    cosine: bool = False
    optimizer: str = "adam"
    momentum: float = 0.0
    rule: str = "synchronous"
    cache: int = 1
    workers: int = 0
    most_stale: int = 1
    any_order: bool = False
    tau: float = 1000.0
    power: float = 0.5
    max_steps: int | None = None
    max_seconds: float | None = None
    target_loss: float | None = None
    patience: int | None = None
    divergence: float | None = None
    precision: str = "32-true"
    parts: int = 1
    train: str = "all"
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        if self.optimizer not in KEPT:
            raise ValueError(f"optimizer {self.optimizer!r} is none of {sorted(KEPT)}")
        if self.rule not in RULES:
            raise ValueError(f"rule {self.rule!r} is none of {sorted(RULES)}")
        if self.train not in TRAINED:
            raise ValueError(f"train {self.train!r} is none of {sorted(TRAINED)}")
        if self.rule == "online" and (self.epochs > 1 or self.cosine or self.cached):
            raise ValueError(
                "rule 'online' is one pass (epochs 1), by every batch (cache 1) itself"
            )
        if self.cached and self.precision != "32-true":
            raise ValueError("cached gradients are computed in precision 32-true")

    @property
    def cached(self) -> bool:
        """Whether gradients wait in a cache."""
        return self.rule == "asynchronous" or self.cache > 1 or self.workers > 0

    def weight(self, part: int, parts: int) -> float:
        """What a part's loss is multiplied by; `parts` are those of the epoch.

        Lightning divides by all parts of an update, also where the epoch ends before the last one.
        """
        begun = part // self.parts * self.parts
        return self.parts / max(1, min(self.parts, parts - begun))

    @property
    def kept(self) -> set[str]:
        """The names of what the optimizer keeps of a weight."""
        buffer = {"momentum_buffer"} if self.momentum and self.optimizer in WITH_MOMENTUM else {}
        return {*KEPT[self.optimizer], *buffer}

    @classmethod
    def read(cls, rule: dict[str, Any]) -> Self:
        """A rule by name; raises ValueError on a name that is none."""
        kept = rule.get("retention") or {}
        _refuse_unknown(cls, rule, "update setting")
        _refuse_unknown(Retention, kept, "retention setting")
        return cls(**{**rule, "retention": Retention(**kept)})


def _refuse_unknown(kind: Any, rule: dict[str, Any], what: str) -> None:
    known = {rule.name for rule in fields(kind)}
    if unknown := sorted(set(rule) - known):
        raise ValueError(f"unknown {what} {unknown[0]!r}: one of {sorted(known)}")


def cosine_factor(step: int, steps: int) -> float:
    """The share of the full rate at a step."""
    rest = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * min(step / steps, 1)))
    return float(rest * min(1.0, (step + 1) / max(1.0, WARM_UP * steps)))

"""How a training goes: rates, the update rule, and when to stop. Needs no torch."""

from dataclasses import dataclass, fields
from typing import Any, Self

# What each keeps of a weight between steps; with momentum also its buffer.
KEPT: dict[str, frozenset[str]] = {
    "adam": frozenset({"step", "exp_avg", "exp_avg_sq"}),
    "adamw": frozenset({"step", "exp_avg", "exp_avg_sq"}),
    "sgd": frozenset(),
    "adagrad": frozenset({"step", "sum"}),
    "rmsprop": frozenset({"step", "square_avg"}),
}
WITH_MOMENTUM = ("sgd", "rmsprop")


@dataclass(frozen=True)
class Schedule:
    """How fast to learn, by what rule, and when to stop.

    `learning_rate` is the network's, `embedding_learning_rate` that of the rows of ids, and
    `weight_decay` theirs too. `cosine` warms up over the first steps and then lowers the rates to
    a twentieth. Training ends after `epochs`, after `max_steps`, when the mean loss of the last
    fifty steps is at `target_loss`, or when that has not fallen for `patience` steps. `precision`
    is Lightning's: "bf16-mixed" on a GPU.
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
    max_steps: int | None = None
    target_loss: float | None = None
    patience: int | None = None
    precision: str = "32-true"

    def __post_init__(self) -> None:
        if self.optimizer not in KEPT:
            raise ValueError(f"optimizer {self.optimizer!r} is none of {sorted(KEPT)}")

    @property
    def kept(self) -> set[str]:
        """The names of what the optimizer keeps of a weight."""
        buffer = {"momentum_buffer"} if self.momentum and self.optimizer in WITH_MOMENTUM else {}
        return {*KEPT[self.optimizer], *buffer}

    @classmethod
    def read(cls, rule: dict[str, Any]) -> Self:
        """A rule by name; raises ValueError on a name that is none."""
        known = {rule.name for rule in fields(cls)}
        if unknown := sorted(set(rule) - known):
            raise ValueError(f"unknown update setting {unknown[0]!r}: one of {sorted(known)}")
        return cls(**rule)

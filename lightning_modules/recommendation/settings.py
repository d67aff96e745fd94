"""What a recommendation learner can be told, and what it does if told nothing."""

from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Settings:
    """What a recommendation learner can be told; the defaults were chosen on September 2017."""

    pool: int = 8000
    explore: int = 400
    sampling_share: float = 0.12
    hidden: tuple[int, ...] = (128, 64)
    width: int = 8
    replay_size: int = 768
    frozen_size: int = 256
    frozen_a_day: int = 16

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Settings by name; raises ValueError on a name that is none."""
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: one of {sorted(known)}")
        return cls(**settings)


FINE_TUNE: dict[str, Any] = {
    "learning_rate": 1e-4,
    "embedding_learning_rate": 3e-4,
    "batch_size": 16,
    "clip": 5.0,
    "epochs": 1,
    "replay": 256,
}
FIT: dict[str, Any] = {
    "learning_rate": 1.5e-3,
    "embedding_learning_rate": 1.5e-3,
    "batch_size": 64,
    "clip": 5.0,
    "epochs": 3,
    "weight_decay": 1e-5,
    "days_at_once": 12,
}

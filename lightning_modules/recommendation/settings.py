"""What a recommendation learner can be told, and what it does if told nothing."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

from lightning_modules.replay import refuse_unfit
from lightning_modules.vocabulary import AT_ONCE, Rule


@dataclass(frozen=True)
class Settings:
    """What a recommendation learner can be told; the defaults were chosen on September 2017.

    Attributes:
        event_types: The types of events that count as bought, such as "view" in a session log.
        pool: The best sellers that new items are taken from.
        explore: Candidates that the user never bought.
        neighbours: The nearest users whose purchases are a feature.
        most_items: Items of one user that are remembered at most, those it bought most; each is a
            candidate. None is all that it ever bought.
        most_pairs: Pairs of items in one basket that are counted at most.
        sampling_share: The share of not bought candidates that training sees.
        hidden: Widths of the network's layers.
        width: Width of a user's and an item's embedding.
        adapters: Width of an adapter after each layer, which can learn alone; 0 is none.
        blocks: Residual blocks after the last layer: they make a network deeper.
        replay_policy: Which lists are kept to be replayed: a uniform sample of all (uniform), the
            newest, as many of each category most bought (balanced), or those whose purchases are
            in the mean like all (herding). See `replay`.
        replay_size: Lists kept to be replayed.
        frozen_size: Held-out lists kept to measure forgetting.
        frozen_a_day: The most of one day that are kept so.
        active_days: Users last seen longer ago get no recommendations.
        admit_after: Days on which a user or an item is seen until it gets a row; until then it
            counts as unknown: no candidate, no row, no history.
        expire_days: Days without a sighting after which a user or an item loses its row and all
            that hangs on it; None is never.
        warm_start: Whether a new item begins as the mean of its group, not at random.
    """

    event_types: tuple[str, ...] = ("purchase",)
    pool: int = 8000
    explore: int = 400
    neighbours: int = 100
    most_items: int | None = None
    most_pairs: int = 400_000
    sampling_share: float = 0.12
    hidden: tuple[int, ...] = (128, 64)
    width: int = 8
    adapters: int = 0
    blocks: int = 0
    replay_policy: str = "uniform"
    replay_size: int = 768
    frozen_size: int = 256
    frozen_a_day: int = 16
    active_days: int = 90
    admit_after: int = 1
    expire_days: int | None = None
    warm_start: bool = False

    @property
    def rules(self) -> tuple[Rule, Rule]:
        """How users and items come and go; raises ValueError on a number below 1."""
        rule = Rule(self.admit_after, self.expire_days)
        return rule, rule

    def __post_init__(self) -> None:
        for name, least in (("adapters", 0), ("blocks", 0), ("most_items", 1)):
            told = getattr(self, name)
            if told is not None and told < least:
                raise ValueError(f"{name} is {told}: it must be at least {least}")
        refuse_unfit(self.replay_policy, self.replay_size)

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Settings by name; raises ValueError on a name that is none."""
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: one of {sorted(known)}")
        told = cls(**settings)
        return replace(told, event_types=tuple(told.event_types))


@dataclass(frozen=True)
class SessionSettings(Settings):
    """What a `SessionLearner` can be told beside that.

    The defaults keep the lists of a day near 100 MB. `benchmarks.sessions` takes fewer
    sessions and twice the candidates: of a supermarket's 40,000 items they lose fewer.

    Attributes:
        neighbours: None: a session that is going on is nobody's neighbour.
        sessions_a_day: Sessions of a day that are judged and learned from, by hash. The state
            counts all of them.
        positions: Items of one session that are to be foretold, by hash.
        prefix: How many items back from such a place are looked at.
        seen_together: Candidates that are most often seen in a session with those items.
    """

    explore: int = 100
    neighbours: int = 0
    sessions_a_day: int = 500
    positions: int = 4
    prefix: int = 32
    seen_together: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.neighbours:
            raise ValueError(f"neighbours = {self.neighbours}: a session has none, leave it at 0")

    @property
    def rules(self) -> tuple[Rule, Rule]:
        """The one user that all sessions share stays."""
        return AT_ONCE, super().rules[1]


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
    "epochs": 5,
    "weight_decay": 5e-4,
    "days_at_once": 12,
}

"""What a behavior learner can be told, and what it does if told nothing."""

from dataclasses import dataclass, fields
from typing import Any, Self

from lightning_modules.replay import refuse_unfit
from lightning_modules.vocabulary import Rule

SMALLEST = {
    "categories": 1,
    "width": 1,
    "user_width": 1,
    "memory_width": 1,
    "past_events": 1,
    "next_events": 1,
    "terms": 1,
    "term_buckets": 1,
    "term_users": 1,
    "rows_a_user": 1,
    "adapters": 0,
    "blocks": 0,
    "admit_after": 1,
}
SHARES = ("waiting_share", "replay_share")


@dataclass(frozen=True)
class Settings:
    """What a behavior learner can be told; the defaults were chosen on August and September 2017.

    Attributes:
        categories: Judged for every user: those bought on most user-days before the first
            examples, so leave some weeks of history before bootstrap.days.
        not_judged: Categories that say nothing and are none of them.
        past_events: Events of a user that are read in order.
        next_events: The most events of the day foretold that are learned from.
        terms: Words of a query that are read.
        term_buckets: Rows that words without one of their own share.
        term_users: A word typed by so many users on one day gets a row.
        width: Width of an event's embeddings.
        memory_width: Width of what a user's past events come to (GRU).
        user_width: Width of what the events and the user are summed up in.
        user_hidden: Widths of the layers that do so.
        hidden: Widths of the layers that judge a category.
        cross_layers: Layers that multiply features with each other (deep and cross network).
        cross_rank: Rank of their weights.
        adapters: Width of an adapter after each layer of both, which can learn alone; 0 is none.
        blocks: Residual blocks after the last layer of each: they make a network deeper.
        rows_a_user: About so many of a user's categories are trained on.
        calibration_days: So long does a day's outcome count in the week's calibration.
        waiting_share: The share of users whose rows wait for their late labels.
        replay_policy: Which user-days are kept to be replayed: the newest, a uniform sample of
            all (uniform), as many of each category bought and of no purchase (balanced), or those
            that are in the mean like all (herding). See `replay`.
        replay_size: User-days kept to be replayed.
        replay_share: The share of each day's that is offered to them.
        frozen_size: Held-out user-days kept to measure forgetting.
        frozen_a_day: The most of one day that are kept so.
        admit_after: Days with an event from which on a user is known.
        expire_days: Days without one after which a user is forgotten; None is never.
    """

    categories: int = 70
    not_judged: tuple[str, ...] = ("COUPON/MISC ITEMS", "COUPON", "MISC ITEMS")
    past_events: int = 16
    next_events: int = 8
    terms: int = 3
    term_buckets: int = 64
    term_users: int = 2
    width: int = 16
    memory_width: int = 16
    user_width: int = 32
    user_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (96, 48)
    cross_layers: int = 2
    cross_rank: int = 32
    adapters: int = 0
    blocks: int = 0
    rows_a_user: int = 9
    calibration_days: float = 28.0
    waiting_share: float = 1.0
    replay_policy: str = "newest"
    replay_size: int = 4000
    replay_share: float = 0.05
    frozen_size: int = 512
    frozen_a_day: int = 16
    admit_after: int = 1
    expire_days: int | None = None

    def __post_init__(self) -> None:
        for name, least in SMALLEST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: at least {least} is needed")
        for name in SHARES:
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a share in (0, 1] is needed")
        refuse_unfit(self.replay_policy, self.replay_size)
        if self.calibration_days <= 0:
            raise ValueError(f"calibration_days is {self.calibration_days}: it is to be above 0")
        _ = self.rule

    @property
    def rule(self) -> Rule:
        """How users come and go; raises ValueError on a number below 1."""
        return Rule(self.admit_after, self.expire_days)

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Settings by name; raises ValueError on a name or a value that is none."""
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: one of {sorted(known)}")
        lists = {name: tuple(told) for name, told in settings.items() if isinstance(told, list)}
        return cls(**{**settings, **lists})


FINE_TUNE: dict[str, Any] = {
    "learning_rate": 5e-5,
    "embedding_learning_rate": 5e-5,
    "batch_size": 256,
    "clip": 5.0,
    "epochs": 1,
    "replay": 120,
}
FIT: dict[str, Any] = {
    "learning_rate": 2e-3,
    "embedding_learning_rate": 2e-3,
    "batch_size": 512,
    "clip": 5.0,
    "epochs": 2,
    "weight_decay": 1e-5,
    "days_at_once": 8,
}
# Some fifty million weights; a GPU's work.

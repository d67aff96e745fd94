"""Bounded memories of units: one to replay from, one frozen to measure forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays, joined_units
from lightning_modules.hashing import fraction, mixed
from lightning_modules.replay import (
    FROZEN_SALT,
    REPLAY_SALT,
    Moments,
    Offered,
    drawn,
    few,
    kept,
    lowest,
    moments,
    most_frequent,
)


@dataclass
class Memory:
    """Replayable units, and frozen ones that training never sees.

    `moments` are what the policy needs beside the units it keeps: see `replay.moments`.
    """

    replay: UserDays
    frozen: UserDays
    replay_policy: str
    replay_size: int
    replay_share: float
    frozen_size: int
    frozen_a_day: int
    moments: Moments | None = None

    def take(self, units: UserDays, holdout: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take a day's training part: a few held-out units to the frozen, others to replay.

        The frozen are a uniform sample of all that were ever held out with a row to judge. They
        keep the day's own views only: the earlier ones were trained on when they were new. A fixed
        share of each day's other units is offered to replay. The newest of them come from the
        season that is learned.

        Returns:
            Which units were frozen (L,), also those that found no room: no training may see them.
        """
        own = units.todays_part()
        judged = np.bincount(own.unit, minlength=len(own)) > 0
        frozen = few(units.keys, holdout & judged, self.frozen_a_day)
        lucky = fraction(mixed(units.keys ^ REPLAY_SALT)) < self.replay_share
        fresh = units.take(~frozen & lucky)
        replay = joined_units([self.replay, fresh])
        offered = Offered(
            replay.keys,
            len(fresh),
            classes=lambda: bought_category(replay),
            features=lambda: own_inputs(replay),
            moments=self.moments,
        )
        self.replay = replay.take(kept(self.replay_policy, self.replay_size, offered))
        self.moments = moments(self.replay_policy, offered)
        held = joined_units([self.frozen, own.take(frozen)])
        self.frozen = held.take(lowest(held.keys, FROZEN_SALT, self.frozen_size))
        return frozen

    def replayed(self, count: int, seed: int) -> UserDays:
        """Up to `count` units to replay, another draw for each seed."""
        return self.replay.take(drawn(self.replay.keys, count, seed))


def bought_category(units: UserDays) -> NDArray[np.int64]:
    """A category that each unit bought on the day (L,), by hash, of those in its sample; or -1."""
    own = units.todays_part()
    bought = own.views.buy_1 == 1
    return most_frequent(own.unit[bought], own.views.column[bought], own.keys)


def own_inputs(units: UserDays) -> NDArray[np.float16]:
    """What was known of each unit's user before the day, (L, U + 2 C)."""
    own = units.todays()
    found = np.zeros((len(units), units.views.inputs.shape[1]), np.float16)
    found[units.unit_of_view[own]] = units.views.inputs[own]
    return found

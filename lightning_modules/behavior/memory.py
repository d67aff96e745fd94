"""Bounded memories of units: one to replay from, one frozen to measure forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays, joined_units
from lightning_modules.hashing import fraction, mixed

REPLAY_SALT = np.uint64(0x7265706C6179)
FROZEN_SALT = np.uint64(0x66726F7A656E)


@dataclass
class Memory:
    """Replayable units, and frozen ones that training never sees."""

    replay: UserDays
    frozen: UserDays
    replay_size: int
    replay_share: float
    frozen_size: int
    frozen_a_day: int

    def take(self, units: UserDays, holdout: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take a day's training part: a few held-out units to the frozen, others to replay.

        The frozen are a uniform sample of all that were ever held out with a row to judge. They
        keep the day's own views only: the earlier ones were trained on when they were new. Replay
        keeps the newest `replay_size` of a fixed share of each day's units: its rows come from
        the same season.

        Returns:
            Which units were frozen (L,), also those that found no room: no training may see them.
        """
        own = units.todays_part()
        judged = np.bincount(own.unit, minlength=len(own)) > 0
        frozen = self._few(units, holdout & judged)
        lucky = fraction(mixed(units.keys ^ REPLAY_SALT)) < self.replay_share
        replay = joined_units([self.replay, units.take(~frozen & lucky)])
        self.replay = replay.take(np.arange(max(0, len(replay) - self.replay_size), len(replay)))
        self.frozen = lowest(
            joined_units([self.frozen, own.take(frozen)]), FROZEN_SALT, self.frozen_size
        )
        return frozen

    def replayed(self, count: int, seed: int) -> UserDays:
        """Up to `count` units to replay, another draw for each seed."""
        return lowest(self.replay, mixed(np.array([seed], np.uint64))[0], count)

    def _few(self, units: UserDays, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        places = np.flatnonzero(wanted)
        order = np.argsort(mixed(units.keys[places] ^ FROZEN_SALT), kind="stable")
        chosen = np.zeros(len(units), bool)
        chosen[places[order[: self.frozen_a_day]]] = True
        return chosen


def lowest(units: UserDays, salt: np.uint64, count: int) -> UserDays:
    """The `count` units of lowest salted hash, kept in the order they are in."""
    if len(units) <= count:
        return units
    order = np.argsort(mixed(units.keys ^ salt), kind="stable")
    return units.take(np.sort(order[:count]))

"""Bounded memories of training lists: one to replay from, one frozen to measure forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import mixed
from lightning_modules.recommendation.lists import Lists, joined
from lightning_modules.vocabulary import NO_ROW

REPLAY_SALT = np.uint64(0x7265706C6179)
FROZEN_SALT = np.uint64(0x66726F7A656E)


@dataclass
class Memory:
    """Replayable lists, and frozen ones that training never sees."""

    replay: Lists
    frozen: Lists
    replay_size: int
    frozen_size: int
    frozen_a_day: int

    def take(self, lists: Lists, holdout: NDArray[np.bool_]) -> None:
        """Take a day's training lists: a few held-out ones to the frozen, the rest to replay.

        Each memory keeps the lists of lowest hash: a uniform sample of all it was ever offered.
        Of lists with one key (a session's) none is replayed if one is frozen. Those of users
        without a row are not kept: nothing could take them out again.
        """
        if len(strangers := np.flatnonzero(lists.users == NO_ROW)):
            known = np.delete(np.arange(len(lists)), strangers)
            lists, holdout = lists.take(known), holdout[known]
        frozen = self._few(lists, holdout & lists.hit)
        fresh = ~np.isin(lists.keys, lists.keys[frozen]) & lists.hit
        self.replay = _lowest(
            joined([self.replay, lists.take(fresh)]), REPLAY_SALT, self.replay_size
        )
        self.frozen = _lowest(
            joined([self.frozen, lists.take(frozen)]), FROZEN_SALT, self.frozen_size
        )

    def replayed(self, count: int, seed: int) -> Lists:
        """Up to `count` lists to replay, another draw for each seed."""
        return _lowest(self.replay, mixed(np.array([seed], np.uint64))[0], count)

    def _few(self, lists: Lists, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        places = np.flatnonzero(wanted)
        order = np.argsort(mixed(lists.keys[places] ^ FROZEN_SALT), kind="stable")
        chosen = np.zeros(len(lists), bool)
        chosen[places[order[: self.frozen_a_day]]] = True
        return chosen


def _lowest(lists: Lists, salt: np.uint64, count: int) -> Lists:
    """The `count` lists of lowest salted hash, kept in the order they are in."""
    if len(lists) <= count:
        return lists
    order = np.argsort(mixed(lists.keys ^ salt), kind="stable")
    return lists.take(np.sort(order[:count]))

"""Bounded memories of training lists: one to replay from, one frozen to measure forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.lists import Lists, joined
from lightning_modules.replay import (
    FROZEN_SALT,
    Moments,
    Offered,
    drawn,
    few,
    kept,
    lowest,
    moments,
    most_frequent,
)
from lightning_modules.vocabulary import NO_ROW


@dataclass
class Memory:
    """Replayable lists, and frozen ones that training never sees.

    `moments` are what the policy needs beside the lists it keeps: see `replay.moments`.
    """

    replay: Lists
    frozen: Lists
    replay_policy: str
    replay_size: int
    frozen_size: int
    frozen_a_day: int
    moments: Moments | None = None

    def take(self, lists: Lists, holdout: NDArray[np.bool_], category: NDArray[np.int64]) -> None:
        """Take a day's training lists: a few held-out ones to the frozen, the rest to replay.

        The frozen are a uniform sample of all that were ever offered; which lists are replayable
        the policy says. Of lists with one key (a session's) none is replayed if one is frozen.
        Those of users without a row are not kept: nothing could take them out again.
        `category` is that of each item row: a list's class is the one most bought, and its
        vector the mean features of what was bought.
        """
        if len(strangers := np.flatnonzero(lists.users == NO_ROW)):
            known = np.delete(np.arange(len(lists)), strangers)
            lists, holdout = lists.take(known), holdout[known]
        frozen = few(lists.keys, holdout & lists.hit, self.frozen_a_day)
        fresh = lists.take(~np.isin(lists.keys, lists.keys[frozen]) & lists.hit)
        replay = joined([self.replay, fresh])
        offered = Offered(
            replay.keys,
            len(fresh),
            classes=lambda: most_bought(replay, category),
            features=lambda: bought_features(replay),
            moments=self.moments,
        )
        self.replay = replay.take(kept(self.replay_policy, self.replay_size, offered))
        self.moments = moments(self.replay_policy, offered)
        held = joined([self.frozen, lists.take(frozen)])
        self.frozen = held.take(lowest(held.keys, FROZEN_SALT, self.frozen_size))

    def replayed(self, count: int, seed: int) -> Lists:
        """Up to `count` lists to replay, another draw for each seed."""
        return self.replay.take(drawn(self.replay.keys, count, seed))


def most_bought(lists: Lists, category: NDArray[np.int64]) -> NDArray[np.int64]:
    """The category most bought of each list (L,), among its candidates; `category` by item."""
    owner = np.repeat(np.arange(len(lists)), lists.lengths)
    bought = lists.labels
    return most_frequent(owner[bought], category[lists.items[bought]], lists.keys)


def bought_features(lists: Lists) -> NDArray[np.float64]:
    """The mean features (L, F) of the candidates bought of each list; it has at least one."""
    owner = np.repeat(np.arange(len(lists)), lists.lengths)[lists.labels]
    total = np.zeros((len(lists), lists.features.shape[1]))
    np.add.at(total, owner, lists.features[lists.labels].astype(np.float64))
    mean: NDArray[np.float64] = total / np.bincount(owner, minlength=len(lists))[:, None]
    return mean

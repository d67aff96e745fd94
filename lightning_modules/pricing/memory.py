"""Bounded memories: rows to replay, and frozen units that show forgetting."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
from lightning_modules.hashing import mixed
from lightning_modules.learner import LearnerFileError
from lightning_modules.pricing.item_days import (
    ItemDays,
    TrainingRows,
    item_days_from,
    joined,
    no_item_days,
    to_arrays,
    training_rows_from,
)
from lightning_modules.pricing.settings import Settings

REPLAY_SALT = np.uint64(0x7265706C6179)
FROZEN_SALT = np.uint64(0x66726F7A656E)
LATE = 28  # days
LATE_TIMES = 3


@dataclass
class Memory:
    """Replayable rows, those of whole weeks, and frozen units that training never sees.

    A uniform sample of all rows ever offered keeps what was learned; all rows of the last
    `recent_days` keep the level of demand current. `weeks` are the newest rows whose week is over:
    a year of them shows every season.
    """

    replay: TrainingRows
    weeks: TrainingRows
    frozen: ItemDays
    replay_size: int
    recent_days: int
    weeks_size: int
    frozen_size: int
    frozen_a_day: int

    @classmethod
    def empty(cls, settings: Settings, features: int) -> "Memory":
        """Nothing to remember yet."""
        nothing = no_item_days(features)
        return cls(
            replay=nothing.training_rows(),
            weeks=nothing.training_rows(),
            frozen=nothing,
            replay_size=settings.replay_size,
            recent_days=settings.recent_days,
            weeks_size=settings.weeks_size,
            frozen_size=settings.frozen_size,
            frozen_a_day=settings.frozen_a_day,
        )

    def save(self, path: Path) -> None:
        """Write all to one file."""
        rows = to_arrays(self.replay, "replay") | to_arrays(self.weeks, "weeks")
        save_file(rows | to_arrays(self.frozen, "frozen"), path)

    def filled(self, path: Path, ids: NDArray[np.object_]) -> "Memory":
        """With what `save` wrote; `ids` names the tracked rows.

        Raises LearnerFileError if the rows have not as many features as this code makes.
        """
        arrays = read_arrays(path)
        replay = training_rows_from(arrays, "replay")
        found, made = replay.features.shape[1], self.replay.features.shape[1]
        if found != made:
            raise LearnerFileError(
                f"{path}: {found} features, this code makes {made}; bootstrap a new line"
            )
        weeks = training_rows_from(arrays, "weeks")
        frozen = item_days_from(arrays, "frozen", ids)
        return replace(self, replay=replay, weeks=weeks, frozen=frozen)

    def take_weeks(self, weeks: TrainingRows) -> None:
        """Take rows whose week is over; the oldest leave."""
        rows = joined([self.weeks, weeks])
        self.weeks = rows.take(np.arange(len(rows))[-self.weeks_size :])

    def replayed_weeks(self, over: TrainingRows, times: int, seed: int) -> TrainingRows:
        """The rows `over` with up to `times` as many past ones, new ones for each seed.

        Those of the last LATE days are there LATE_TIMES: demand moves, and a year is long.
        """
        rows = joined([self.weeks, over])
        chosen = np.zeros(len(rows), bool)
        salt = mixed(np.array([seed], np.uint64))[0]
        chosen[_lowest(self.weeks.keys, salt, times * len(over))] = True
        chosen[len(self.weeks) :] = True
        late = chosen & (rows.day > rows.day.max(initial=0) - LATE)
        repeated = [np.flatnonzero(late)] * (LATE_TIMES - 1)
        return rows.take(np.concatenate([np.flatnonzero(chosen), *repeated]))

    def take(self, examples: ItemDays, holdout: NDArray[np.bool_]) -> None:
        """Take a day's units: a few held-out ones to the frozen, the others' rows to replay."""
        held = examples.take(holdout)
        order = np.argsort(mixed(held.keys ^ FROZEN_SALT), kind="stable")
        chosen = np.sort(order[: self.frozen_a_day])
        frozen = joined([self.frozen, held.take(chosen)])
        self.frozen = frozen.take(_lowest(frozen.keys, FROZEN_SALT, self.frozen_size))
        rows = joined([self.replay, examples.take(~holdout).training_rows()])
        self.replay = rows.take(self._kept(rows))

    def replayed(self, count: int, recent: int, seed: int) -> TrainingRows:
        """Up to `count` rows of all time and `recent` of the last days, new ones for each seed."""
        salt = mixed(np.array([seed], np.uint64))[0]
        chosen = np.zeros(len(self.replay), bool)
        late = np.flatnonzero(self._recent(self.replay))
        chosen[late[_lowest(self.replay.keys[late], salt, recent)]] = True
        whole = np.flatnonzero(~chosen & self._sampled(self.replay))
        chosen[whole[_lowest(self.replay.keys[whole], salt, count)]] = True
        return self.replay.take(np.flatnonzero(chosen))

    def _kept(self, rows: TrainingRows) -> NDArray[np.int64]:
        return np.flatnonzero(self._sampled(rows) | self._recent(rows))

    def _sampled(self, rows: TrainingRows) -> NDArray[np.bool_]:
        sampled = np.zeros(len(rows), bool)
        sampled[_lowest(rows.keys, REPLAY_SALT, self.replay_size)] = True
        return sampled

    def _recent(self, rows: TrainingRows) -> NDArray[np.bool_]:
        recent: NDArray[np.bool_] = rows.day > rows.day.max(initial=0) - self.recent_days
        return recent


def _lowest(keys: NDArray[np.uint64], salt: np.uint64, count: int) -> NDArray[np.int64]:
    """Positions of the `count` lowest salted hashes, ascending."""
    if len(keys) <= count:
        return np.arange(len(keys))
    return np.sort(np.argsort(mixed(keys ^ salt), kind="stable")[:count])

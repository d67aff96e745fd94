"""Bounded memories: rows to replay, and frozen units that show forgetting."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
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
from lightning_modules.replay import (
    FROZEN_SALT,
    Moments,
    Offered,
    drawn,
    few,
    kept,
    lowest,
    moments,
)

LATE = 28  # days
LATE_TIMES = 3


@dataclass
class Memory:
    """Replayable rows, those of whole weeks, and frozen units that training never sees.

    `replay_size` rows chosen by the policy, of all ever offered, keep what was learned; all rows
    of the last `recent_days` keep the level of demand current. `weeks` are the newest rows whose
    week is over: a year of them shows every season. `moments` are what the policy needs beside
    the rows it keeps: see `replay.moments`.
    """

    replay: TrainingRows
    weeks: TrainingRows
    frozen: ItemDays
    replay_policy: str
    replay_size: int
    recent_days: int
    weeks_size: int
    frozen_size: int
    frozen_a_day: int
    moments: Moments | None = None

    @classmethod
    def empty(cls, settings: Settings, features: int) -> "Memory":
        """Nothing to remember yet."""
        nothing = no_item_days(features)
        return cls(
            replay=nothing.training_rows(),
            weeks=nothing.training_rows(),
            frozen=nothing,
            replay_policy=settings.replay_policy,
            replay_size=settings.replay_size,
            recent_days=settings.recent_days,
            weeks_size=settings.weeks_size,
            frozen_size=settings.frozen_size,
            frozen_a_day=settings.frozen_a_day,
        )

    def save(self, path: Path) -> None:
        """Write all to one file."""
        rows = to_arrays(self.replay, "replay") | to_arrays(self.weeks, "weeks")
        if self.moments is not None:
            rows["moments"] = self.moments
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
        moments = arrays.get("moments")
        return replace(self, replay=replay, weeks=weeks, frozen=frozen, moments=moments)

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
        chosen[drawn(self.weeks.keys, times * len(over), seed)] = True
        chosen[len(self.weeks) :] = True
        late = chosen & (rows.day > rows.day.max(initial=0) - LATE)
        repeated = [np.flatnonzero(late)] * (LATE_TIMES - 1)
        return rows.take(np.concatenate([np.flatnonzero(chosen), *repeated]))

    def take(self, examples: ItemDays, holdout: NDArray[np.bool_]) -> None:
        """Take a day's units: a few held-out ones to the frozen, the others' rows to replay."""
        chosen = few(examples.keys, holdout, self.frozen_a_day)
        frozen = joined([self.frozen, examples.take(chosen)])
        self.frozen = frozen.take(lowest(frozen.keys, FROZEN_SALT, self.frozen_size))
        fresh = examples.take(~holdout).training_rows()
        rows = joined([self.replay, fresh])
        offered = self._offered(rows, len(fresh))
        self.replay = rows.take(self._chosen(offered) | self._recent(rows))
        self.moments = moments(self.replay_policy, offered)

    def replayed(self, count: int, recent: int, seed: int) -> TrainingRows:
        """Up to `count` rows of all time and `recent` of the last days, new ones for each seed."""
        chosen = np.zeros(len(self.replay), bool)
        late = np.flatnonzero(self._recent(self.replay))
        chosen[late[drawn(self.replay.keys[late], recent, seed)]] = True
        whole = np.flatnonzero(~chosen & self._chosen(self._offered(self.replay, 0)))
        chosen[whole[drawn(self.replay.keys[whole], count, seed)]] = True
        return self.replay.take(np.flatnonzero(chosen))

    def _offered(self, rows: TrainingRows, new: int) -> Offered:
        return Offered(
            rows.keys,
            new,
            classes=lambda: rows.category,
            features=lambda: rows.features,
            moments=self.moments,
        )

    def _chosen(self, offered: Offered) -> NDArray[np.bool_]:
        chosen = np.zeros(len(offered.keys), bool)
        chosen[kept(self.replay_policy, self.replay_size, offered)] = True
        return chosen

    def _recent(self, rows: TrainingRows) -> NDArray[np.bool_]:
        recent: NDArray[np.bool_] = rows.day > rows.day.max(initial=0) - self.recent_days
        return recent

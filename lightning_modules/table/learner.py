"""A learner from a LightningModule and a few lines on how a day becomes rows of numbers.

The rest of what the daily loop asks (`learner.Learner`) is here: files, replay, frozen units,
training by the schedule's rules. docs/how-to/your-model.md builds one.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import Curve, LearnerFileError, ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.replay import FROZEN_SALT, REPLAY_SALT, drawn, few, lowest
from lightning_modules.table.rows import (
    UNIT,
    Rows,
    checked_state,
    joined,
    no_rows,
    read_rows,
    read_table,
    rows_of,
    write_table,
)

if TYPE_CHECKING:  # Lightning takes seconds to import
    from lightning import LightningModule

    from lightning_modules.table.network import TableNetwork

STATE_FILE, REPLAY_FILE, FROZEN_FILE = "state.parquet", "replay.parquet", "frozen.parquet"
DAY_FILE = "day.json"
MEMORY = {"replay_size": 4096, "frozen_size": 1024, "frozen_a_day": 64}
# Rates and the like where params.yaml says nothing; see schedule.Schedule for the names.
FINE_TUNE = {"learning_rate": 1e-3, "embedding_learning_rate": 1e-3, "batch_size": 64}
FIT = {"learning_rate": 1e-2, "embedding_learning_rate": 1e-2, "batch_size": 256, "epochs": 5}


class TableLearner(ABC):
    """Subclass it, and say what differs; what the loop does with it is in `learner.Learner`.

    `columns` are the state's: a name and a pandas dtype each, without nulls. The state is indexed
    by unit ids and begins without a row; it is the only thing that may be remembered of past days.
    `defaults` are the settings of params.yaml that `network` and the others read.
    """

    unit: ClassVar[str]
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    shown: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, str]]
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, settings: dict[str, Any]) -> None:
        known = {**MEMORY, **self.defaults}
        if unknown := sorted(settings.keys() - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: one of {sorted(known)}")
        self.settings = {**known, **settings}
        self.state = pd.DataFrame({n: pd.Series(dtype=t) for n, t in self.columns.items()})
        self.state.index = pd.Index([], dtype="str")
        self.last: date | None = None
        self.parameters = Parameters()
        self.replay = self.held = no_rows()

    @abstractmethod
    def network(self) -> "LightningModule":
        """The model, with new weights: `self(features)` (B, F) gives predictions (B,).

        Its `training_step` gets a tuple of features (B, F) and targets (B,) and returns their
        mean loss. Its optimizer is not asked for: params.yaml names it.
        """

    @abstractmethod
    def features(self, state: pd.DataFrame, day: date) -> pd.DataFrame:
        """A row for each unit that `day` is asked about, indexed by unit id, of numbers."""

    @abstractmethod
    def target(self, units: pd.Index, day: ShopDay) -> Any:
        """What became of each of the units by the end of the day (L,), numbers."""

    @abstractmethod
    def count(self, state: pd.DataFrame, day: ShopDay) -> pd.DataFrame:
        """The state after the day, made of the one before."""

    @abstractmethod
    def naive(self, features: pd.DataFrame) -> Any:
        """The predictions (L,) of a simple rule that the model must beat."""

    @abstractmethod
    def judge(self, target: Any, predicted: Any) -> pd.DataFrame:
        """A row for each unit (L,): its metrics, `metric` among them, from two arrays (L,)."""

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner; raises ValueError on a setting that it does not know."""
        return cls(settings)

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        """What `save` wrote; raises LearnerFileError on a missing or unfit file."""
        learner = cls.new(settings)
        try:
            state = read_table(directory / STATE_FILE)
            learner.state = checked_state(state.set_index(UNIT).rename_axis(None), cls.columns)
            learner.replay = read_rows(directory / REPLAY_FILE)
            learner.held = read_rows(directory / FROZEN_FILE)
            day = json.loads((directory / DAY_FILE).read_text())["day"]
            learner.last = day and date.fromisoformat(day)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise LearnerFileError(f"{directory}: {error!r}; restore the bundle") from error
        learner.load_parameters(directory)
        return learner

    def save(self, directory: Path) -> None:
        """Write six files; the same content gives the same bytes."""
        self.save_parameters(directory)
        write_table(self.state.rename_axis(UNIT).reset_index(), directory / STATE_FILE)
        write_table(self.replay.table, directory / REPLAY_FILE)
        write_table(self.held.table, directory / FROZEN_FILE)
        (directory / DAY_FILE).write_text(json.dumps({"day": self.last and str(self.last)}))

    def load_parameters(self, directory: Path) -> None:
        """Other parameters on this state; raises LearnerFileError if the model has other ones."""
        self.parameters = Parameters.load(directory)
        shapes = {name: array.shape for name, array in self._initial(0).weights.items()}
        found = {name: array.shape for name, array in self.parameters.weights.items()}
        if found and found != shapes:
            raise LearnerFileError(
                f"{directory}: weights {found} are not the model's, {shapes}; put the code back, "
                "or bootstrap a new line in a workspace of its own"
            )

    def save_parameters(self, directory: Path) -> None:
        """Write the weights and the optimizer's moments."""
        self.parameters.save(directory)

    def examples(self, day: ShopDay) -> Rows:
        """The day's units; none where nothing happened, as on a closed day."""
        self._refuse_past(day)
        known = self.features(self.state, day.day).iloc[: None if len(day.events) else 0]
        return rows_of(day.day, known, self.target(known.index, day))

    def scores(self, examples: Rows) -> NDArray[np.float32]:
        """What the model predicts (L,)."""
        from lightning_modules.table.network import predicted

        return predicted(self._opened(), examples.features.to_numpy(np.float32))

    def naive_scores(self, examples: Rows) -> NDArray[np.float32]:
        """What `naive` predicts (L,)."""
        return np.asarray(self.naive(examples.features), np.float32)

    def quality(self, examples: Rows, scores: NDArray[np.float32]) -> pd.DataFrame:
        """What `judge` says, beside each unit."""
        metrics = self.judge(examples.target, scores).reset_index(drop=True)
        metrics.insert(0, UNIT, examples.unit_ids.astype(str))
        return metrics

    def unit_scores(self, examples: Rows, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """The predictions themselves."""
        return scores.astype(np.float64)

    def loss(self, examples: Rows) -> NDArray[np.float32]:
        """The model's `training_step` on each unit by itself (L,)."""
        from lightning_modules.table.network import losses

        return losses(self._opened(), examples.features.to_numpy(np.float32), examples.target)

    def frozen(self) -> Rows:
        """Held-out units of past days."""
        return self.held

    def fine_tune(
        self, new: Rows, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """Learn the units not held out and `replay` old ones; without any new one, nothing."""
        rule = {**FINE_TUNE, **update}
        old = self.replay.take(drawn(self.replay.keys, int(rule.pop("replay", 0)), seed))
        fresh = new.take(~holdout)
        return self._train(joined([fresh, old]), rule, seed) if len(fresh) else []

    def absorb(
        self, day: ShopDay, examples: Rows | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        """Count the day, once; its units go to the memories, each uniform over all days."""
        self._refuse_past(day)
        self.state, self.last = checked_state(self.count(self.state, day), self.columns), day.day
        if examples is None or not len(examples):
            return
        held = np.zeros(len(examples), bool) if holdout is None else holdout
        frozen = few(examples.keys, held, self.settings["frozen_a_day"])
        replay = joined([self.replay, examples.take(~frozen)])
        self.replay = replay.take(lowest(replay.keys, REPLAY_SALT, self.settings["replay_size"]))
        past = joined([self.held, examples.take(frozen)])
        self.held = past.take(lowest(past.keys, FROZEN_SALT, self.settings["frozen_size"]))

    def spool(self, examples: Rows, path: Path) -> None:
        """Write a day's units."""
        write_table(examples.table, path)

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Learn all spooled days from new weights, without those that are frozen."""
        days = joined([no_rows(), *(read_rows(path) for path in sorted(spool.iterdir()))])
        days = days.take(~np.isin(days.keys, self.held.keys))
        if not len(days):
            raise ValueError(f"{spool}: no day with a unit to learn")
        self.parameters = self._initial(seed)
        return self._train(days, {**FIT, **settings, "cosine": True}, seed)

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        """One table, `predictions`: each unit and what is predicted of it for `day`."""
        rows = rows_of(day, features := self.features(self.state, day), np.zeros(len(features)))
        table = {self.unit: rows.unit_ids.astype(str), "predicted": self.scores(rows)}
        return {"predictions": pd.DataFrame(table)}

    def _train(self, rows: Rows, rule: dict[str, Any], seed: int) -> Curve:
        from lightning_modules.events import Events
        from lightning_modules.halving import train_within_memory
        from lightning_modules.schedule import Schedule
        from lightning_modules.table.network import seeded

        schedule = Schedule.read(rule)
        events = Events(rows, schedule.batch_size, seed)
        network, before = self._opened(), self.parameters
        with seeded(seed):
            self.parameters, curve = train_within_memory(network, before, events, schedule)
        return curve

    def _opened(self) -> "TableNetwork":
        from lightning_modules.table.network import opened

        if not self.parameters:
            raise ValueError("this learner has no parameters yet: fit it or load some")
        return opened(self.network(), self.parameters)

    def _initial(self, seed: int) -> Parameters:
        from lightning_modules.table.network import initial

        return initial(self.network, seed)

    def _refuse_past(self, day: ShopDay) -> None:
        if self.last is not None and day.day <= self.last:
            raise ValueError(f"{day.day} was taken in already: each day counts once")

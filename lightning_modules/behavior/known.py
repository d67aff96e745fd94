"""All that is known before a day: ids, counters and last events, which move together."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.calibration import Calibration
from lightning_modules.behavior.happened import NOTHING, Happened
from lightning_modules.behavior.sequences import Sequences, Steps
from lightning_modules.behavior.settings import Settings
from lightning_modules.behavior.state import BehaviorState
from lightning_modules.behavior.words import Words
from lightning_modules.learner import LearnerFileError
from lightning_modules.vocabulary import Rows

WORDS_FILE = "vocabulary.json"
STATE_FILE = "state.safetensors"
EVENTS_FILE = "events.safetensors"
CALIBRATION_FILE = "calibration.safetensors"


@dataclass
class Known:
    """The state of a behavior learner, in four files."""

    settings: Settings
    words: Words = field(init=False)
    state: BehaviorState = field(default_factory=BehaviorState)
    sequences: Sequences = field(init=False)
    calibration: Calibration = field(init=False)

    def __post_init__(self) -> None:
        self.words = Words(self.settings.term_buckets, Rows(rule=self.settings.rule))
        self.sequences = Sequences(self.settings.past_events, self.settings.terms)
        self.calibration = Calibration(self.settings.calibration_days)

    @property
    def categories(self) -> NDArray[np.int32]:
        """The vocabulary row of each judged category (C,)."""
        return self.state.categories.row

    def absorb(self, today: Happened, new_items: dict[str, str]) -> None:
        """Take a day in; raises ValueError if it is not after the last.

        Events of users who have no row yet are left out.
        """
        self.words.admit(today, new_items, self.settings.term_users)
        users = self.words.users.find(today.user_ids)
        steps = steps_of(self.words, self.settings, today)
        self.sequences.grow(len(self.words.users))
        there = users[today.user] >= 0
        steps, today = steps.take(there), today.take(there)
        self.sequences.absorb(steps, users[today.user])
        self.state.grow(len(self.words.users), self._judgeable())
        self.state.absorb(today, users, steps.category)

    def save(self, directory: Path) -> None:
        """Write the four files."""
        self.words.save(directory / WORDS_FILE)
        self.state.save(directory / STATE_FILE)
        self.sequences.save(directory / EVENTS_FILE)
        self.calibration.save(directory / CALIBRATION_FILE)

    def load(self, directory: Path) -> None:
        """Read what `save` wrote; raises LearnerFileError if a file is missing or unfit."""
        try:
            self.words = Words.load(directory / WORDS_FILE)
            self.words.users.rule = self.settings.rule
            self.state = BehaviorState.load(directory / STATE_FILE)
            self.state.free = len(self.words.users.free)
            self.sequences.load(directory / EVENTS_FILE)
            self.calibration.load(directory / CALIBRATION_FILE)
        except (OSError, LookupError, TypeError, RecursionError, json.JSONDecodeError) as error:
            files = f"{WORDS_FILE}, {STATE_FILE}, {EVENTS_FILE} or {CALIBRATION_FILE}"
            raise LearnerFileError(
                f"{directory}: {error!r} in {files}; restore the bundle"
            ) from error
        users = len(self.words.users)
        if (len(self.state.users.count), len(self.sequences.past.kind)) != (users, users):
            raise LearnerFileError(
                f"{directory}: {STATE_FILE}, {EVENTS_FILE} and {WORDS_FILE} know other users; "
                "take all files from one version"
            )

    def _judgeable(self) -> NDArray[np.int32]:
        """The rows of the categories that say something."""
        left_out = {NOTHING, *self.settings.not_judged}
        rows = [row for name, row in self.words.categories.row_of.items() if name not in left_out]
        return np.array(rows, np.int32)


def steps_of(words: Words, settings: Settings, today: Happened) -> Steps:
    """The day's events in numbers; unseen types and categories have the rows they will get."""
    return Steps(
        kind=_rows_of(words.types, today.kind),
        category=_rows_of(words.categories, today.category),
        minute=today.minute.astype(np.int32),
        term=words.term_rows(today.query, settings.terms),
    )


def _rows_of(rows: Rows, names: NDArray[np.object_]) -> NDArray[np.int32]:
    distinct, at = np.unique(names.astype(str), return_inverse=True)
    return rows.foresee(distinct.tolist()).astype(np.int32)[at]

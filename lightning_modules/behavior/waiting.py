"""What waits for its late labels: a sample of each day's rows, and what was served that day.

Bought within seven days is known when the seventh day has ended. Until then a row has no label:
it is no negative.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.fading import WINDOW
from lightning_modules.behavior.features import pair_bits
from lightning_modules.behavior.state import BehaviorState
from lightning_modules.behavior.views import UNKNOWN, Views, joined, read_views, write_views
from lightning_modules.hashing import fraction, mixed

HORIZON = 7
WAITING_SALT = np.uint64(0x77616974)
RULE = "rule/"
LONGEST_WAIT = 16  # days; closed days make a row wait longer than its window


@dataclass
class Waiting:
    """Views of past days in the order of days, and the served (D, H, C) of the days `days`.

    `rules` (D, 2 + C) are those by which the served chances had been set right, see `calibration`.
    """

    views: Views
    days: list[int] = field(default_factory=list)
    served: list[NDArray[np.float16]] = field(default_factory=list)
    rules: list[NDArray[np.float64]] = field(default_factory=list)

    def ripe(self, state: BehaviorState, day: int, today: NDArray[np.bool_]) -> Views:
        """The views whose seven days end by `day`, labelled; `today` (H, C) was bought that day.

        A window of which a day was never taken in, or is too long ago to be known bit by bit, gets
        no label, so its rows are left out.
        """
        ended = self.views.day.astype(np.int64) + HORIZON - 1 <= day
        views = self.views.take(ended)
        complete = self._complete(state, day, views.day)
        views = views.take(complete)
        bits = pair_bits(state, day) | today.astype(np.uint32)
        at = (views.user[views.view], views.column)
        window = window_mask(day - views.day.astype(np.int64))[views.view]
        return views.but(buy_7=((bits[at] & window) != 0).astype(np.int8))

    def outcome(
        self, state: BehaviorState, day: int, today: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """What was served for the seven days that end with `day`, NaN if nothing, and what came.

        Both are (H, C).
        """
        served = np.full(today.shape, np.nan, np.float16)
        begin = day - HORIZON + 1
        if begin in self.days and self._complete(state, day, np.array([begin])).all():
            known = self.served[self.days.index(begin)]
            served[: len(known)] = known
        bits = pair_bits(state, day) | today.astype(np.uint32)
        return served, (bits & window_mask(np.array([HORIZON - 1]))) != 0

    def drop(self, day: int) -> None:
        """Forget the views whose labels were known by `day`."""
        self.views = self.views.take(self.views.day.astype(np.int64) + HORIZON - 1 > day)

    def add(self, views: Views) -> None:
        """Let a day's views wait; those that have waited too long are given up."""
        day = int(views.day.max(initial=0))
        young = self.views.take(self.views.day.astype(np.int64) > day - LONGEST_WAIT)
        self.views = joined([young, views])

    def serve(self, day: int, probability: NDArray[np.float16], rule: NDArray[np.float64]) -> None:
        """Note what is served for the seven days from `day` on (H, C), and by which rule."""
        kept = [place for place, noted in enumerate(self.days) if noted > day - HORIZON]
        self.days = [*(self.days[place] for place in kept), day]
        self.served = [*(self.served[place] for place in kept), probability]
        self.rules = [*(self.rules[place] for place in kept), rule.copy()]

    def rule_of(self, day: int) -> NDArray[np.float64] | None:
        """The rule of what was served for the seven days that end with `day`, if there was any."""
        begin = day - HORIZON + 1
        return self.rules[self.days.index(begin)] if begin in self.days else None

    def save(self, path: Path) -> None:
        """Write all of it."""
        served = {str(day): array for day, array in zip(self.days, self.served, strict=True)}
        rules = {f"{RULE}{day}": rule for day, rule in zip(self.days, self.rules, strict=True)}
        write_views(path, {"waiting": self.views}, **served, **rules)

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        parts, served = read_views(path, ["waiting"])
        self.views = parts["waiting"]
        self.days = sorted(int(day) for day in served if not day.startswith(RULE))
        self.served = [served[str(day)] for day in self.days]
        self.rules = [served[f"{RULE}{day}"] for day in self.days]

    def _complete(
        self, state: BehaviorState, day: int, begin: NDArray[np.integer]
    ) -> NDArray[np.bool_]:
        taken = ((state.days << (day - state.day)) | 1) & ((1 << WINDOW) - 1)
        age = day - begin.astype(np.int64)
        window = window_mask(age)
        complete: NDArray[np.bool_] = ((np.uint32(taken) & window) == window) & (age < WINDOW)
        return complete


def waiting_part(units: UserDays, share: float) -> Views:
    """The day's own views of some users, by hash, without the labels that are learned now."""
    lucky = fraction(mixed(units.keys ^ WAITING_SALT)) < share
    views = units.views.take(units.todays() & lucky[units.unit_of_view])
    learned = np.full(len(views.column), UNKNOWN, np.int8)
    return views.but(buy_1=learned, watched=np.zeros(len(views), bool))


def window_mask(age: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The bits of the seven days that began `age` days ago; from WINDOW on some bits are lost."""
    ones = np.uint64((1 << HORIZON) - 1)
    mask = ones << np.clip(age - HORIZON + 1, 0, WINDOW).astype(np.uint64)
    return mask.astype(np.uint32)

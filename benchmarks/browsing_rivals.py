"""What counting says of a user's next event type, updated after every day.

Types are numbered as in `browsing_rows`, users as the learner does.
"""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from benchmarks.browsing_rows import MAJORITY, MARKOV, MOST_TYPES, OWN, Floats, Ints
from lightning_modules.behavior.happened import day_number

LONGEST_GAP = 30
PRIOR = 2.0  # events of the shop's mean that a count is drawn to
PRIOR_DAYS = 4.0


@dataclass
class Counts:
    """All that was counted: of each user (H, ...), and of the shop.

    `own` counts a user's types, `came` the days with an event; `first`, `last` and `kind` are the
    first day, the last one and its last type. `start` counts the type of a day's first event by
    the type before, of an earlier day or none; `within` that of the later ones. `due` counts the
    known users' days by days since the last one: without an event, and with one.
    """

    own: Floats = field(default_factory=lambda: np.zeros((0, MOST_TYPES)))
    came: Floats = field(default_factory=lambda: np.zeros(0))
    first: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    last: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    kind: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    start: Floats = field(default_factory=lambda: np.zeros((MOST_TYPES, MOST_TYPES)))
    within: Floats = field(default_factory=lambda: np.zeros((MOST_TYPES, MOST_TYPES)))
    due: Floats = field(default_factory=lambda: np.zeros((LONGEST_GAP + 1, 2)))

    def learn(self, day: dt.date, user: Ints, kind: Ints) -> None:
        """Take in a day's events in order of time (E,): row of the user, type."""
        number, known = day_number(day), len(self.last)
        here = np.unique(user)
        with_event = np.isin(np.arange(known), here).astype(np.int64)
        np.add.at(self.due, (self._since(number), with_event), 1.0)
        self._grow(int(user.max(initial=-1)) + 1, number)
        order = np.argsort(user, kind="stable")
        user, kind = user[order], kind[order]
        opens = np.diff(user, prepend=-1) != 0
        before = np.where(opens, self.kind[user], np.roll(kind, 1))
        np.add.at(self.start, (before[opens], kind[opens]), 1.0)
        np.add.at(self.within, (before[~opens], kind[~opens]), 1.0)
        np.add.at(self.own, (user, kind), 1.0)
        ends = np.diff(user, append=-1) != 0
        self.kind[user[ends]] = kind[ends]
        self.came[here] += 1
        self.last[here] = number

    def of_the_day(self, users: Ints, kinds: Ints) -> dict[str, Floats]:
        """The chance of each type for each of the first n events (G, n) of some users' day.

        What is said of an event knows the ones before it: (G, n, MOST_TYPES).
        """
        before = np.concatenate([self.kind[users][:, None], kinds[:, :-1]], axis=1)
        later = (np.arange(kinds.shape[1]) > 0)[:, None]
        shares = np.where(later, _shares(self.within.sum(0)), _shares(self.start.sum(0)))
        rows = np.where(later, self.within[before], self.start[before])
        today = np.eye(MOST_TYPES)[kinds]
        own = self.own[users][:, None] + np.cumsum(today, axis=1) - today
        return {
            MAJORITY: np.broadcast_to(shares, rows.shape),
            MARKOV: _drawn(rows, shares),
            OWN: _drawn(own, shares),
        }

    def of_the_start(self, day: dt.date) -> dict[str, Floats]:
        """How the day begins for every known user, type 0 if no event comes (H, MOST_TYPES).

        That one comes is the shop's mean, or told by the days since the last, or the user's own.
        """
        number = day_number(day)
        shares = _shares(self.start.sum(0))
        mean = (self.due[:, 1].sum() + 1) / (self.due.sum() + 2)
        recent = (self.due[:, 1] + mean) / (self.due.sum(1) + 1)
        lived = number - self.first - 1
        often = (self.came - 1 + PRIOR_DAYS * mean) / (lived + PRIOR_DAYS)
        said = {
            MAJORITY: (np.full(len(lived), mean), np.broadcast_to(shares, self.own.shape)),
            MARKOV: (recent[self._since(number)], _drawn(self.start[self.kind], shares)),
            OWN: (often, _drawn(self.own, shares)),
        }
        found = {}
        for method, (chance, kinds) in said.items():
            found[method] = chance[:, None] * kinds
            found[method][:, 0] = 1 - chance
        return found

    def _since(self, number: int) -> Ints:
        return np.clip(number - self.last, 0, LONGEST_GAP)

    def _grow(self, users: int, number: int) -> None:
        more = max(users - len(self.last), 0)
        self.own = np.pad(self.own, ((0, more), (0, 0)))
        self.came, self.kind = np.pad(self.came, (0, more)), np.pad(self.kind, (0, more))
        self.first = np.pad(self.first, (0, more), constant_values=number)
        self.last = np.pad(self.last, (0, more), constant_values=number)


def _shares(counts: Floats) -> Floats:
    """Shares of the types that came so far, each counted once more (MOST_TYPES,)."""
    more = np.where(counts > 0, counts + 1, 0)
    found: Floats = more / max(more.sum(), 1)
    return found


def _drawn(counts: Floats, shares: Floats) -> Floats:
    """Shares of counts along the last axis, drawn to the shop's."""
    found: Floats = (counts + PRIOR * shares) / (counts.sum(-1, keepdims=True) + PRIOR)
    return found

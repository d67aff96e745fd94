"""Ids that come and go: users, items and groups have rows, and a row is one id's at a time.

By default an id gets its row when it first appears and keeps it. A `Rule` can let it wait for
that, and take the row back when the id stays away. The row is then given to another id, as a new
generation: the generational index of slot maps, by which an old reference is told from a new one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN_GROUP = "||"
NO_ROW = 2**30  # beyond every table: of an id that is not admitted yet
COLD = -1  # the generation of a row that is nobody's
REMEMBERED = 100_000

Ids = Iterable[str | None]  # in row order; None where a row is free
Ints = NDArray[np.int64]
Generations = NDArray[np.int32]


@dataclass(frozen=True)
class Rule:
    """When an id gets its row, and when it loses it.

    It is admitted on the `admit_after`-th day that it is seen on, and its row is taken back
    `expire_days` after the last one. Sightings are counted of the `remembered` ids without a row
    that were seen last, and as many are known to be gone.
    """

    admit_after: int = 1
    expire_days: int | None = None
    remembered: int = REMEMBERED

    def __post_init__(self) -> None:
        for name in ("admit_after", "expire_days", "remembered"):
            told = getattr(self, name)
            if told is not None and told < 1:
                raise ValueError(f"{name} is {told}: at least 1 is needed")


AT_ONCE = Rule()


class Rows:
    """A map from ids to rows 0, 1, 2, ...: no two ids share one.

    `row_of` has the living ids. `gone` has tombstones: the day on which an id lost its row. One
    that comes back is admitted at once, but to a row of which it is told nothing. `counted` has
    the sightings of ids on the way to a row.

    Where rows can expire, `born` (rows,) is the generation of each: the last day that had ended
    before it was given out, so that a row has never twice the same. `last` (rows,) is the day of
    the last sighting, and `day` the last that ended.
    """

    def __init__(self, ids: Ids = (), rule: Rule = AT_ONCE) -> None:
        names = list(ids)
        self.rule = rule
        self.row_of = {name: row for row, name in enumerate(names) if name is not None}
        self.free = [row for row, name in enumerate(names) if name is None]  # ascending
        self.size = len(names)
        self.born = np.zeros(0, np.int32)
        self.last = np.zeros(0, np.int32)
        self.day = 0
        self.counted: dict[str, int] = {}
        self.gone: dict[str, int] = {}

    def __len__(self) -> int:
        return self.size

    def admit(self, ids: Iterable[str]) -> None:
        """Give the unseen ids rows, in the order given: of kinds that never expire."""
        for name in ids:
            if name not in self.row_of:
                self._give(name, self.free[0] if self.free else self.size)

    def see(self, ids: Iterable[str], day: int) -> None:
        """Take note of a day's ids, all at once: the rows are those that `foresee` told."""
        names = list(dict.fromkeys(ids))
        rows = self.foresee(names)
        for name, row in zip(names, rows.tolist(), strict=True):
            if row == NO_ROW:
                self.counted[name] = self.counted.pop(name, 0) + 1
            elif name not in self.row_of:
                self._give(name, row)
        _forget_oldest(self.counted, self.rule.remembered)
        if self._timed:
            self.born = _padded(self.born, self.size, self.day)
            self.last = _padded(self.last, self.size, day)
            self.last[rows[rows != NO_ROW]] = day

    def end_day(self, day: int) -> Ints:
        """Take back the rows of ids that have stayed away for too long; says which they were.

        Free rows at the end are dropped. There are never more than there were ids at once.
        """
        if not self._timed:
            return np.zeros(0, np.int64)
        self.day = day
        old = np.zeros(self.size, bool)
        if self.rule.expire_days is not None:
            old = day - self.last >= self.rule.expire_days
            old[self.free] = False
        freed = np.flatnonzero(old)
        for name in self.ids()[freed]:
            del self.row_of[name]
            self.gone[name] = day
        _forget_oldest(self.gone, self.rule.remembered)
        self.free = sorted([*self.free, *freed.tolist()])
        while self.free and self.free[-1] == self.size - 1:
            self.size = self.free.pop()
        self.born, self.last = self.born[: self.size], self.last[: self.size]
        return freed

    def ids(self) -> NDArray[np.object_]:
        """The id of each row (rows,); "" where a row is free."""
        names = np.full(self.size, "", object)
        names[list(self.row_of.values())] = list(self.row_of)
        return names

    def living(self) -> Ints:
        """The rows that are not free."""
        return np.setdiff1d(np.arange(self.size), self.free)

    def find(self, ids: Iterable[str]) -> Ints:
        """The row of each id; -1 where it has none."""
        return np.array([self.row_of.get(name, -1) for name in ids], dtype=np.int64)

    def foresee(self, ids: Iterable[str]) -> Ints:
        """The row each id has or gets if just these are seen next; NO_ROW if it gets none yet."""
        names = list(ids)
        found = self.find(names)
        unseen = np.flatnonzero(found < 0)
        due = [place for place in unseen if self._due(names[place])]
        beyond = max(len(due) - len(self.free), 0)
        found[unseen] = NO_ROW
        found[due] = [*self.free[: len(due)], *range(self.size, self.size + beyond)]
        return found

    def generations(self, foreseen: Ints) -> Generations:
        """The generation of each row, (rows,) or more if there are rows `foreseen` beyond.

        Of a free row it is COLD, unless it is foreseen: then what it will get.
        """
        coming = foreseen[foreseen != NO_ROW]
        count = max(self.size, int(coming.max(initial=-1)) + 1)
        found = _padded(self.born, count, self.day)
        found[self.free] = COLD
        found[coming[found[coming] == COLD]] = self.day
        return found

    def had(self, rows: NDArray[np.integer], day: int) -> NDArray[np.bool_]:
        """Which rows (n,) have the ids still that they had or got on the day after `day`."""
        if not self._timed:
            return np.ones(len(rows), bool)
        born = _padded(self.generations(np.zeros(0, np.int64)), self.size + 1, COLD)
        born = born[np.minimum(rows, self.size)]
        found: NDArray[np.bool_] = (rows == NO_ROW) | ((born != COLD) & (born <= day))
        return found

    def told(self) -> Any:
        """All of it for a file: the ids in row order; more, where something else is known."""
        id_of = {row: name for name, row in self.row_of.items()}
        ids = [id_of.get(row) for row in range(self.size)]
        if not (self.day or self.counted or self.gone):
            return ids
        times = {"born": self.born.tolist(), "last": self.last.tolist()}
        return {"ids": ids, **times, "day": self.day, "counted": self.counted, "gone": self.gone}

    @classmethod
    def read(cls, told: Any, rule: Rule = AT_ONCE) -> "Rows":
        """What `told` took apart."""
        if isinstance(told, list):
            return cls(told, rule)
        rows = cls(told["ids"], rule)
        rows.born, rows.last = (np.array(told[name], np.int32) for name in ("born", "last"))
        rows.day, rows.counted, rows.gone = told["day"], told["counted"], told["gone"]
        return rows

    @property
    def _timed(self) -> bool:
        """Whether rows expire, or did once."""
        return self.rule.expire_days is not None or self.day > 0

    def _due(self, name: str) -> bool:
        return name in self.gone or self.counted.get(name, 0) + 1 >= self.rule.admit_after

    def _give(self, name: str, row: int) -> None:
        if row < self.size:
            self.free.remove(row)
        if row < len(self.born):
            self.born[row] = self.day
        self.size = max(self.size, row + 1)
        self.row_of[name] = row
        self.counted.pop(name, None)
        self.gone.pop(name, None)


class Vocabulary:
    """Rows of users, items, groups and channels; a group is `department|category|subcategory`.

    `group_of` has those of items that are counted or gone: the catalogue told it once.
    """

    def __init__(
        self, users: Ids = (), items: Ids = (), groups: Ids = (), channels: Ids = ()
    ) -> None:
        self.users, self.items = Rows(users), Rows(items)
        self.groups, self.channels = Rows(groups), Rows(channels)
        self.group_of: dict[str, str] = {}

    def save(self, path: Path) -> None:
        """Write all of it."""
        parts = {name: getattr(self, name).told() for name in KINDS}
        parts |= {"group_of": self.group_of} if self.group_of else {}
        path.write_text(json.dumps(parts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        names = cls()
        for name in KINDS:
            setattr(names, name, Rows.read(found[name]))
        names.group_of = found.get("group_of", {})
        return names

    def departments_and_categories(self) -> Ints:
        """The coarser code `department|category` of each group row."""
        coarse, names = Rows(), [name.rsplit("|", 1)[0] for name in self.groups.row_of]
        coarse.admit(names)
        return coarse.find(names)


KINDS = ("users", "items", "groups", "channels")


def _padded(values: Generations, size: int, value: int) -> Generations:
    return np.concatenate([values, np.full(max(size - len(values), 0), value, np.int32)])


def _forget_oldest(known: dict[str, int], most: int) -> None:
    for name in list(known)[: max(len(known) - most, 0)]:
        del known[name]

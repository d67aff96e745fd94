"""Ids that grow: each user, item and group keeps the row it got when it first appeared."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNKNOWN_GROUP = "||"


class Rows:
    """An append-only map from ids to 0, 1, 2, ..."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self.row_of = {name: row for row, name in enumerate(ids)}

    def __len__(self) -> int:
        return len(self.row_of)

    def admit(self, ids: Iterable[str]) -> None:
        """Give the unseen ids the next rows, in the order given."""
        for name in ids:
            self.row_of.setdefault(name, len(self.row_of))

    def find(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """The row of each id; -1 where it has none."""
        return np.array([self.row_of.get(name, -1) for name in ids], dtype=np.int64)

    def foresee(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """The row each id has or would get if the unseen ones were admitted now, in order."""
        found = self.find(ids)
        unseen = found < 0
        found[unseen] = len(self) + np.arange(np.count_nonzero(unseen))
        return found


class Vocabulary:
    """Rows of users, items, groups and channels; a group is `department|category|subcategory`."""

    def __init__(
        self,
        users: Iterable[str] = (),
        items: Iterable[str] = (),
        groups: Iterable[str] = (),
        channels: Iterable[str] = (),
    ) -> None:
        self.users = Rows(users)
        self.items = Rows(items)
        self.groups = Rows(groups)
        self.channels = Rows(channels)

    def save(self, path: Path) -> None:
        """Write the ids in row order."""
        parts = {
            name: list(rows.row_of)
            for name, rows in (
                ("users", self.users),
                ("items", self.items),
                ("groups", self.groups),
                ("channels", self.channels),
            )
        }
        path.write_text(json.dumps(parts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def departments_and_categories(self) -> NDArray[np.int64]:
        """The coarser code `department|category` of each group row."""
        coarse = Rows()
        names = [name.rsplit("|", 1)[0] for name in self.groups.row_of]
        coarse.admit(names)
        return coarse.find(names)

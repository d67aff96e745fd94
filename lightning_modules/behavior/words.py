"""The ids that behavior knows: users, event types, categories, query terms. All of them grow."""

import json
import re
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.happened import NOTHING, Happened
from lightning_modules.vocabulary import Rows

WORD = re.compile(r"\w+")


def _with_nothing() -> Rows:
    return Rows([NOTHING])


@dataclass
class Words:
    """Row 0 of `types` and `categories` is "nothing"; terms are numbered by `term_rows`.

    `buckets` is the number of rows that terms without one of their own share, and `item_category`
    names the category of each item that the catalogue has told of.
    """

    buckets: int
    users: Rows = field(default_factory=Rows)
    types: Rows = field(default_factory=_with_nothing)
    categories: Rows = field(default_factory=_with_nothing)
    terms: Rows = field(default_factory=Rows)
    item_category: dict[str, str] = field(default_factory=dict)

    def admit(self, today: Happened, new_items: dict[str, str], term_users: int) -> None:
        """Give rows to all that is new today; a term needs `term_users` users who typed it."""
        self.item_category.update(new_items)
        self.users.see(today.user_ids, today.day)
        self.types.admit(sorted(set(today.kind)))
        self.categories.admit(sorted(set(today.category)))
        self.categories.admit(sorted(set(new_items.values())))
        typed: dict[str, set[int]] = defaultdict(set)
        for user, query in zip(today.user, today.query, strict=True):
            for term in words_of(query):
                typed[term].add(int(user))
        self.terms.admit(sorted(term for term, by in typed.items() if len(by) >= term_users))

    @property
    def term_count(self) -> int:
        """How many numbers `term_rows` may give."""
        return 1 + self.buckets + len(self.terms)

    def term_rows(self, queries: NDArray[np.object_], width: int) -> NDArray[np.int32]:
        """The first `width` terms of each query (E, width).

        0 is no term; 1 to `buckets` are shared by the terms without a row, by hash (the hashing
        trick, Weinberger et al., ICML 2009); a term with row r is `buckets` + 1 + r.
        """
        rows = np.zeros((len(queries), width), np.int32)
        for place in np.flatnonzero(queries != NOTHING):
            for column, term in enumerate(words_of(queries[place])[:width]):
                row = self.terms.row_of.get(term)
                bucket = 1 + zlib.crc32(term.encode()) % self.buckets
                rows[place, column] = bucket if row is None else self.buckets + 1 + row
        return rows

    def save(self, path: Path) -> None:
        """Write the ids in row order."""
        parts = {name: getattr(self, name).told() for name in ROWS}
        items = {
            "item_ids": list(self.item_category),
            "item_category": self.categories.find(self.item_category.values()).tolist(),
        }
        told = {"buckets": self.buckets, **parts, **items}
        path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Words":
        """Read what `save` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        names = found["categories"]
        of_item = (names[row] for row in found["item_category"])
        categories = dict(zip(found["item_ids"], of_item, strict=True))
        rows = {name: Rows.read(found[name]) for name in ROWS}
        return cls(found["buckets"], item_category=categories, **rows)


ROWS = ("users", "types", "categories", "terms")


@lru_cache(maxsize=100_000)
def words_of(query: str) -> list[str]:
    """The terms of a query in lower case."""
    return WORD.findall(query.lower())

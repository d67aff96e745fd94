"""Training lists as arrays: taking some, joining them, and keeping them in files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules.files import read_arrays
from lightning_modules.recommendation.sampling import sampled
from lightning_modules.vocabulary import Vocabulary

PER_LIST = ("keys", "users", "bought", "bought_again")
PER_ROW = ("items", "features", "labels", "personal")
DAY = "day"
SHARES = ("negative_share", "sampling_share")


@dataclass(frozen=True)
class Lists:
    """Ranked lists to be: L user-days with N candidate rows, list after list.

    `features` is float16 (N, F); `items` (N,) and `users` (L,) are vocabulary rows; `offsets`
    (L + 1,) says where a list begins. `labels` and `personal` (N,) say whether a candidate was
    bought that day and ever before. `bought` and `bought_again` (L,) count the distinct items
    of the day, candidates or not, and those among them that the user had bought before.
    `negative_share` is the share of the not bought candidates that the lists still hold.
    """

    user_ids: NDArray[np.object_]
    keys: NDArray[np.uint64]
    users: NDArray[np.int32]
    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    features: NDArray[np.float16]
    labels: NDArray[np.bool_]
    personal: NDArray[np.bool_]
    bought: NDArray[np.int32]
    bought_again: NDArray[np.int32]
    negative_share: float = 1.0
    sampling_share: float = 0.12

    def __len__(self) -> int:
        return len(self.users)

    @property
    def unit_ids(self) -> NDArray[np.object_]:
        """The user of each list, (L,)."""
        return self.user_ids

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Candidates of each list, (L,)."""
        return np.diff(self.offsets)

    def rows_of(self, lists: NDArray[np.int64]) -> NDArray[np.int64]:
        """The candidate rows of some lists, in the order the lists are asked for."""
        return spans(self.offsets[lists], self.lengths[lists])

    def take(self, lists: NDArray[Any]) -> "Lists":
        """Some of the lists, by a mask (L,) or by positions in any order."""
        chosen = np.flatnonzero(lists) if lists.dtype == np.bool_ else lists.astype(np.int64)
        rows = self.rows_of(chosen)
        return replace(
            self,
            user_ids=self.user_ids[chosen],
            keys=self.keys[chosen],
            users=self.users[chosen],
            offsets=starts(self.lengths[chosen]),
            items=self.items[rows],
            features=self.features[rows],
            labels=self.labels[rows],
            personal=self.personal[rows],
            bought=self.bought[chosen],
            bought_again=self.bought_again[chosen],
        )

    def some(self, rows: NDArray[np.bool_]) -> "Lists":
        """The lists with some of their candidates, by a mask (N,)."""
        owner = np.repeat(np.arange(len(self)), self.lengths)
        return replace(
            self,
            offsets=starts(np.bincount(owner[rows], minlength=len(self))),
            items=self.items[rows],
            features=self.features[rows],
            labels=self.labels[rows],
            personal=self.personal[rows],
        )

    def training_part(self) -> "Lists":
        """All that was bought and a fixed sample of the rest, chosen by hash; idempotent."""
        if self.negative_share < 1:
            return self
        owner = np.repeat(np.arange(len(self)), self.lengths)
        keep = sampled(self.keys[owner], self.items, self.labels, self.sampling_share)
        return replace(self.some(keep), negative_share=self.sampling_share)

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Which lists (L,) have something to learn: a bought item among the candidates."""
        so_far = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.labels)])
        found: NDArray[np.bool_] = np.diff(so_far[self.offsets]) > 0
        return found


def starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets (L + 1,) of lists with these lengths."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def spans(begin: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers begin, begin + 1, ... of each span, one span after the other."""
    offsets = starts(lengths)
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1] - begin, lengths)


def joined(parts: Sequence[Lists]) -> Lists:
    """The lists of all parts, in order.

    Raises:
        ValueError: if the parts hold different shares of negatives: their losses do not compare.
    """
    if len({part.negative_share for part in parts}) > 1:
        raise ValueError("whole lists and sampled ones do not join: take the training part of all")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("user_ids", *PER_LIST, *PER_ROW)
    }
    lengths = np.concatenate([part.lengths for part in parts])
    return Lists(
        offsets=starts(lengths),
        negative_share=parts[0].negative_share,
        sampling_share=parts[0].sampling_share,
        **columns,
    )


def no_lists(width: int, negative_share: float, sampling_share: float) -> Lists:
    """Lists of `width` features, none of them there yet."""
    return Lists(
        user_ids=np.zeros(0, object),
        keys=np.zeros(0, np.uint64),
        users=np.zeros(0, np.int32),
        offsets=np.zeros(1, np.int64),
        items=np.zeros(0, np.int32),
        features=np.zeros((0, width), np.float16),
        labels=np.zeros(0, bool),
        personal=np.zeros(0, bool),
        bought=np.zeros(0, np.int32),
        bought_again=np.zeros(0, np.int32),
        negative_share=negative_share,
        sampling_share=sampling_share,
    )


def as_arrays(lists: Lists) -> dict[str, NDArray[Any]]:
    """All but the user ids, which follow from the user rows and the vocabulary."""
    arrays = {name: getattr(lists, name) for name in (*PER_LIST, *PER_ROW, "offsets")}
    arrays["shares"] = np.array([getattr(lists, name) for name in SHARES])
    return arrays


def from_arrays(arrays: dict[str, NDArray[Any]], user_ids: NDArray[np.object_] | None) -> Lists:
    """What `as_arrays` took apart; `user_ids` names the user rows, None leaves them nameless."""
    columns = {name: arrays[name] for name in (*PER_LIST, *PER_ROW, "offsets")}
    negative, sampling = (float(share) for share in arrays["shares"])
    nameless = np.full(len(columns["users"]), "", object)
    return Lists(
        user_ids=nameless if user_ids is None else user_ids[columns["users"]],
        negative_share=negative,
        sampling_share=sampling,
        **columns,
    )


def spool(lists: Lists, path: Path, day: int = 0) -> None:
    """Write the training part of a day's lists for `Learner.fit`.

    `day` is the last one that had ended, where ids can lose their rows until then.
    """
    arrays = as_arrays(lists.training_part())
    if day:
        arrays[DAY] = np.array([day])
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def unspool(path: Path, names: Vocabulary | None = None) -> Lists:
    """Read a spooled day; the user ids are left empty.

    Rows that are another id's by now, as `names` tell, are left out.
    """
    arrays = read_arrays(path)
    day = int(arrays.pop(DAY, np.zeros(1))[0])
    lists = from_arrays(arrays, None)
    if names is None:
        return lists
    known = names.users.had(lists.users, day), names.items.had(lists.items, day)
    return without(lists, *known)


def without(lists: Lists, users: NDArray[np.bool_], items: NDArray[np.bool_]) -> Lists:
    """The lists (L,) whose users are known, with the candidates (N,) that are.

    One that has nothing to learn after that is left out.
    """
    if users.all() and items.all():
        return lists
    kept = lists.some(items).take(users)
    return kept.take(kept.hit)

"""What a memory of bounded size keeps to be replayed: by luck, by age, by class or by the mean.

A policy is a function of the rows themselves and of the hash of their keys: there is no generator
whose state would have to be kept. A learner's setting `replay_policy` names one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import mixed

REPLAY_SALT = np.uint64(0x7265706C6179)
FROZEN_SALT = np.uint64(0x66726F7A656E)
HERDED = 4096  # places: herding looks at every row for every place

Positions = NDArray[np.int64]
Moments = NDArray[np.float64]


@dataclass(frozen=True)
class Offered:
    """n rows that ask for a place: those remembered, then the `new` ones, each by age.

    `keys` (n,) name the rows. `classes` gives the class of each (n,) and `features` a vector of
    each (n, F); they are asked for by the policies that need them alone. `moments` are those that
    the rows before the new ones left, see `moments`.
    """

    keys: NDArray[np.uint64]
    new: int
    classes: Callable[[], NDArray[Any]]
    features: Callable[[], NDArray[Any]]
    moments: Moments | None = None


def kept(policy: str, size: int, offered: Offered) -> Positions:
    """Positions, ascending, of the rows that stay: `size` of them, or all if they are fewer.

    A memory goes on under another policy with the rows it has: what is dropped does not return.

    Raises:
        ValueError: if there is no such policy, or if `size` is more than it can fill.
    """
    refuse_unfit(policy, size)
    if len(offered.keys) <= size:
        return np.arange(len(offered.keys))
    return np.sort(POLICIES[policy](size, offered))


def refuse_unfit(policy: str, size: int) -> None:
    """Raise ValueError if there is no such policy, or if `size` is more than it can fill."""
    if policy not in POLICIES:
        raise ValueError(f"replay_policy {policy!r} is none of {sorted(POLICIES)}")
    if policy == "herding" and size > HERDED:
        raise ValueError(
            f"replay_policy 'herding' with replay_size {size}: it fills at most {HERDED}"
        )


def uniform(size: int, offered: Offered) -> Positions:
    """A uniform sample of all rows ever offered: those of lowest hash.

    Reservoir sampling (Vitter, ACM TOMS 1985) by a bottom-k sketch (Cohen and Kaplan, PODC 2007).
    Kept day by day it is the sample of all days at once, in whatever order they came.
    """
    return lowest(offered.keys, REPLAY_SALT, size)


def newest(size: int, offered: Offered) -> Positions:
    """The last rows offered: a sliding window (Babcock, Datar and Motwani, SODA 2002)."""
    return np.arange(len(offered.keys) - size, len(offered.keys))


def balanced(size: int, offered: Offered) -> Positions:
    """As many rows of each class as of any other, or all there are: the largest lose first.

    The balance of GDumb (Prabhu et al., ECCV 2020), and within a class a uniform sample, as of
    CBRS (Chrysakis and Moens, ICML 2020), by lowest hash. The first of every class come before the
    second of any; hash decides for which of the larger classes the last places are. So, kept day
    by day, it is what would be kept of all days at once, in whatever order they came, while no row
    changes its class.
    """
    classes, luck = offered.classes(), mixed(offered.keys ^ REPLAY_SALT)
    order = np.lexsort((luck, classes))
    by_class = classes[order]
    rank = np.arange(len(order)) - np.searchsorted(by_class, by_class)
    return order[np.lexsort((luck[order], rank))[:size]]


def herding(size: int, offered: Offered) -> Positions:
    """The rows whose mean comes nearest to that of all rows ever offered, one after the other.

    Herding (Welling, ICML 2009) as in iCaRL (Rebuffi et al., CVPR 2017), there by class and with
    the network's features. Features count in units of their spread over all rows ever offered. The
    mean is of those too, but what is chosen from are the remembered and the new: it depends on the
    order of the days. Equal rows: the oldest. Time: size * n * F.
    """
    features, (count, total, squares) = offered.features(), _moments(offered)
    mean = total / count
    spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
    rows = ((features - mean) / np.where(spread > 0, spread, np.inf)).astype(np.float32)
    length = np.einsum("ij,ij->i", rows, rows)
    chosen, so_far = np.zeros(size, np.int64), np.zeros(rows.shape[1], np.float32)
    for place in range(size):
        best = int(np.argmin(length + 2 * (rows @ so_far)))  # |so_far + row|^2 less |so_far|^2
        chosen[place] = best
        so_far += rows[best]
        length[best] = np.inf
    return chosen


POLICIES: dict[str, Callable[[int, Offered], Positions]] = {
    "uniform": uniform,
    "newest": newest,
    "balanced": balanced,
    "herding": herding,
}


def moments(policy: str, offered: Offered) -> Moments | None:
    """What herding needs beside the rows it keeps; None for the other policies.

    Returns:
        (3, F): number, sum and sum of squares of the features of all rows ever offered. A memory
        that was kept by another policy so far begins with those that it remembers.
    """
    return _moments(offered) if policy == "herding" else None


def _moments(offered: Offered) -> Moments:
    features = offered.features().astype(np.float64)
    before = offered.moments
    fresh = features if before is None else features[len(features) - offered.new :]
    more = np.stack([np.ones_like(fresh), fresh, fresh**2]).sum(axis=1)
    found: Moments = more if before is None else before + more
    return found


def most_frequent(
    owner: NDArray[Any], label: NDArray[Any], keys: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """The class of n rows that have some labels each: the most frequent one, of equals by hash.

    `owner` (m,) is the row (by position) that has the `label` (m,), 0 or more. A row without
    labels is of class -1.
    """
    pairs, count = np.unique(np.stack([owner, label], axis=1), axis=0, return_counts=True)
    luck = mixed(keys[pairs[:, 0]] ^ mixed(pairs[:, 1].astype(np.uint64)))
    order = np.lexsort((luck, -count, pairs[:, 0]))
    rows, first = np.unique(pairs[order, 0], return_index=True)
    found = np.full(len(keys), -1)
    found[rows] = pairs[order[first], 1]
    return found


def lowest(keys: NDArray[np.uint64], salt: np.uint64, count: int) -> Positions:
    """Positions, ascending, of the `count` lowest salted hashes."""
    if len(keys) <= count:
        return np.arange(len(keys))
    return np.sort(np.argsort(mixed(keys ^ salt), kind="stable")[:count])


def drawn(keys: NDArray[np.uint64], count: int, seed: int) -> Positions:
    """Positions, ascending, of up to `count` rows to replay, another draw for each seed."""
    return lowest(keys, mixed(np.array([seed], np.uint64))[0], count)


def few(keys: NDArray[np.uint64], wanted: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Which of the `wanted` (n,) are frozen: the `count` of lowest hash."""
    chosen = np.zeros(len(keys), bool)
    places = np.flatnonzero(wanted)
    chosen[places[lowest(keys[places], FROZEN_SALT, count)]] = True
    return chosen

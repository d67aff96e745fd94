"""What a user's nearest neighbours buy: user-based nearest neighbours on personal frequency.

In the line of UP-CF (Faggioli et al., UMAP 2020) and TIFU-KNN (Hu et al., SIGIR 2020): cosine
similarity of faded purchase rates, of which the root is taken so that staples do not drown the
rest. It is a feature for the ranker, which knows how far to trust it.
"""

import numpy as np
from scipy import sparse

from lightning_modules.recommendation.candidates import Candidates
from lightning_modules.recommendation.pairs import LASTING, PAIR_TAUS
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import Floats, Ints, fade, item_of

MOST_USERS = 4000  # the most recent ones are asked: a larger shop costs no more
LEAST_VISITS = 0.5
LISTS_AT_ONCE = 64


def neighbour_rates(
    state: ShopState, users: Ints, rows: Candidates, day: int, count: int
) -> Floats:
    """How often the `count` nearest users buy each candidate (N,), as purchases a visit.

    Zero for a user without a history, and if nobody is asked. `users` (L,) are the user rows of
    the lists.
    """
    rates = np.zeros(len(rows.item), np.float32)
    asked = np.sort(np.argsort(-state.users.last.astype(np.int64), kind="stable")[:MOST_USERS])
    if count == 0 or len(asked) < 2:
        return rates
    everyone = _rate_matrix(state, day)
    them = everyone[asked]
    root_all, root = _unit_roots(everyone), _unit_roots(them)
    for begin in range(0, len(users), LISTS_AT_ONCE):
        lists = np.arange(begin, min(begin + LISTS_AT_ONCE, len(users)))
        known = lists[users[lists] < everyone.shape[0]]
        if len(known) == 0:
            continue
        near = (root_all[users[known]] @ root.T).toarray()
        near[users[known][:, None] == asked] = 0
        mean = _mean_of_nearest(near, them, count)
        place = np.full(len(users), -1)
        place[known] = np.arange(len(known))
        span = slice(rows.offsets[lists[0]], rows.offsets[lists[-1] + 1])
        mine = place[rows.owner[span]]
        found = np.flatnonzero(mine >= 0)
        rates[span][found] = mean[mine[found], rows.item[span][found]]
    return rates


def _rate_matrix(state: ShopState, day: int) -> sparse.csr_matrix:
    """Faded purchases a visit, (users, items)."""
    table, users = state.pairs, state.users
    tau = PAIR_TAUS[LASTING]
    count = np.bincount(table.user, minlength=len(users.last))
    faded = fade(table.faded[:, LASTING], table.last, day, tau)
    visits = fade(users.visits[:, LASTING], users.last, day, tau)
    rate = faded / np.maximum(visits, LEAST_VISITS)[table.user]
    starts = np.concatenate([[0], np.cumsum(count)])
    return sparse.csr_matrix(
        (rate.astype(np.float32), item_of(table.key), starts),
        shape=(len(users.last), len(state.items.last)),
    )


def _unit_roots(rates: sparse.csr_matrix) -> sparse.csr_matrix:
    """The roots of the rates, each row of length one."""
    length = np.sqrt(np.asarray(rates.sum(axis=1)).ravel())
    scale = np.repeat(1 / np.maximum(length, 1e-9), np.diff(rates.indptr)).astype(np.float32)
    values = np.sqrt(rates.data) * scale
    return sparse.csr_matrix((values, rates.indices, rates.indptr), shape=rates.shape)


def _mean_of_nearest(near: Floats, them: sparse.csr_matrix, count: int) -> Floats:
    """The mean rates (l, items) of the nearest of `them`, weighted by nearness (l, them)."""
    count = min(count, near.shape[1])
    nearest = np.argpartition(-near, count - 1, axis=1)[:, :count]
    row = np.repeat(np.arange(len(near)), count)
    weight = near[row, nearest.ravel()]
    total = np.bincount(row, weights=weight, minlength=len(near)) + 1e-6
    cells = ((weight / total[row]).astype(np.float32), (row, nearest.ravel()))
    mean: Floats = (sparse.csr_matrix(cells, shape=near.shape) @ them).toarray()
    return mean

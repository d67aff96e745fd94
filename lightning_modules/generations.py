"""Rows of a network's tables that change hands: what one id taught is never read by the next.

A row counts as an id's only where the generation that the parameters know is the one that the
vocabulary tells (`vocabulary.Rows.generations`). So parameters of any age can be put on any later
vocabulary of their line.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lightning_modules.parameters import Arrays, Parameters, embedding_rows
from lightning_modules.vocabulary import COLD, Generations, Ints

Kin = Sequence[Ints]


def cleared(parameters: Parameters, generations: Mapping[str, Generations]) -> Parameters:
    """The same without the rows that are another's now or nobody's: zero in every part, and COLD.

    `generations` tells of each table named the ones that its rows (n,) may have; those beyond n
    are dropped, and so are COLD ones at the end: to a network, a row that is not there is zero.
    One row stays in any case.
    """
    found = parameters.copied()
    for name, wanted in generations.items():
        if name not in found.weights:
            continue
        own = found.generation(name)
        kept = np.zeros(len(own), bool)
        kept[: len(wanted)] = own[: len(wanted)] == wanted[: len(own)]
        if kept.all():
            continue
        size = max(1, int(np.flatnonzero(kept).max(initial=-1)) + 1)
        for parts, key in _parts(found, name):
            parts[key] = parts[key][:size].copy()
            parts[key][~kept[:size]] = 0
        found.generations[name] = np.where(kept, own, COLD)[:size].astype(np.int32)
    return found


def begun(
    parameters: Parameters, generations: Mapping[str, Generations], kin: Mapping[str, Kin]
) -> Parameters:
    """The same with a new row wherever another generation has one, or a later row is to be.

    `generations` tells of each table named the one of each row (n,); COLD rows stay as they are.
    A new row is as `embedding_rows` has it, zero in tables one column wide; or the mean of the
    rows of its kin that were there before: `kin` has codes (n,) of the rows, -1 for none, the
    closest ones first. Moments begin at zero.
    """
    found = parameters.copied()
    for name, wanted in generations.items():
        own = found.generation(name)
        own = np.concatenate([own, np.full(max(len(wanted) - len(own), 0), COLD, np.int32)])
        new = np.zeros(len(own), bool)
        new[: len(wanted)] = (wanted != COLD) & (wanted != own[: len(wanted)])
        if not new.any():
            continue
        for parts, key in _parts(found, name):
            old = parts[key]
            array = np.zeros((len(own), *old.shape[1:]), old.dtype)
            array[: len(old)] = old
            array[new] = 0
            if parts is found.weights or key.startswith("raw/"):
                array[new] = _starts(name, array, own != COLD, new, kin.get(name, ()))
            parts[key] = array
        own[new] = wanted[new[: len(wanted)]]
        found.generations[name] = own
    return found


def _parts(parameters: Parameters, name: str) -> list[tuple[Arrays, str]]:
    """A table, and what is kept of each of its rows: the array's dict and its key."""
    shape = parameters.weights[name].shape
    return [(parameters.weights, name)] + [
        (parameters.optimizer, key)
        for key, array in parameters.optimizer.items()
        if key.split("/", 1)[1] == name and array.shape == shape
    ]


def _starts(
    name: str,
    table: NDArray[np.float32],
    held: NDArray[np.bool_],
    new: NDArray[np.bool_],
    kin: Kin,
) -> NDArray[np.float32]:
    """What the new rows of a table begin with; `held` rows had something to pass on."""
    begin, width = int(np.argmax(new)), table.shape[1]
    starts = np.zeros((len(new) - begin, width), np.float32)
    if width > 1:
        starts = embedding_rows(name, begin, len(starts), width)
    starts = starts[new[begin:]]
    for code in reversed(kin):  # the closest have the last word
        of_row = np.full(len(new), -1)
        of_row[: len(code)] = code[: len(new)]
        donors, heirs = held & ~new & (of_row >= 0), of_row[new]
        codes = int(of_row.max(initial=-1)) + 1
        count = np.bincount(of_row[donors], minlength=codes)
        sums = [np.bincount(of_row[donors], column, codes) for column in table[donors].T]
        there = (heirs >= 0) & (count[heirs] > 0) if codes else np.zeros(len(heirs), bool)
        mean = np.stack(sums, axis=1)[heirs[there]] / count[heirs[there], None]
        starts[there] = mean.astype(np.float32)
    return starts

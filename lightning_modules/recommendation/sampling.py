"""Which not bought candidates a training list keeps."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import fraction, mixed


def sampled(
    keys: NDArray[np.uint64],
    items: NDArray[np.int32],
    labels: NDArray[np.bool_],
    share: float,
) -> NDArray[np.bool_]:
    """A mask (N,): every bought row, and the others with probability `share`.

    `keys` names the list of each row. The draw is a hash of list and item, so a day gives the
    same sample wherever and whenever it is made.
    """
    draw = fraction(mixed(keys ^ mixed(items.astype(np.uint64))))
    kept: NDArray[np.bool_] = labels | (draw < share)
    return kept

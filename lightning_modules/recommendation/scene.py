"""All that a day's features are made from."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.candidates import Histories, Shelf
from lightning_modules.recommendation.offers import Offers
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import Ints


@dataclass(frozen=True)
class Scene:
    """The shop before a day, the day's `users` (L,) with their pasts, and the day's offers.

    `category` (groups,) is the coarser code of each group; `neighbours` says how many are asked.
    """

    state: ShopState
    shop: Shelf
    past: Histories
    users: Ints
    category: Ints
    offers: Offers
    neighbours: int
    day: date


def columns(*parts: NDArray[np.generic]) -> NDArray[np.float16]:
    """Columns (n,) side by side."""
    return np.stack([part.astype(np.float16) for part in parts], axis=1)

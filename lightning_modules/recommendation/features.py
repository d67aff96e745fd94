"""What the ranker sees of a candidate: numbers known before the day, scaled to about one.

The blocks stand side by side in one float16 matrix, in the order of FEATURES; the ranker's width
follows.
"""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.recommendation.candidates import Candidates
from lightning_modules.recommendation.habits import marks
from lightning_modules.recommendation.neighbours import neighbour_rates
from lightning_modules.recommendation.offers import DISPLAY, MAILER
from lightning_modules.recommendation.personal_features import (
    CATEGORY,
    GROUP,
    PERSONAL,
    group_blocks,
    personal_block,
)
from lightning_modules.recommendation.scene import Scene, columns
from lightning_modules.recommendation.shop_features import ITEM, USER, item_block, user_block

ROW = ("first_stage", "display_at_channel", "mailer_at_channel", "neighbours")
FEATURES = PERSONAL + GROUP + CATEGORY + ITEM + USER + ROW
COLUMN = {name: column for column, name in enumerate(FEATURES)}


def feature_matrix(scene: Scene, rows: Candidates) -> NDArray[np.float16]:
    """One row of FEATURES per candidate, float16 (N, F)."""
    out = np.zeros((len(rows.item), len(FEATURES)), np.float16)
    marked = marks(scene.state, scene.users, scene.past)
    group, category = group_blocks(scene, rows, marked)
    own = personal_block(scene, marked)
    known = np.flatnonzero(rows.history >= 0)
    out[known, : own.shape[1]] = own[rows.history[known]]
    begin = own.shape[1]
    for block, index in (
        group,
        category,
        (item_block(scene), rows.item),
        (user_block(scene), rows.owner),
    ):
        out[:, begin : begin + block.shape[1]] = block[index]
        begin += block.shape[1]
    out[:, begin:] = _row(scene, rows)
    return out


def _row(scene: Scene, rows: Candidates) -> NDArray[np.float16]:
    """What only this user and this item together tell."""
    users = scene.users
    known = users < len(scene.state.users.last)
    home = np.zeros(len(users), np.int64)
    home[known] = scene.state.users.channel[users[known]]
    channel = home[rows.owner]
    near = neighbour_rates(scene.state, users, rows, scene.shop.day, scene.neighbours)
    return columns(
        np.maximum(rows.first_stage, -15) / 6 + 1,
        scene.offers.promoted(DISPLAY, channel, rows.item),
        scene.offers.promoted(MAILER, channel, rows.item),
        np.log(near + 1e-4) / 4 + 1,
    )

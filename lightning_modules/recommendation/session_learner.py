"""The recommendation learner where nobody comes back: what comes next in a session.

`params.yaml` names this class in place of `RecommendationLearner`; network, loss, memory and files
are the same. What is known of a session is its own prefix, read as a household's purchases are
(`prefixes`), and what the shop knows of its items (`seen_together`). It leaves nothing of its own
in the state.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import Curve, ShopDay
from lightning_modules.recommendation.features import COLUMN
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.purchases import Purchases
from lightning_modules.recommendation.session_lists import (
    SESSION_FEATURES,
    Sessions,
    lists_of_sessions,
)
from lightning_modules.recommendation.session_places import as_sessions
from lightning_modules.recommendation.settings import SessionSettings

ANYONE = ""  # the one user that all sessions share
RECENT = 10.0  # more than any popularity: what was just seen comes first


class SessionLearner(RecommendationLearner):
    """Ranks what comes next in a session. See `learner.Learner`; examples are `Sessions`.

    A session that has no `session_id` is named by its user and day, and its score is not watched
    for drift: no column of the events holds its name.
    """

    unit: ClassVar[str] = "session_id"
    features: ClassVar[tuple[str, ...]] = SESSION_FEATURES
    settings: SessionSettings

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner; raises ValueError on an unknown setting."""
        return cls(SessionSettings.read(settings))

    def examples(self, day: ShopDay, *, whole: bool = True) -> Any:
        """Some sessions of the day, with a ranked list at some of their places.

        An item first seen today is a candidate only in a session that has had it.
        """
        known = (self.state, self.vocabulary)
        return Sessions(lists_of_sessions(known, self.settings, day, whole=whole))

    def scores(self, examples: Any) -> NDArray[np.float32]:
        """One score per candidate; raises ValueError on an untrained learner."""
        return super().scores(examples.lists)

    def naive_scores(self, examples: Any) -> NDArray[np.float32]:
        """The session's own items, the last one first, then the best sellers of 28 days."""
        lists = examples.lists
        since = lists.features[:, COLUMN["visits_since"]].astype(np.float32)
        sold = lists.features[:, COLUMN["sold_28"]].astype(np.float32)
        naive: NDArray[np.float32] = np.where(lists.personal, RECENT - since, sold * 1e-3)
        return naive

    def quality(self, examples: Any, scores: NDArray[np.float32]) -> pd.DataFrame:
        """Recall and NDCG of the next item at 10 and 20: the mean over a session's places."""
        by_list = super().quality(examples.lists, scores).drop(columns="unit")
        means = {name: examples.means(by_list[name].to_numpy()) for name in by_list}
        return pd.DataFrame({"unit": examples.unit_ids.astype(str), **means})

    def unit_scores(self, examples: Any, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """The best candidate's score, the mean over a session's places."""
        means: NDArray[np.float64] = examples.means(super().unit_scores(examples.lists, scores))
        return means

    def loss(self, lists: Any) -> NDArray[np.float32]:
        """The training loss of each session; NaN if nothing that came was a candidate."""
        means: NDArray[np.float32] = lists.means(super().loss(lists.lists)).astype(np.float32)
        return means

    def frozen(self) -> Any:
        """Held-out sessions of past days, named by their keys: their own names are not kept."""
        lists = super().frozen()
        return Sessions(
            replace(lists, user_ids=np.array([f"{k:016x}" for k in lists.keys], object))
        )

    def fine_tune(
        self, new: Any, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """One pass over the places of the sessions not held out, and over replayed ones."""
        return super().fine_tune(new.lists, new.by_list(holdout), update=update, seed=seed)

    def absorb(self, day: ShopDay, examples: Any, holdout: NDArray[np.bool_] | None) -> None:
        """Take all the day's sessions in, once; those of `examples` go to the memories."""
        if examples is None:
            super().absorb(as_sessions(day), None, None)
            return
        held = None if holdout is None else examples.by_list(holdout)
        super().absorb(as_sessions(day), examples.lists, held)

    def spool(self, examples: Any, path: Path) -> None:
        """Write the training part of a day's sessions."""
        super().spool(examples.lists, path)

    def _count(self, bought: Purchases, day: int) -> None:
        self.vocabulary.users.admit([ANYONE])
        items = self.vocabulary.items.find(bought.item_ids)
        self.state.absorb_sessions(items, bought, day, self.settings.most_pairs)

"""A day's sessions as lists: at each place of a session, what could come next and what did."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.candidates import Candidates, new_items, tastes, with_new
from lightning_modules.recommendation.day_lists import day_number, scene_of, some
from lightning_modules.recommendation.features import FEATURES, feature_matrix
from lightning_modules.recommendation.lists import Lists, spans
from lightning_modules.recommendation.prefixes import prefix_state
from lightning_modules.recommendation.purchases import item_groups
from lightning_modules.recommendation.sampling import sampled
from lightning_modules.recommendation.scene import Scene
from lightning_modules.recommendation.seen_together import SEEN_TOGETHER, Ties, ties, with_tied
from lightning_modules.recommendation.session_places import session_places
from lightning_modules.recommendation.settings import SessionSettings
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import contains, pair_keys
from lightning_modules.vocabulary import Vocabulary

SESSION_FEATURES = FEATURES + SEEN_TOGETHER


@dataclass(frozen=True)
class Sessions:
    """S sessions; a list for each of their L places, those of a session side by side.

    The lists of a session have its key, by which it is held out whole.
    """

    lists: Lists

    def __len__(self) -> int:
        return len(self.first)

    @property
    def first(self) -> NDArray[np.int64]:
        """The first list of each session, (S,)."""
        keys = self.lists.keys
        return np.flatnonzero(
            np.concatenate([np.ones(len(keys[:1]), bool), keys[1:] != keys[:-1]])
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of each session's lists, (S,)."""
        return np.diff(self.first, append=len(self.lists))

    @property
    def unit_ids(self) -> NDArray[np.object_]:
        """The name of each session, (S,)."""
        return self.lists.user_ids[self.first]

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The key of each session, (S,)."""
        return self.lists.keys[self.first]

    def take(self, sessions: NDArray[Any]) -> "Sessions":
        """Some of the sessions, by a mask (S,) or by positions in any order."""
        chosen = np.flatnonzero(sessions) if sessions.dtype == np.bool_ else sessions
        chosen = chosen.astype(np.int64)
        return Sessions(self.lists.take(spans(self.first[chosen], self.sizes[chosen])))

    def by_list(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is said of each session (S,), of each list (L,)."""
        return np.repeat(values, self.sizes)

    def means(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The mean of the lists' values (L,) by session (S,); those that are NaN do not count."""
        session = self.by_list(np.arange(len(self)))
        there = ~np.isnan(values)
        count = np.bincount(session[there], minlength=len(self))
        total = np.bincount(session[there], weights=values[there], minlength=len(self))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def lists_of_sessions(
    known: tuple[ShopState, Vocabulary], settings: SessionSettings, day: ShopDay, *, whole: bool
) -> Lists:
    """One list for each place of the day's sessions, by the state before the day and the prefix.

    With `whole` false only the training part is made. Raises ValueError on a day that the state
    has taken in.
    """
    state, vocabulary = known
    if day_number(day.day) <= state.day:
        raise ValueError(f"{day.day} is in the state already: load the version from before it")
    places = session_places(day, settings)
    lists = len(places.keys)
    # The rows that new items get when the day is taken in: the catalogue's come first.
    names = list(dict.fromkeys([*item_groups(day.items), *places.item_ids]))
    foreseen = dict(zip(names, vocabulary.items.foresee(names).tolist(), strict=True))
    items = np.array([foreseen[name] for name in places.item_ids], np.int64)
    channels = np.maximum(vocabulary.channels.find(places.channel), 0)
    prefixes = prefix_state(state, places, items, channels, day_number(day.day))
    scene = scene_of((prefixes, vocabulary), settings, np.arange(lists), day.day, day.prices)
    tied = ties(scene)
    rows = session_candidates(scene, tied, settings)
    wanted = pair_keys(np.arange(lists), items[places.target])
    labels = contains(wanted, pair_keys(rows.owner, rows.item))
    again = contains(
        np.sort(pair_keys(places.owner, places.item)), pair_keys(np.arange(lists), places.target)
    )
    if not whole:
        share = settings.sampling_share
        kept = sampled(places.keys[rows.owner], rows.item.astype(np.int32), labels, share)
        rows, labels = some(rows, kept, lists), labels[kept]
    features = (feature_matrix(scene, rows), tied.of(rows.owner, rows.item))
    return Lists(
        user_ids=places.session,
        keys=places.keys,
        users=np.zeros(lists, np.int32),  # nobody is known: all sessions share one row
        offsets=rows.offsets,
        items=rows.item.astype(np.int32),
        features=np.concatenate(features, axis=1),
        labels=labels,
        personal=rows.history >= 0,
        bought=np.ones(lists, np.int32),
        bought_again=again.astype(np.int32),
        negative_share=1.0 if whole else settings.sampling_share,
        sampling_share=settings.sampling_share,
    )


def session_candidates(scene: Scene, tied: Ties, settings: SessionSettings) -> Candidates:
    """The prefix's own items, those seen together with them, and what sells."""
    past, shop = scene.past, scene.shop
    taste = tastes(past, shop)
    new = new_items(past, shop, taste, settings.explore)
    return with_new(past, shop, taste, with_tied(new, tied.best(past, settings.seen_together)))

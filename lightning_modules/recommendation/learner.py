"""The recommendation learner: what each household will buy today, ranked.

A hybrid next-basket re-ranker: personal frequency and recency as features of a small network,
with an item bias and user and item embeddings, in the line of TIFU-KNN (Hu et al., SIGIR 2020).
Torch and Lightning are imported only where they are needed: they take seconds.
"""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import Curve, LearnerFileError, ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation import lists as files_of_lists
from lightning_modules.recommendation.bundle_files import load_memory, save_memory
from lightning_modules.recommendation.day_lists import day_number, lists_of_day
from lightning_modules.recommendation.features import COLUMN, FEATURES
from lightning_modules.recommendation.growth import enlarged, refuse_other
from lightning_modules.recommendation.lists import Lists, joined, no_lists
from lightning_modules.recommendation.memory import Memory
from lightning_modules.recommendation.offers import offers_on, promoting_channels
from lightning_modules.recommendation.outputs import shop_outputs
from lightning_modules.recommendation.purchases import Purchases, item_groups, purchases
from lightning_modules.recommendation.ranking import best_scores, list_quality
from lightning_modules.recommendation.settings import FINE_TUNE, FIT, Settings
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.state_file import load_state, save_state
from lightning_modules.recommendation.turnover import admit_items, end_day, put_on, with_rows
from lightning_modules.vocabulary import Vocabulary

if TYPE_CHECKING:  # Lightning takes seconds to import
    from lightning_modules.events import Source

STATE_FILE = "state.safetensors"
REPLAY_FILE = "replay.safetensors"
VOCABULARY_FILE = "vocabulary.json"


class RecommendationLearner:
    """Ranks what a household bought before and what it may try. See `learner.Learner`."""

    unit: ClassVar[str] = "user_id"
    metric: ClassVar[str] = "ndcg@20"
    higher_is_better: ClassVar[bool] = True
    shown: ClassVar[tuple[str, ...]] = ("ndcg@10", "recall@10")
    features: ClassVar[tuple[str, ...]] = FEATURES

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.vocabulary = Vocabulary()
        self.vocabulary.users.rule, self.vocabulary.items.rule = settings.rules
        self.state = ShopState()
        self.parameters = Parameters()
        empty = no_lists(len(self.features), settings.sampling_share, settings.sampling_share)
        sizes = settings.replay_size, settings.frozen_size, settings.frozen_a_day
        self.memory = Memory(empty, empty, settings.replay_policy, *sizes)

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner; raises ValueError on an unknown setting."""
        return cls(Settings.read(settings))

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        """What `save` wrote; raises LearnerFileError if other or larger settings made it."""
        learner = cls.new(settings)
        try:
            learner.vocabulary = names = Vocabulary.load(directory / VOCABULARY_FILE)
            names.users.rule, names.items.rule = learner.settings.rules
            learner.state = load_state(directory / STATE_FILE)
            user_ids = names.users.ids()
            load_memory(learner.memory, directory / REPLAY_FILE, user_ids, len(cls.features))
        except (OSError, LookupError, TypeError, RecursionError, json.JSONDecodeError) as error:
            raise LearnerFileError(
                f"{directory}: {error!r} in {VOCABULARY_FILE}, {STATE_FILE} or {REPLAY_FILE}; "
                "restore the bundle"
            ) from error
        sizes = (len(learner.state.users.last), len(learner.state.items.last))
        if sizes != (len(learner.vocabulary.users), len(learner.vocabulary.items)):
            raise LearnerFileError(
                f"{directory / STATE_FILE}: {sizes} users and items are not those of "
                f"{VOCABULARY_FILE}; take both files from one version"
            )
        learner.load_parameters(directory)
        refuse_other(learner.settings, learner.parameters, learner.memory, directory)
        return learner

    def save(self, directory: Path) -> None:
        """Write five files; the same content gives the same bytes."""
        self.save_parameters(directory)
        self.vocabulary.save(directory / VOCABULARY_FILE)
        save_state(self.state, directory / STATE_FILE)
        save_memory(self.memory, directory / REPLAY_FILE)

    def load_parameters(self, directory: Path) -> None:
        """Other parameters on this state; rows they lack, or have of other ids, are cold."""
        self.parameters = put_on(Parameters.load(directory), self.vocabulary)

    def save_parameters(self, directory: Path) -> None:
        """Write the weights and the optimizer's moments."""
        self.parameters.save(directory)

    def examples(self, day: ShopDay, *, whole: bool = True) -> Lists:
        """Ranked lists of the day's buyers; with `whole` false, their training part only.

        An item first seen today is no candidate today.
        """
        return lists_of_day((self.state, self.vocabulary), self.settings, day, whole=whole)

    def scores(self, examples: Lists) -> NDArray[np.float32]:
        """One score per candidate; raises ValueError on an untrained learner."""
        from lightning_modules.recommendation.network import scored

        return scored(self._trained(), examples)

    def naive_scores(self, examples: Lists) -> NDArray[np.float32]:
        """The user's most bought items, then the shop's best sellers of 28 days."""
        count = examples.features[:, COLUMN["log_count"]].astype(np.float32)
        return count + examples.features[:, COLUMN["sold_28"]].astype(np.float32) * 1e-3

    def quality(self, examples: Lists, scores: NDArray[np.float32]) -> pd.DataFrame:
        """Recall, NDCG, repeat and explore recall at 10 and 20 of each list."""
        return list_quality(examples, scores)

    def unit_scores(self, examples: Lists, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """The best candidate's score of each list; NaN where there is none."""
        return best_scores(scores, examples.offsets)

    def loss(self, lists: Lists) -> NDArray[np.float32]:
        """The training loss of each list; NaN if nothing bought was a candidate."""
        from lightning_modules.recommendation.network import losses

        return losses(self._trained(), lists)

    def frozen(self) -> Lists:
        """Up to 256 held-out lists of past days, in their training form."""
        return self.memory.frozen

    def fine_tune(
        self, new: Lists, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """One pass over the day's lists that are not held out, and over replayed ones.

        A day with nothing new to learn changes no weight: replay alone would only wear them.
        `update`: learning_rate, embedding_learning_rate, batch_size, clip, epochs and
        replay; each has a default.
        """
        rule = {**FINE_TUNE, **update}
        replayed = self.memory.replayed(int(rule.pop("replay")), seed)
        fresh = new.take(~holdout & new.hit).training_part()
        self._grow(new.users, seed)
        if len(fresh) == 0:
            return []
        from lightning_modules.recommendation.sources import InMemory

        return self._train(InMemory(joined([fresh, replayed])), rule, seed)

    def absorb(
        self, day: ShopDay, examples: Lists | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        """Take the day in, once; `examples` (whole or sampled) go to the memories."""
        bought = purchases(day.events, self.settings.event_types)
        number = day_number(day.day)
        if number <= self.state.day:
            raise ValueError(f"{day.day} was taken in already: each day counts once")
        names = self.vocabulary
        admit_items(names, self.state, item_groups(day.items), bought.item_ids, number)
        names.channels.admit(promoting_channels(day.prices))
        names.channels.admit(bought.channels)
        self._count(bought, number)
        before = self.state.offers
        self.state.offers = offers_on(before, day.prices, names.items, names.channels, number)
        if examples is not None and len(examples):
            held = np.zeros(len(examples), bool) if holdout is None else holdout
            category = names.departments_and_categories()[self.state.items.group]
            self.memory.take(examples.training_part(), held, category)
        if end_day(names, self.state, self.memory, number):
            self.parameters = put_on(self.parameters, names)

    def spool(self, examples: Lists, path: Path) -> None:
        """Write the training part of a day's lists."""
        files_of_lists.spool(examples, path, self.vocabulary.items.day)

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Train anew on spooled days, frozen lists left out.

        `settings`: those of `fine_tune` but replay, and weight_decay and days_at_once.
        """
        from lightning_modules.recommendation.sources import SpooledDays

        rule = {**FIT, **settings}
        at_once, frozen = int(rule.pop("days_at_once")), self.memory.frozen.keys
        days = SpooledDays(spool, at_once, frozen, self.vocabulary)
        self.parameters = Parameters()
        self._grow(np.zeros(0, np.int32), seed)
        return self._train(days, {**rule, "cosine": True}, seed)

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        """What the shop shows on `day`: see `outputs.shop_outputs`."""
        return shop_outputs((self.state, self.vocabulary), self.settings, self._trained(), day)

    def _count(self, bought: Purchases, day: int) -> None:
        """Take purchases of known items into the state."""
        names = self.vocabulary
        names.users.see(bought.user_ids, day)
        users, items = names.users.find(bought.user_ids), names.items.find(bought.item_ids)
        channels = names.channels.find(bought.channels)
        told = self.settings
        self.state.absorb(users[bought.user], items[bought.item], day, told.most_items)
        self.state.absorb_baskets(users, items, channels, bought, told.most_pairs)

    def _train(self, source: "Source", rule: dict[str, Any], seed: int) -> Curve:
        from lightning_modules.events import Events
        from lightning_modules.halving import train_within_memory
        from lightning_modules.recommendation.network import to_ranker
        from lightning_modules.schedule import Schedule

        schedule = Schedule.read(rule)
        events = Events(source, schedule.batch_size, seed)
        after, curve = train_within_memory(
            to_ranker(self.parameters), self.parameters, events, schedule
        )
        # A session may come to an item that gets a freed row: that row is nobody's until then.
        self.parameters = put_on(after, self.vocabulary)
        return curve

    def _trained(self) -> Parameters:
        if not self.parameters:
            raise ValueError("this learner has no parameters yet: fit it or load some")
        return self.parameters

    def _grow(self, users: NDArray[np.int32], seed: int) -> None:
        from lightning_modules.recommendation.network import initial

        told = self.settings
        if not self.parameters:
            self.parameters = initial([len(self.features), *told.hidden], told.width, seed)
        # New columns are none of rows that are nobody's: to a network, these are zero.
        self.parameters = put_on(enlarged(self.parameters, told), self.vocabulary)
        kin = self.state if told.warm_start else None
        rows = users.astype(np.int64)
        self.parameters = with_rows(self.parameters, self.vocabulary, rows, kin)

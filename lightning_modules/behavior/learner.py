"""The behavior learner: what a user does next, and what they buy within a day and a week.

One network for all of it: `network`. Torch and Lightning are slow to import: only where needed.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.behavior.day import units_of_day, views_before
from lightning_modules.behavior.examples import UserDays, joined_units, no_units
from lightning_modules.behavior.files import load_memory, refuse_unfit, save_memory
from lightning_modules.behavior.happened import day_number, happened, item_categories
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.memory import Memory
from lightning_modules.behavior.quality import unit_quality
from lightning_modules.behavior.settings import FINE_TUNE, FIT, Settings
from lightning_modules.behavior.turnover import end_day
from lightning_modules.behavior.views import no_views
from lightning_modules.behavior.waiting import HORIZON, Waiting, waiting_part
from lightning_modules.learner import Curve, ShopDay
from lightning_modules.parameters import Parameters

if TYPE_CHECKING:  # Lightning takes seconds to import
    from lightning_modules.events import Source

WAITING_FILE = "waiting.safetensors"
REPLAY_FILE = "replay.safetensors"


class BehaviorLearner:
    """Foretells the purchases and the next event of every known user. See `learner.Learner`."""

    unit: ClassVar[str] = "user_id"
    metric: ClassVar[str] = "log_loss"
    higher_is_better: ClassVar[bool] = False
    shown: ClassVar[tuple[str, ...]] = ("log_loss", "brier")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.known = Known(settings)
        self.parameters = Parameters()
        self._forget_everything(0)

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner; raises ValueError on an unknown setting."""
        return cls(Settings.read(settings))

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        """What `save` wrote; raises LearnerFileError if other settings made it."""
        learner = cls.new(settings)
        learner.known.load(directory)
        learner.waiting.load(directory / WAITING_FILE)
        load_memory(learner.memory, directory / REPLAY_FILE, learner.known.words.users.ids())
        learner.load_parameters(directory)
        refuse_unfit(learner, directory)
        return learner

    def save(self, directory: Path) -> None:
        """Write eight files; the same content gives the same bytes."""
        self.save_parameters(directory)
        self.known.save(directory)
        self.waiting.save(directory / WAITING_FILE)
        save_memory(self.memory, directory / REPLAY_FILE)

    def load_parameters(self, directory: Path) -> None:
        """Other parameters on this state; rows they lack are as those of nothing."""
        self.parameters = Parameters.load(directory)

    def save_parameters(self, directory: Path) -> None:
        """Write the weights and the optimizer's moments."""
        self.parameters.save(directory)

    def examples(self, day: ShopDay) -> UserDays:
        """Every user known before the day, with every judged category; see `UserDays`.

        The first call fixes which categories are judged. A day without events has no units.
        """
        self._choose()
        today = happened(day, self.known.words.item_category)
        return units_of_day(self.known, self.waiting, today, day.day)

    def scores(self, examples: UserDays) -> NDArray[np.float32]:
        """Five columns, see `weights.SCORES`; raises ValueError on an untrained learner."""
        from lightning_modules.behavior.weights import scored

        return scored(self._trained(), self.known, examples.views)

    def naive_scores(self, examples: UserDays) -> NDArray[np.float32]:
        """A user's own frequency of each category, drawn to the shop's mean."""
        views = examples.views
        chance = np.clip(views.frequency, 0, 1)
        total = np.bincount(views.view, weights=chance, minlength=len(views))[views.view]
        scores = np.full((len(chance), 5), np.nan, np.float32)
        scores[:, 0] = chance
        scores[:, 1] = 1 - (1 - chance) ** HORIZON
        scores[:, 2] = chance / np.maximum(total, 1e-9)
        return scores

    def quality(self, examples: UserDays, scores: NDArray[np.float32]) -> pd.DataFrame:
        """Log losses, Brier score and hits of each unit: see `quality.unit_quality`."""
        return unit_quality(examples, scores, self.known.categories)

    def unit_scores(self, examples: UserDays, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """How many of the categories each user is expected to buy on the day (L,)."""
        new = examples.views.buy_1 >= 0
        chance = scores[new, 0].astype(np.float64)
        total = np.bincount(examples.unit[new], weights=chance, minlength=len(examples))
        return total.astype(np.float64)

    def loss(self, examples: UserDays) -> NDArray[np.float32]:
        """The loss of each unit's purchases (L,); NaN where no row of it is in the sample."""
        from lightning_modules.behavior.weights import losses

        return losses(self._trained(), self.settings, examples.training_part())

    def frozen(self) -> UserDays:
        """Held-out units of past days, in their training form."""
        return self.memory.frozen

    def fine_tune(
        self, new: UserDays, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """One pass over the day's units that are not held out, and over replayed ones.

        A day without new units changes no weight. `update`: the settings of `schedule.Schedule`
        and replay, the number of replayed units; each has a default.
        """
        rule = {**FINE_TUNE, **update}
        replayed = self.memory.replayed(int(rule.pop("replay")), seed)
        fresh = new.take(~holdout).training_part()
        self._grow(new, seed)
        if len(fresh) == 0:
            return []
        from lightning_modules.behavior.sources import Units

        return self._train(Units(joined_units([fresh, replayed])), rule, seed)

    def absorb(
        self, day: ShopDay, examples: UserDays | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        """Take the day in, once; what is served for the next day is noted with this state.

        Frozen units wait for no late label, as it would be learned; nor does what is held out
        before the first fit, which it is to prove.
        """
        today = happened(day, self.known.words.item_category)
        if today.day <= self.known.state.day:
            raise ValueError(f"{day.day} was taken in already: each day counts once")
        if examples is not None and len(examples):
            held = np.zeros(len(examples), bool) if holdout is None else holdout
            part = examples.training_part()
            frozen = self.memory.take(part, held)
            unseen = frozen if self.parameters else held
            if (rule := self.waiting.rule_of(today.day)) is not None:
                self.known.calibration.learn(examples.served, rule, examples.bought)
            self.waiting.drop(today.day)
            self.waiting.add(waiting_part(part.take(~unseen), self.settings.waiting_share))
        self.known.absorb(today, item_categories(day.items))
        end_day(self.known, self.waiting, self.memory)
        if self.parameters:
            self._serve(day.day + timedelta(days=1))

    def spool(self, examples: UserDays, path: Path) -> None:
        """Write the training part of a day's units."""
        from lightning_modules.behavior.sources import spool

        spool(examples, path)

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Train anew on spooled days, frozen units left out.

        `settings`: those of `schedule.Schedule` and days_at_once.
        """
        from lightning_modules.behavior.sources import SpooledDays

        rule = {**FIT, **settings}
        days = SpooledDays(spool, int(rule.pop("days_at_once")), self.memory.frozen)
        self.parameters = Parameters()
        self._grow(self.memory.frozen, seed)
        self.parameters.weights |= days.scales()
        return self._train(days, {**rule, "cosine": True}, seed)

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        """`behavior`, `next_event` and, where people search, `next_query`: see `outputs`."""
        from lightning_modules.behavior.outputs import tables

        return tables(self.known, self._trained(), day)

    def _train(self, source: "Source", rule: dict[str, Any], seed: int) -> Curve:
        from lightning_modules.behavior.weights import to_network
        from lightning_modules.events import Events
        from lightning_modules.halving import train_within_memory
        from lightning_modules.schedule import Schedule

        schedule = Schedule.read(rule)
        events = Events(source, schedule.batch_size, seed)
        network = to_network(self.parameters, self.settings)
        self.parameters, curve = train_within_memory(network, self.parameters, events, schedule)
        return curve

    def _serve(self, day: date) -> None:
        from lightning_modules.behavior.weights import scored

        views, known = views_before(self.known, day), self.known
        found = scored(self.parameters, known, views)[:, 1]
        chance = found.astype(np.float16).reshape(len(views), len(known.categories))
        chance[known.words.users.free] = np.nan
        self.waiting.serve(day_number(day), chance, known.calibration.rule)

    def _choose(self) -> None:
        """Fix the judged categories, once; the memories take their form."""
        if not self.known.state.chosen:
            self.known.state.choose(self.settings.categories)
            self.known.calibration.begin(len(self.known.categories))
            self._forget_everything(len(self.known.categories))

    def _forget_everything(self, categories: int) -> None:
        told, views = self.settings, no_views(self.settings, categories)
        self.waiting = Waiting(views)
        sizes = (told.replay_size, told.replay_share, told.frozen_size, told.frozen_a_day)
        self.memory = Memory(no_units(views), no_units(views), told.replay_policy, *sizes)

    def _trained(self) -> Parameters:
        if not self.parameters:
            raise ValueError("this learner has no parameters yet: fit it or load some")
        return self.parameters

    def _grow(self, new: UserDays, seed: int) -> None:
        """The settings' sizes; rows for all that has one or will get one with the day."""
        from lightning_modules.behavior.weights import grown, initial

        if not self.parameters:
            inputs, category = new.views.inputs.shape[1], self.known.categories
            self.parameters = initial(self.settings, inputs, len(category), seed)
            self.parameters.weights["place"] = category.astype(np.float32)
        views, words = new.views, self.known.words
        rows = {
            "kind": max(len(words.types), int(views.next_kind.max(initial=0)) + 1),
            "category": max(len(words.categories), int(views.next_category.max(initial=0)) + 1),
            "term": words.term_count,
        }
        self.parameters = grown(self.parameters, self.settings, rows)

"""The pricing learner: units by price, what prices will do, and what to charge.

Demand of each tracked item by an ensemble that cannot sell more at a higher price, and quantiles
of each price one and seven days ahead. Torch and Lightning are imported only where they are
needed: they take seconds.
"""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.hashing import mixed
from lightning_modules.learner import Curve, LearnerFileError, ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.pricing import item_days
from lightning_modules.pricing.days import Known, day_number, units_of_day
from lightning_modules.pricing.features import FEATURES
from lightning_modules.pricing.intervals import stretched
from lightning_modules.pricing.item_days import COLUMN, OUTPUTS, SLOTS, TODAY, ItemDays
from lightning_modules.pricing.memory import Memory
from lightning_modules.pricing.quality import naive_outputs, unit_quality
from lightning_modules.pricing.settings import FINE_TUNE, FIT, Settings
from lightning_modules.pricing.state_file import Kept, load_ids, load_kept, save_ids, save_kept
from lightning_modules.pricing.take_in import take_in
from lightning_modules.pricing.weeks import but_weeks, weeks_over
from lightning_modules.vocabulary import Rows

if TYPE_CHECKING:  # Lightning takes seconds to import
    from lightning_modules.events import Source
    from lightning_modules.pricing.outlook import Outlook
    from lightning_modules.pricing.sources import Bag
    from lightning_modules.pricing.tower import Shape

STATE_FILE = "state.safetensors"
REPLAY_FILE = "replay.safetensors"
VOCABULARY_FILE = "vocabulary.json"


class PricingLearner:
    """Units of each tracked item and day, and its price to come. See `learner.Learner`."""

    unit: ClassVar[str] = "item_id"
    metric: ClassVar[str] = "deviance"
    higher_is_better: ClassVar[bool] = False
    shown: ClassVar[tuple[str, ...]] = ("deviance", "pinball_7")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.items, self.groups = Rows(), Rows()
        self.kept = Kept.empty(len(FEATURES), len(OUTPUTS), settings.history_days)
        self.parameters = Parameters()
        self.memory = Memory.empty(settings, len(FEATURES))

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner; raises ValueError on an unknown setting."""
        return cls(Settings.read(settings))

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        """What `save` wrote; raises LearnerFileError if other settings made it."""
        learner = cls.new(settings)
        try:
            learner.items, learner.groups = load_ids(directory / VOCABULARY_FILE)
            learner.kept = load_kept(directory / STATE_FILE)
            learner.memory = learner.memory.filled(directory / REPLAY_FILE, learner._known().ids)
        except (OSError, LookupError, TypeError, RecursionError, json.JSONDecodeError) as error:
            raise LearnerFileError(
                f"{directory}: {error!r} in {VOCABULARY_FILE}, {STATE_FILE} or {REPLAY_FILE}; "
                "restore the bundle"
            ) from error
        state = learner.kept.state
        sizes = (len(state.seen.days), len(state.categories.sold))
        if sizes != (len(learner.items), len(learner.groups)):
            raise LearnerFileError(
                f"{directory / STATE_FILE}: {sizes} items and categories are not those of "
                f"{VOCABULARY_FILE}; take both files from one version"
            )
        learner.load_parameters(directory)
        return learner

    def save(self, directory: Path) -> None:
        """Write five files; the same content gives the same bytes."""
        self.save_parameters(directory)
        save_ids(self.items, self.groups, directory / VOCABULARY_FILE)
        save_kept(self.kept, directory / STATE_FILE)
        self.memory.save(directory / REPLAY_FILE)

    def load_parameters(self, directory: Path) -> None:
        """Other parameters on this state; rows they lack are cold."""
        self.parameters = Parameters.load(directory)
        if self.parameters:
            from lightning_modules.pricing.network import refuse_other_shape

            refuse_other_shape(self.parameters, self.settings, len(FEATURES), directory)

    def save_parameters(self, directory: Path) -> None:
        """Write the weights and the optimizer's moments."""
        self.parameters.save(directory)

    def examples(self, day: ShopDay) -> ItemDays:
        """One unit per tracked item, with what the parameters forecast of it before the day."""
        found = units_of_day(self._known(), day)
        if self.parameters and len(found):
            found.forecasts[:, TODAY] = self.scores(found)[:, TODAY]
        return found

    def scores(self, examples: ItemDays) -> NDArray[np.float32]:
        """Forecasts (L, SLOTS, OUTPUTS), intervals stretched; 0 where a slot has no row."""
        from lightning_modules.pricing.scoring import forecasts

        found = forecasts(self._trained(), self._shape(), examples)
        return stretched(found, self.kept.stretch)

    def naive_scores(self, examples: ItemDays) -> NDArray[np.float32]:
        """Four faded weeks times the weekday; no price ever changes."""
        return naive_outputs(examples)

    def quality(self, examples: ItemDays, scores: NDArray[np.float32]) -> pd.DataFrame:
        """Deviance and errors of each unit: see `quality.unit_quality`."""
        return unit_quality(examples, scores)

    def unit_scores(self, examples: ItemDays, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """log(1 + expected units) of each item, (L,)."""
        return np.log1p(scores[:, TODAY, COLUMN["units"]].astype(np.float64))

    def loss(self, examples: ItemDays) -> NDArray[np.float32]:
        """The training loss of each unit's count today, (L,)."""
        from lightning_modules.pricing.scoring import losses

        return losses(self._trained(), self._shape(), examples)

    def frozen(self) -> ItemDays:
        """Held-out units of past days, never trained on."""
        return self.memory.frozen

    def fine_tune(
        self, new: ItemDays, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        """Train on the day's rows that are not held out, and on replayed ones.

        A day with nothing new to learn changes no weight. `update`: settings of
        `training.Schedule` and `teaching.week_rule`; `replay` and `replay_recent` rows are
        replayed of all time and of the last days, `replay_weeks` for each whose week is over.
        """
        from lightning_modules.pricing.sources import InMemory

        rule = {**FINE_TUNE, **update}
        counts = int(rule.pop("replay")), int(rule.pop("replay_recent"))
        times = int(rule.pop("replay_weeks"))
        fresh = new.take(~holdout).training_rows()
        self._grow(int(new.item.max(initial=-1)) + 1, seed)
        if len(fresh) == 0:
            return []
        rows = but_weeks(fresh, self.memory.replayed(*counts, seed))
        over = weeks_over(self._known(), int(new.day[0]), new, but=new.item[holdout])
        weeks = self.memory.replayed_weeks(over, times, seed)
        return self._learn(InMemory(rows, self._bag()), weeks, rule, seed)

    def absorb(
        self, day: ShopDay, examples: ItemDays | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        """Take the day in, once; `examples` are the whole ones of the day."""
        if examples is not None:
            self.memory.take_weeks(weeks_over(self._known(), day_number(day.day), examples))
        self.kept = take_in(self.kept, self._known(), self.groups, day, examples)
        if examples is not None and len(examples):
            held = np.zeros(len(examples), bool) if holdout is None else holdout
            self.memory.take(examples, held)

    def spool(self, examples: ItemDays, path: Path) -> None:
        """Write the training rows of a day's units."""
        item_days.spool(examples, path)

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        """Train anew on spooled days, frozen units left out, and on the weeks remembered.

        `settings`: as of `fine_tune`, and `days_at_once`, the days held in memory.
        """
        from lightning_modules.pricing.sources import SpooledDays

        rule = {**FIT, **settings}
        frozen = self.memory.frozen.keys
        without = np.concatenate([mixed(frozen + np.uint64(slot)) for slot in range(SLOTS)])
        days = SpooledDays(spool, int(rule.pop("days_at_once")), without, self._bag())
        self.parameters = Parameters()
        self._grow(0, seed)
        weights = self.parameters.weights
        weights["centre"], weights["spread"] = days.scale()
        return self._learn(days, self.memory.weeks, {**rule, "cosine": True}, seed)

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        """Expected demand, price forecasts and a price table of `day`, by item.

        Offers that begin on `day` are not known yet: see `outlook.Outlook`.
        """
        outlook = self.outlook(day)
        past = self.kept.history.frame(self._known().ids, outlook.examples.item)
        return {
            "demand": outlook.demand(),
            "price_forecast": outlook.price_forecast(),
            "price_table": outlook.price_table(past, self.settings),
        }

    def outlook(self, day: date, prices: pd.DataFrame | None = None) -> "Outlook":
        """The day ahead, at the prices that the shop has posted so far or in `prices`."""
        from lightning_modules.pricing.outlook import look_ahead

        return look_ahead(self._known(), self._trained(), self._shape(), self.scores, day, prices)

    def _known(self) -> Known:
        return Known(self.kept.state, self.items, self.kept.queue, self.settings)

    def _shape(self) -> "Shape":
        from lightning_modules.pricing.growth import shape_of

        return shape_of(self.parameters.weights)

    def _bag(self) -> "Bag":
        from lightning_modules.pricing.sources import Bag

        return Bag(self.settings.members, self.settings.bag)

    def _learn(
        self, daily: "Source", weeks: item_days.TrainingRows, rule: dict[str, Any], seed: int
    ) -> Curve:
        from lightning_modules.pricing.teaching import Lesson, taught

        lesson = Lesson(daily, weeks, rule, seed)
        self.parameters, curve = taught(self.parameters, self._shape(), self._bag(), lesson)
        return curve

    def _trained(self) -> Parameters:
        if not self.parameters:
            raise ValueError("this learner has no parameters yet: fit it or load some")
        return self.parameters

    def _grow(self, items: int, seed: int) -> None:
        from lightning_modules.pricing.network import grown, sized

        items = max(items, len(self.kept.state.tracked))
        parameters = sized(self.parameters, self.settings, len(FEATURES), seed)
        self.parameters = grown(parameters, items, len(self.groups))

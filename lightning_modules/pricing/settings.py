"""What a pricing learner can be told, and what it does if told nothing."""

from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Self

from lightning_modules.pricing.judgement import Rules
from lightning_modules.pricing.strategy import Limits
from lightning_modules.replay import refuse_unfit

LIKELIHOODS = ("poisson", "negative_binomial")
NO_CATEGORIES = ("", "COUPON/MISC ITEMS", "COUPON", "MISC ITEMS")
NO_DEPARTMENTS = ("FUEL", "MISCELLANEOUS")
HOLIDAYS: dict[str, tuple[str, ...]] = {
    "new_year": ("2017-01-01", "2018-01-01"),
    "easter": ("2017-04-16", "2018-04-01"),
    "memorial_day": ("2017-05-29", "2018-05-28"),
    "independence_day": ("2017-07-04", "2018-07-04"),
    "labor_day": ("2017-09-04", "2018-09-03"),
    "thanksgiving": ("2017-11-23", "2018-11-22"),
    "christmas": ("2017-12-25", "2018-12-25"),
}


@dataclass(frozen=True)
class Settings:
    """What a pricing learner can be told; the defaults were chosen on September 2017.

    Attributes:
        items: Size of the top that an item enters to be tracked.
        watch_after: Days with a sale after which an item's history is kept in detail.
        dormant_days: Days without a sale after which a tracked item is no unit of the day.
        exclude_categories: Never tracked; the empty one is an item without a category.
        exclude_departments: Never tracked.
        holidays: Dates by the holiday's name, past and to come.
        closed_days: Days, past and to come, on which nothing can be sold.
        carry_prices: Whether a posted price holds until another is posted, as it must where
            prices are read back from receipts; else the regular price returns after its last day.
        likelihood: Of the units sold: "poisson" or "negative_binomial".
        hidden: Widths of the network's layers.
        width: Width of an item's embedding.
        category_width: Width of a category's.
        adapters: Width of an adapter after each layer, which can learn alone; 0 is none.
        blocks: Residual blocks after the last layer: they make a network deeper.
        members: Networks of the ensemble: their spread is the doubt.
        bag: The share of an item's weeks that each member learns from.
        pace: How fast the forecasts' intervals follow their misses.
        history_days: Days that the price table rests on.
        strategy: Limits of the price table by name: see `strategy.Limits`.
        min_days_at_price: Days on which the log must have had a price level.
        judge: What the table must show, by name: see `judgement.Rules`.
        judged_days: The newest days of history_days, on which the table is judged.
        replay_policy: Which rows are kept to be replayed: a uniform sample of all (uniform), the
            newest, as many of each category (balanced), or those that are in the mean like all
            (herding). See `replay`.
        replay_size: Rows of all days kept to be replayed.
        recent_days: Days of which all rows are kept besides.
        weeks_size: Rows kept whose week is over, some 1,500 a week of 500 items.
        frozen_size: Held-out rows kept to measure forgetting.
        frozen_a_day: The most of one day that are kept so.
    """

    items: int = 500
    watch_after: int = 20
    dormant_days: int = 120
    exclude_categories: tuple[str, ...] = NO_CATEGORIES
    exclude_departments: tuple[str, ...] = NO_DEPARTMENTS
    holidays: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(HOLIDAYS))
    closed_days: tuple[str, ...] = ("2017-12-25", "2018-12-25")
    carry_prices: bool = True
    likelihood: str = "poisson"
    hidden: tuple[int, ...] = (64, 32)
    width: int = 4
    category_width: int = 4
    adapters: int = 0
    blocks: int = 0
    members: int = 5
    bag: float = 1.0
    pace: float = 0.7
    history_days: int = 182
    strategy: dict[str, Any] = field(default_factory=dict)
    min_days_at_price: int = 7
    judge: dict[str, Any] = field(default_factory=lambda: {"min_effective": 30})
    judged_days: int = 56
    replay_policy: str = "uniform"
    replay_size: int = 60_000
    recent_days: int = 14
    weeks_size: int = 80_000
    frozen_size: int = 2000
    frozen_a_day: int = 40

    def __post_init__(self) -> None:
        if self.likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood {self.likelihood!r} is none of {LIKELIHOODS}")
        refuse_unfit(self.replay_policy, self.replay_size)
        sizes = ("items", "watch_after", "members", "width", "category_width")
        least = dict.fromkeys((*sizes, "min_days_at_price"), 1) | {"adapters": 0, "blocks": 0}
        for name, size in least.items():
            if getattr(self, name) < size:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least {size}")
        if not 0 < self.bag <= 1:
            raise ValueError(f"bag is {self.bag}: a share above 0, at most 1")
        for name, kind in (("strategy", Limits), ("judge", Rules)):
            try:
                kind(**getattr(self, name))
            except TypeError as error:
                raise ValueError(f"{name}: {error}; see {kind.__name__}") from error

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Settings by name; raises ValueError on a name that is none or a date that is none."""
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(set(settings) - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: one of {sorted(known)}")
        given = dict(settings)
        for name in ("exclude_categories", "exclude_departments", "hidden", "closed_days"):
            if name in given:
                given[name] = tuple(given[name])
        if "closed_days" in given:  # YAML reads a day as a date
            given["closed_days"] = tuple(str(day) for day in given["closed_days"])
        if "holidays" in given:
            given["holidays"] = {
                name: tuple(str(day) for day in days) for name, days in given["holidays"].items()
            }
        read = cls(**given)
        for days in (*read.holidays.values(), read.closed_days):
            for day in days:
                _refuse_unless_date(day)
        return read


def _refuse_unless_date(day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"{day!r} is no date: write year-month-day") from error


FINE_TUNE: dict[str, Any] = {
    "learning_rate": 5e-4,
    "embedding_learning_rate": 2.5e-4,
    "weight_decay": 1e-4,
    "batch_size": 1024,
    "clip": 5.0,
    "epochs": 1,
    "replay": 24_000,
    "replay_recent": 8_000,
    "replay_weeks": 60,
    "week_epochs": 5,
    "week_batch_size": 1024,
    "week_speed": 6.0,
}
FIT: dict[str, Any] = {
    "learning_rate": 3e-3,
    "embedding_learning_rate": 1.5e-3,
    "batch_size": 2048,
    "clip": 5.0,
    "epochs": 10,
    "weight_decay": 1e-4,
    "days_at_once": 400,
    "week_epochs": 30,
    "week_batch_size": 1024,
    "week_speed": 1.0,
}

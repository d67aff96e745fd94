"""The shops that are lived through, each with its learner, its days and its ways to learn."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from benchmarks import made_up_shop, ta_feng
from benchmarks.learning_ways import Settings, Way, ablation, faster, main_ways, rules
from benchmarks.regimes import make_place, shop_days
from lightning_modules.learner import Learner, ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists
from tasks import learners
from tasks.params import GateParams, load_params
from tasks.update import UpdateSettings

WORKSPACE = Path(".workspaces/bench-learning")
FIRST, LAST = dt.date(2017, 10, 1), dt.date(2017, 12, 31)
MONTH = dt.date(2017, 10, 31)
QUICK_DAYS = 14
SOME = (", naive", "asynchronous, 4 in cache", "and replay")  # ways where each costs minutes
EMBEDDED, MADE_UP = "Complete Journey", "A made-up shop with four drifts"
# Chosen on September 2017: where rows are all there is, they must move.
EMBEDDING_RATES = {"learning_rate": 1e-3, "embedding_learning_rate": 3e-3}


class TaughtLearner(Learner, Protocol):
    """A learner whose parameters can be put in another's place."""

    parameters: Parameters

    @property
    def settings(self) -> Any:
        """What it was told."""
        ...


class EmbeddingLearner(RecommendationLearner):
    """The ranker without any feature: a user's, an item's row and a bias are all it knows.

    Candidates still come from the state, but what is known of them only from the parameters.
    """

    def examples(self, day: ShopDay, *, whole: bool = True) -> Lists:
        """The day's lists with every feature zero."""
        lists = super().examples(day, whole=whole)
        return replace(lists, features=np.zeros_like(lists.features))

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        """An empty learner with rows that are wide enough to know something."""
        return super().new({"width": 32, **settings})


@dataclass(frozen=True)
class Shop:
    """A shop: `days` from its beginning; `fit_from` and `first` are fitted and scored from."""

    name: str
    about: str
    application: str
    learner: type[TaughtLearner]
    days: Callable[[], Iterator[ShopDay]]
    fit_from: dt.date
    first: dt.date
    last: dt.date
    settings: Settings
    fit: Settings
    update: Settings
    gate: GateParams
    ways: list[Way]
    holdout_share: float = 0.2
    drifts: dict[str, dt.date] = field(default_factory=dict)

    def updated(self, way: Way) -> Settings:
        """An increment's settings as the way changes them."""
        return {**self.update, **(way.update or {})}


def _embedded(name: str, application: str, about: str, ways: list[Way], quick: bool) -> Shop:
    """An application of params.yaml on the embedded shop."""
    section = load_params().application(application)
    last = FIRST + dt.timedelta(QUICK_DAYS - 1) if quick else LAST
    place = WORKSPACE / ("quick" if quick else "full")
    update = section.fine_tune.model_dump(exclude_none=True)

    def days() -> Iterator[ShopDay]:
        make_place(place, last)
        yield from shop_days(place, last)

    return Shop(
        name=name,
        about=about,
        application=application,
        learner=learners.learner_class(section),  # type: ignore[arg-type]
        days=days,
        fit_from=FIRST - dt.timedelta(section.bootstrap.days),
        first=FIRST,
        last=last,
        settings=section.settings,
        fit=section.bootstrap.fit,
        update=update,
        gate=section.gate,
        ways=ways,
        holdout_share=section.holdout_share,
    )


def _usual() -> UpdateSettings:
    return load_params().application("recommendation").fine_tune


def _recommendation(quick: bool) -> Shop:
    ways = [*main_ways(2), *rules(_usual()), *ablation(faster(_usual()))]
    return _embedded("recommendation", "recommendation", f"{EMBEDDED}.", _few(ways, quick), quick)


def _embedding(quick: bool) -> Shop:
    some = [way for way in (*rules(_usual()), *ablation({})) if way.name.endswith(SOME)]
    ways = [*main_ways(1), *some]
    about = f"{EMBEDDED}, without any feature: parameters, not counters, carry the knowledge."
    shop = _embedded("embedding", "recommendation", about, _few(ways, quick), quick)
    return replace(shop, learner=EmbeddingLearner, update={**shop.update, **EMBEDDING_RATES})


def _behavior(quick: bool) -> Shop:
    """One month: a full retrain of behavior takes minutes."""
    shop = _embedded("behavior", "behavior", f"{EMBEDDED}.", main_ways(1), quick)
    return replace(shop, last=min(shop.last, MONTH))


def _pricing(quick: bool) -> Shop:
    return _embedded("pricing", "pricing", f"{EMBEDDED}.", main_ways(1 if quick else 3), quick)


def _ta_feng(quick: bool) -> Shop:
    """Four months of another supermarket, with the embedded shop's settings."""
    first = dt.date(2000, 12, 15)
    last = first + dt.timedelta(QUICK_DAYS - 1) if quick else dt.date(2001, 2, 28)
    shop = _embedded("ta_feng", "recommendation", "Ta Feng,", main_ways(1 if quick else 3), quick)
    return replace(
        shop,
        days=lambda: iter(ta_feng.read_days(None, last)),
        fit_from=dt.date(2000, 11, 2),
        first=first,
        last=last,
        settings={},
    )


def _made_up(quick: bool) -> Shop:
    """The made-up shop, for the ranker with its features."""
    ways = _few([*main_ways(3), *rules(_usual()), *ablation(faster(_usual()))], quick)
    shop = _embedded("made_up", "recommendation", f"{MADE_UP},", ways, quick)
    return _with_drifts(shop, quick)


def _made_up_embedding(quick: bool) -> Shop:
    ways = _few([*main_ways(3), *rules(_usual()), *ablation({})], quick)
    about = f"{MADE_UP}, for the ranker without any feature."
    shop = _embedded("made_up_embedding", "recommendation", about, ways, quick)
    update = {**shop.update, **EMBEDDING_RATES}
    return replace(_with_drifts(shop, quick), learner=EmbeddingLearner, update=update)


def _few(ways: list[Way], quick: bool) -> list[Way]:
    """For the short form the main ways once, a rule and one way to keep."""
    once = [replace(way, seeds=1) for way in ways]
    return [*once[:5], once[8], once[-1]] if quick else ways


def _with_drifts(shop: Shop, quick: bool) -> Shop:
    first = made_up_shop.FIRST_DAY + dt.timedelta(made_up_shop.LEARNED)
    count = made_up_shop.LEARNED + 2 * QUICK_DAYS if quick else made_up_shop.DAYS
    last = made_up_shop.FIRST_DAY + dt.timedelta(count - 1)
    return replace(
        shop,
        days=lambda: made_up_shop.shop_days(days=count),
        fit_from=made_up_shop.FIRST_DAY + dt.timedelta(1),
        first=first,
        last=last,
        settings={"width": 8},
        drifts={name: day for name, day in made_up_shop.DRIFTS.items() if day <= last},
    )


SHOPS: dict[str, Callable[[bool], Shop]] = {
    "recommendation": _recommendation,
    "embedding": _embedding,
    "behavior": _behavior,
    "pricing": _pricing,
    "ta_feng": _ta_feng,
    "made_up": _made_up,
    "made_up_embedding": _made_up_embedding,
}

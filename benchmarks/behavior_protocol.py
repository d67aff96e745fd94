"""The rows that other methods were measured on, drawn again: absolute figures are comparable.

The protocol's figures are of 12,000 of 2,469 x 60 (household, category) pairs a day: every
household of the year, by number; the 60 categories bought on most household-days before the days
measured; uniform without replacement, one draw after the other from one generator. A pair of a
household that has not bought yet is left out. How much lies in the rows alone is seen in counting:
on another draw over categories of an earlier date it was .0020 lower in the AUC of the week.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.behavior_rows import ROWS_A_DAY, Sample
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.happened import Happened, happened, item_categories
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import ShopDay

CATEGORIES = 60
DRAWN_AFTER = 60  # days of the shop
SEED = 0


@dataclass
class ProtocolRows:
    """Draws the rows of a day.

    `households` (H,) are ids in order of their numbers, `since` (H,) says when each bought first;
    `column` (K,) is the learner's column of each category, the most frequent first, and `kinds`
    how many columns the learner has. `vocabulary` (kinds,) is the row of each column's category.
    """

    begin: dt.date
    households: NDArray[np.object_]
    since: NDArray[np.object_]
    column: NDArray[np.int64]
    vocabulary: NDArray[np.int32]
    size: int = ROWS_A_DAY
    drawn: list[NDArray[np.int64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(SEED)

    def __call__(self, day: dt.date, units: UserDays) -> Sample:
        """The day's rows in the order drawn; raises ValueError before the first draw."""
        number = (day - self.begin).days
        if number < 0:
            raise ValueError(f"{day}: the protocol draws rows from {self.begin} on")
        pairs = len(self.households) * len(self.column)
        while len(self.drawn) <= number:
            size = min(self.size, pairs)
            self.drawn.append(self.generator.choice(pairs, size, replace=False))
        household, category = np.divmod(self.drawn[number], len(self.column))
        known = self.since[household] < day
        household, category = household[known], category[known]
        unit_of = {name: unit for unit, name in enumerate(units.unit_ids)}
        unit = np.array([unit_of[self.households[one]] for one in household], np.int64)
        column = self.column[category]
        own = np.flatnonzero(units.views.buy_1 >= 0)
        place = own[unit * len(self.vocabulary) + column]
        return Sample(place, units.users[unit].astype(np.int64), column)


def protocol_rows(
    days: Iterable[ShopDay], first: dt.date, *, settings: dict[str, Any], learn_from: dt.date
) -> ProtocolRows:
    """The protocol on the shop's days, of which those from `first` on are measured.

    Raises:
        ValueError: if a learner of these settings, with its first examples on `learn_from`, does
            not judge all the categories.
    """
    learner, bought, begin = BehaviorLearner.new(settings), Bought(), None
    for shop_day in days:
        day = shop_day.day
        begin = begin or day + dt.timedelta(DRAWN_AFTER)
        today = happened(shop_day, learner.known.words.item_category)
        bought.take(day, today, day < first)
        if day < learn_from:
            learner.absorb(shop_day, None, None)
        elif day == learn_from:
            learner.examples(shop_day)
        learner.known.words.item_category.update(item_categories(shop_day.items))
    if begin is None:
        raise ValueError("there is no day to draw rows of")
    words, rows = learner.known.words, learner.known.categories
    names = np.array(list(words.categories.row_of), object)[rows]
    columns = {name: column for column, name in enumerate(names)}
    wanted = bought.most_frequent(CATEGORIES, learner.settings.not_judged)
    if missing := [name for name in wanted if name not in columns]:
        raise ValueError(
            f"the learner does not judge {missing}: raise its setting `categories` (now "
            f"{learner.settings.categories}), as its own are those of {learn_from}"
        )
    households = sorted(bought.since, key=lambda name: (len(name), name))
    return ProtocolRows(
        begin=begin,
        households=np.array(households, object),
        since=np.array([bought.since[name] for name in households], object),
        column=np.array([columns[name] for name in wanted], np.int64),
        vocabulary=rows,
    )


@dataclass
class Bought:
    """Since when each household buys, and on how many household-days each category was bought."""

    since: dict[str, dt.date] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)

    def take(self, day: dt.date, today: Happened, counted: bool) -> None:
        """Note a day's purchases."""
        user, category = today.user[today.bought], today.category[today.bought]
        for one in np.unique(user):
            self.since.setdefault(today.user_ids[one], day)
        if counted:
            pairs = set(zip(user.tolist(), category.tolist(), strict=True))
            for _, name in pairs:
                self.days[name] = self.days.get(name, 0) + 1

    def most_frequent(self, count: int, left_out: Iterable[str]) -> list[str]:
        """The categories of most household-days, first the most frequent.

        Of equals the later name is first, as it was when the bars were measured.
        """
        named = [name for name in self.days if name and name not in set(left_out)]
        return sorted(named, key=lambda name: (self.days[name], name), reverse=True)[:count]

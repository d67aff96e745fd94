"""The type and the category of a user's next event: what a learner says beside counting."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from benchmarks import findings
from benchmarks.browsing_rivals import Counts
from benchmarks.browsing_rows import (
    CHAMPION,
    FROZEN,
    MAJORITY,
    MARKOV,
    MOST_TYPES,
    OWN,
    Floats,
    Ints,
    Judged,
)
from benchmarks.findings import Finding
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.happened import happened
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.views import Views
from lightning_modules.learner import ShopDay

ANY, OPENS, LATER = "any event", "first event of a day", "later event of a day"
BEGINNING = "first event of a day or none"
LAST_AGAIN, POPULAR = "last category again", "popular categories"
LISTS = (1, 3)


@dataclass
class Types:
    """What was said of each known user's events; the rows of BEGINNING are all known users."""

    counts: Counts = field(default_factory=Counts)
    judged: dict[str, Judged] = field(
        default_factory=lambda: {name: Judged() for name in (ANY, OPENS, LATER, BEGINNING)}
    )
    categories: Counter[int] = field(default_factory=Counter)
    hits: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    rows: int = 0

    def score(self, day: ShopDay, units: UserDays, learners: dict[str, BehaviorLearner]) -> None:
        """Judge every method on the day, which nobody has learned yet."""
        views = units.todays_part().views
        some = views.take(views.next_kind[:, 0] > 0)
        kinds, users = some.next_kind.astype(np.int64), some.user.astype(np.int64)
        if len(some) == 0:
            return
        whole, said = self.counts.of_the_start(day.day), self.counts.of_the_day(users, kinds)
        for name, learner in learners.items():
            said[name] = next_types(learner, some)
            whole[name] = served(learner, day.day, len(views))
        there, first = kinds > 0, np.arange(kinds.shape[1]) == 0
        for where, rows in ((ANY, there), (OPENS, there & first), (LATER, there & ~first)):
            chances = {name: chance[rows] for name, chance in said.items()}
            self.judged[where].take(day.day, kinds[rows], chances)
        self.judged[BEGINNING].take(day.day, views.next_kind[:, 0].astype(np.int64), whole)
        self._lists(some, learners)

    def learn(self, day: ShopDay, learner: BehaviorLearner) -> None:
        """Count the day, which the learner has taken in."""
        words = learner.known.words
        today = happened(day, words.item_category)
        user = words.users.find(today.user_ids)[today.user]
        self.counts.learn(day.day, user, words.types.find(today.kind))
        self.categories.update(words.categories.find(today.category).tolist())

    def findings(self, series: str, seconds: Mapping[str, float]) -> list[Finding]:
        """All figures; `series` names the days."""
        found: list[Finding] = []
        for where, judged in self.judged.items():
            found += judged.findings(f"type of {where}, {series}", seconds)
        for (method, size), daily in self.hits.items():
            values = np.array(daily)
            found.append(
                Finding(
                    measure=f"hit@{size}, category of {OPENS}, {series}",
                    application="behavior",
                    method=method,
                    value=float(values.mean()),
                    unit="share",
                    interval=findings.day_interval(values),
                    days=len(values),
                    rows=self.rows,
                )
            )
        return found

    def by_day(self) -> str:
        """Accuracy and log loss of the next type by day, and the number of events."""
        judged, methods = self.judged[ANY], (CHAMPION, FROZEN, MAJORITY, MARKOV, OWN)
        columns = [judged.accuracy(one) for one in methods]
        columns += [judged.log_loss(one) for one in methods]
        head = [f"{measure}, {one}" for measure in ("acc.", "loss") for one in methods]
        rows = [
            (str(day), f"{len(truth):,}", *(f"{values[place]:.4f}" for values in columns))
            for place, (day, truth) in enumerate(judged.truth.items())
        ]
        return findings.markdown(("day", "events", *head), rows)

    def _lists(self, some: Views, learners: dict[str, BehaviorLearner]) -> None:
        """Hits of short lists in the first event's category; a rival's places, then popularity."""
        came = some.next_category[:, 0] > 0
        some = some.take(came)
        if len(some) == 0:
            return
        self.rows += len(some)
        width = max(max(self.categories), int(some.past_category.max())) + 1
        popular = np.zeros(width)
        for row, count in self.categories.items():
            popular[row] = count
        popular[0] = -1
        again = np.tile(popular, (len(some), 1))
        again[np.arange(len(some)), some.past_category[:, -1]] += popular.max() + 1
        ranked = {POPULAR: np.tile(popular, (len(some), 1)), LAST_AGAIN: again}
        ranked |= {name: next_categories(learner, some) for name, learner in learners.items()}
        for method, scores in ranked.items():
            best = np.argsort(-scores, axis=1, kind="stable")
            for size in LISTS:
                hit = (best[:, :size] == some.next_category[:, :1]).any(axis=1)
                self.hits.setdefault((method, size), []).append(float(hit.mean()))


@torch.inference_mode()
def next_types(learner: BehaviorLearner, views: Views) -> Floats:
    """The chance of each type for each of the day's first n events (G, n, MOST_TYPES).

    What is said of an event knows the ones before it, as training does: the memory goes on, the
    user's vector is that of the day's beginning. That no event comes is left out.
    """
    from lightning_modules.behavior.weights import to_batch, to_network

    network = to_network(learner.parameters, learner.settings)
    vector = network.seen(to_batch(views)).vector
    found = np.zeros((*views.next_kind.shape, MOST_TYPES))
    for place in range(found.shape[1]):
        memory = network.seen(to_batch(_later(views, place))).memory
        chance = network.choices("kind", torch.cat([memory, vector], 1)).softmax(1).double()
        chance[:, 0] = 0
        found[:, place, : chance.shape[1]] = (chance / chance.sum(1, keepdim=True)).numpy()
    return found


def served(learner: BehaviorLearner, day: dt.date, users: int) -> Floats:
    """What the table `next_event` says of each user's day (H, MOST_TYPES); 0 is no event."""
    from lightning_modules.behavior.outputs import NO_EVENT

    table, words = learner.outputs(day)["next_event"], learner.known.words
    place = {NO_EVENT: 0} | {name: row for name, row in words.types.row_of.items() if row}
    types: Ints = np.array([place[name] for name in table["event_type"]], np.int64)
    found = np.zeros((users, MOST_TYPES))
    found[words.users.find(table["user_id"]), types] = table["probability"]
    return found


@torch.inference_mode()
def next_categories(learner: BehaviorLearner, views: Views) -> Floats:
    """The chance of each category of the day's first event (G, K); 0 for none."""
    from lightning_modules.behavior.weights import to_batch, to_network

    network = to_network(learner.parameters, learner.settings)
    seen = network.seen(to_batch(views))
    chance = network.choices("category", seen.context, seen.habit).softmax(1).double()
    chance[:, 0] = 0
    found: Floats = chance.numpy()
    return found


def _later(views: Views, place: int) -> Views:
    """The same users after the first `place` events of the day, whose minutes nobody kept."""
    longer = {
        f"past_{part}": np.concatenate(
            [getattr(views, f"past_{part}"), getattr(views, f"next_{part}")[:, :place]], axis=1
        )
        for part in ("kind", "category", "term")
    }
    gaps = np.pad(views.past_gap, ((0, 0), (0, place), (0, 0)))
    return views.but(past_gap=gaps, **longer)

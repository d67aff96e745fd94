"""What people search next: the learner's query head beside counting terms, on the same queries."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.browsing_rows import CHAMPION, Floats
from benchmarks.findings import SEED, Finding
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.happened import NOTHING, happened
from lightning_modules.behavior.known import Known
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.words import words_of
from lightning_modules.learner import ShopDay

POPULAR, OWN = "popular terms", "own earlier terms"
SHORT_LIST = 10
PRIOR = 2.0
DRAWS = 10_000


@dataclass
class Queries:
    """The first query of each known user's day: rows by method, and the counts so far."""

    hits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    losses: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    users: list[str] = field(default_factory=list)
    users_of_losses: list[str] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    of_strangers: int = 0
    terms: int = 0
    unseen: int = 0
    newcomers: int = 0
    shop: Counter[str] = field(default_factory=Counter)
    own: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def score(self, day: ShopDay, units: UserDays, learners: dict[str, BehaviorLearner]) -> None:
        """Judge every method on the day, which nobody has learned yet."""
        known = learners[CHAMPION].known
        asked = first_queries(day)
        told = {name: _said_by(learner, day, units) for name, learner in learners.items()}
        for user, query in asked.items():
            words = words_of(query)[: known.settings.terms]
            if known.words.users.row_of.get(user) is None:
                self.of_strangers += 1
                continue
            self.users.append(user)
            self.days.add(str(day.day))
            self.terms += len(words)
            self.unseen += sum(word not in self.shop for word in words)
            counted = self._counted(known, user, query)
            for name, (lists, _) in told.items():
                self._hit(name, lists.get(user, []), words)
            for name, (best, _) in counted.items():
                self._hit(name, best, words)
            if _has_rows(learners[CHAMPION], query):
                self.users_of_losses.append(user)
                self.losses[CHAMPION].append(told[CHAMPION][1][user])
                for name, (_, loss) in counted.items():
                    self.losses[name].append(loss)

    def learn(self, day: ShopDay, learner: BehaviorLearner) -> None:
        """Count the day's terms."""
        rows, width = day.events[day.events["query"].notna()], learner.settings.terms
        known = set(self.shop)
        for user, query in zip(rows["user_id"], rows["query"], strict=True):
            words = words_of(query)[:width]
            self.newcomers += sum(word not in known for word in words)
            self.shop.update(words)
            self.own[user].update(words)

    def findings(self, seconds: dict[str, float]) -> list[Finding]:
        """Hits, log losses, the champion's leads; intervals resample users."""
        found = []
        for measure, by_method, users in (
            ("hit@10 of terms", self.hits, self.users),
            ("log loss of terms", self.losses, self.users_of_losses),
        ):
            values = {method: np.array(rows, np.float64) for method, rows in by_method.items()}
            for other in [name for name in values if name != CHAMPION]:
                values[f"{CHAMPION} - {other}"] = values[CHAMPION] - values[other]
            bar = float(values[POPULAR].mean())
            for method, rows in values.items():
                value, nats = float(rows.mean()), measure.startswith("log")
                judged = method == CHAMPION
                found.append(
                    Finding(
                        measure=f"{measure}, first query of a known user's day",
                        application="behavior",
                        method=method,
                        value=value,
                        unit="nats" if nats else "share",
                        interval=user_interval(rows, np.array(users)),
                        days=len(self.days),
                        rows=len(rows),
                        cpu_seconds=seconds.get(method),
                        bar=bar if judged else None,
                        met=(value <= bar if nats else value >= bar) if judged else None,
                    )
                )
        return found

    def note(self) -> str:
        """What the figures rest on."""
        share = self.unseen / max(self.terms, 1)
        return (
            f"Queries: {len(self.users)} first ones of a day by {len(set(self.users))} users who "
            f"had come before; {self.of_strangers} by users who had not, of whom the learner says "
            f"nothing. {self.unseen} of {self.terms} terms ({share:.0%}) had never been typed: "
            "they share rows by hash, and no list can name them. Log losses are of the "
            f"{len(self.users_of_losses)} queries all of whose terms have a row in the champion's "
            "tables: a word gets a number at the end of its first day but a row only in the next "
            "increment, and frozen parameters never get one."
        )

    def _hit(self, method: str, best: list[str], words: list[str]) -> None:
        self.hits[method].append(float(bool(set(best[:SHORT_LIST]) & set(words))))

    def _counted(self, known: Known, user: str, query: str) -> dict[str, tuple[list[str], float]]:
        """Lists of terms, and the mean log loss over the learner's own rows of terms."""
        popular = [term for term, _ in self.shop.most_common()]
        own = [term for term, _ in self.own[user].most_common()]
        shares = _by_row(known, self.shop) + 1
        shares[: known.words.buckets] += self.newcomers / known.words.buckets
        shares /= shares.sum()
        mine = _by_row(known, self.own[user])
        mine = (mine + PRIOR * shares) / (mine.sum() + PRIOR)
        rows = known.words.term_rows(np.array([query], object), known.settings.terms)[0]
        at = rows[rows > 0] - 1
        return {
            POPULAR: (popular, float(-np.log(shares[at]).mean())),
            OWN: (
                [*own, *(term for term in popular if term not in own)],
                float(-np.log(mine[at]).mean()),
            ),
        }


def first_queries(day: ShopDay) -> dict[str, str]:
    """The first query with a word in it of each user's day, among the user's first events."""
    today = happened(day, {})
    found: dict[str, str] = {}
    for user, query in zip(today.user, today.query, strict=True):
        if query != NOTHING and words_of(query):
            found.setdefault(today.user_ids[user], query)
    return found


def user_interval(rows: Floats, users: NDArray[np.str_]) -> tuple[float, float]:
    """95% percentile interval of the mean, users resampled with all their rows."""
    _, at = np.unique(users, return_inverse=True)
    total, count = np.bincount(at, weights=rows), np.bincount(at)
    drawn = np.random.default_rng(SEED).integers(len(count), size=(DRAWS, len(count)))
    means = total[drawn].sum(1) / count[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _said_by(
    learner: BehaviorLearner, day: ShopDay, units: UserDays
) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Each user's ten likeliest terms, and the log loss of the first query where there is one."""
    table = learner.outputs(day.day).get("next_query")
    lists: dict[str, list[str]] = defaultdict(list)
    if table is not None:
        for user, term in zip(table["user_id"], table["term"], strict=True):
            lists[user].append(term)
    quality = learner.quality(units, learner.scores(units))
    losses = zip(quality["unit"], quality["next_query_log_loss"], strict=True)
    return lists, {str(user): float(loss) for user, loss in losses}


def _has_rows(learner: BehaviorLearner, query: str) -> bool:
    """Whether the parameters have a row for each of its terms."""
    rows = learner.known.words.term_rows(np.array([query], object), learner.settings.terms)
    return int(rows.max()) < len(learner.parameters.weights["term.weight"])


def _by_row(known: Known, counts: Counter[str]) -> Floats:
    """Counts of terms by the rows the learner has for them, the shared ones first."""
    found = np.zeros(known.words.term_count - 1)
    if counts:
        rows = known.words.term_rows(np.array(list(counts), object), 1)[:, 0]
        np.add.at(found, rows - 1, np.array(list(counts.values()), np.float64))
    return found

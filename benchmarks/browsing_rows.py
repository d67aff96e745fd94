"""What was foretold of the next event's type, row by row, and how well: all on the same rows.

Types are numbered as in the learner's vocabulary: 0 is no event, a new type gets the next number.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.findings import SEED, DifferentRowsError, Finding, day_interval

CHAMPION, FROZEN = "champion", "frozen"
MAJORITY, MARKOV, OWN = "majority", "markov", "own"
MOST_TYPES = 16
SMALLEST = 1e-6
DRAWS = 1000
ACCURACY, LOG_LOSS = "accuracy", "log loss"
MACRO_F1, BALANCED = "macro-F1", "balanced accuracy"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Judged:
    """Rows by day: the type that came (N,), and what each method said of it (N, MOST_TYPES)."""

    truth: dict[dt.date, Ints] = field(default_factory=dict)
    said: dict[str, dict[dt.date, Floats]] = field(default_factory=dict)

    def take(self, day: dt.date, truth: Ints, said: Mapping[str, Floats]) -> None:
        """Take a day's rows, if any; raises DifferentRowsError unless all spoke of each."""
        if len(truth) == 0:
            return
        self.truth[day] = truth
        for method, chance in said.items():
            if len(chance) != len(truth):
                raise DifferentRowsError(
                    f"{day}: {method} speaks of {len(chance)} rows, not of {len(truth)}; give "
                    "every method the same rows"
                )
            self.said.setdefault(method, {})[day] = chance

    @property
    def rows(self) -> int:
        """How many rows there are on all days."""
        return sum(len(truth) for truth in self.truth.values())

    def accuracy(self, method: str) -> Floats:
        """Share of rows whose likeliest type came, by day (D,)."""
        said = self.said[method]
        hits = [(said[day].argmax(1) == truth).mean() for day, truth in self.truth.items()]
        return np.array(hits, np.float64)

    def log_loss(self, method: str) -> Floats:
        """Minus the logarithm of the chance of what came, means by day (D,)."""
        means = []
        for day, truth in self.truth.items():
            chance = self.said[method][day][np.arange(len(truth)), truth]
            means.append(-np.log(np.maximum(chance, SMALLEST)).mean())
        return np.array(means, np.float64)

    def confusion(self, method: str) -> Floats:
        """Number of rows by type that came and by likeliest type, for each day (D, K, K)."""
        tables = np.zeros((len(self.truth), MOST_TYPES, MOST_TYPES))
        for place, (day, truth) in enumerate(self.truth.items()):
            np.add.at(tables[place], (truth, self.said[method][day].argmax(1)), 1.0)
        return tables

    def findings(self, where: str, seconds: Mapping[str, float]) -> list[Finding]:
        """Every method's figures, and the champion's lead over each other one, paired by day."""
        found: list[Finding] = []

        def told(measure: str, method: str, daily: Floats, bar: float | None = None) -> None:
            value, lower = float(daily.mean()), measure == LOG_LOSS
            met = None if bar is None else (value <= bar if lower else value >= bar)
            found.append(self._finding(measure, where, method, value, day_interval(daily)))
            found[-1] = found[-1].model_copy(
                update={"bar": bar, "met": met, "cpu_seconds": seconds.get(method)}
            )

        for measure, of_days in ((ACCURACY, self.accuracy), (LOG_LOSS, self.log_loss)):
            daily = {method: of_days(method) for method in self.said}
            best = min if measure == LOG_LOSS else max
            bar = best(float(daily[MAJORITY].mean()), float(daily[MARKOV].mean()))
            for method, values in daily.items():
                told(measure, method, values, bar if method == CHAMPION else None)
            for other in [name for name in daily if name != CHAMPION]:
                told(measure, f"{CHAMPION} - {other}", daily[CHAMPION] - daily[other])
        for method in self.said:
            tables = self.confusion(method)
            for measure, of in ((MACRO_F1, macro_f1), (BALANCED, balanced)):
                interval = _redrawn(tables, of)
                found.append(self._finding(measure, where, method, of(tables.sum(0)), interval))
        return found

    def _finding(
        self, measure: str, where: str, method: str, value: float, interval: tuple[float, float]
    ) -> Finding:
        return Finding(
            measure=f"{measure}, {where}",
            application="behavior",
            method=method,
            value=value,
            unit="nats" if measure == LOG_LOSS else "share",
            interval=interval,
            days=len(self.truth),
            rows=self.rows,
        )


def macro_f1(table: Floats) -> float:
    """Mean F1 of the types that came; `table` has what came in its rows, what was told across."""
    came, told = table.sum(1), table.sum(0)
    scores = 2 * np.diag(table) / np.maximum(came + told, 1)
    return float(scores[came > 0].mean())


def balanced(table: Floats) -> float:
    """Mean recall of the types that came."""
    came = table.sum(1)
    return float((np.diag(table)[came > 0] / came[came > 0]).mean())


def _redrawn(tables: Floats, of: Callable[[Floats], float]) -> tuple[float, float]:
    """95% percentile interval of a figure of all rows, days resampled."""
    drawn = np.random.default_rng(SEED).integers(len(tables), size=(DRAWS, len(tables)))
    low, high = np.percentile([of(tables[days].sum(0)) for days in drawn], [2.5, 97.5])
    return float(low), float(high)

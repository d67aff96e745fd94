"""What is measured of an increment's cost, and whether that grows with history."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks import findings
from benchmarks.findings import Finding

PARTS = ("load", "examples", "scores", "fine_tune", "absorb", "save")
ALL = "all"
SAME, OWN = "the same rows", "its own days"
MOST = 1.10  # times the early cost


@dataclass(frozen=True)
class Span:
    """Days of the shop by number, from 1; `points` are the last days that the copies know.

    Their distances are whole weeks. `spool_from` to `fit` are the days of the first fit, `same`
    the days that every copy takes in, `around` those of the line's own that are timed before and
    after the middle one of these. Of the last `memory` days before a point the memories take
    examples, as every night, until they are full; days before these are only counted in the state.
    """

    points: dict[str, int] = field(
        default_factory=lambda: {"day 30": 27, "day 160": 27 + 19 * 7, "day 300": 27 + 39 * 7}
    )
    spool_from: int = 8
    fit: int = 20
    memory: int = 60
    same: int = 5
    around: int = 3
    rounds: int = 3

    @property
    def early(self) -> str:
        """The name of the first point."""
        return next(iter(self.points))

    @property
    def late(self) -> str:
        """The name of the last one."""
        return list(self.points)[-1]

    @property
    def last(self) -> int:
        """The last day that the line lives."""
        return self.points[self.late] + self.same + self.around

    def seen(self, number: int) -> bool:
        """Whether the memories take examples of a day."""
        points = self.points.values()
        return number >= self.spool_from and any(
            -self.same - 2 * self.around <= point - number < self.memory for point in points
        )

    def near(self, number: int) -> str | None:
        """The first or last point, if a day is around it."""
        for name in (self.early, self.late):
            if abs(number - self.points[name] - self.same // 2 - 1) <= self.around:
                return name
        return None


QUICK = Span({"day 24": 22, "day 38": 36}, same=2, around=1, rounds=1)


@dataclass
class Spent:
    """CPU seconds of each part of an increment, day after day."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextlib.contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Within the block, CPU time is the part's."""
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[part].append(time.process_time() - began)

    def each(self) -> dict[str, NDArray[np.float64]]:
        """Of every day (D,): each part, and all together."""
        parts = {part: np.array(self.seconds[part], np.float64) for part in PARTS}
        return {**parts, ALL: np.sum(list(parts.values()), axis=0)}


@dataclass
class Growth:
    """What was measured of one application.

    `spent[kind, point]` are seconds; `sizes[point]` rows and bytes by name; `events` the rows of
    the days that every copy takes in.
    """

    application: str
    span: Span
    spent: dict[tuple[str, str], Spent] = field(default_factory=lambda: defaultdict(Spent))
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    events: int = 0


def medians(growth: Growth, kind: str, point: str) -> dict[str, float]:
    """CPU seconds of each part, and of all together, on the median day."""
    each = growth.spent[kind, point].each()
    return {part: float(np.median(seconds)) for part, seconds in each.items()}


def ratio_interval(growth: Growth, part: str, point: str) -> tuple[float, float]:
    """Least and most of the rounds' ratios, late to `point`, of the same rows."""
    span = growth.span
    late, early = (
        np.median(growth.spent[SAME, name].each()[part].reshape(span.rounds, -1), axis=1)
        for name in (span.late, point)
    )
    return float((late / early).min()), float((late / early).max())


def figures(growth: Growth) -> list[Finding]:
    """Seconds at every point, late in terms of early against the bar, and what grew."""
    span, found = growth.span, []
    for kind, points in ((SAME, list(span.points)), (OWN, [span.early, span.late])):
        seconds = {point: medians(growth, kind, point) for point in points}
        for part in (*PARTS, ALL):
            name = f"CPU of {part}, {kind}"
            found += [_finding(growth, name, point, seconds[point][part], "s") for point in points]
            for point in points[:-1]:
                ratio = seconds[span.late][part] / seconds[point][part]
                one = _finding(growth, name, f"{span.late} / {point}", ratio, "ratio")
                if kind == SAME:
                    more = {"interval": ratio_interval(growth, part, point)}
                    one = one.model_copy(update=more)
                if kind == SAME and point == span.early:
                    one = one.model_copy(update={"bar": MOST, "met": ratio <= MOST})
                found.append(one)
    for point, sizes in growth.sizes.items():
        for name, size in sizes.items():
            unit = "bytes" if name.startswith("bytes") else "rows"
            found.append(_finding(growth, name, point, size, unit))
    return found


def _finding(growth: Growth, measure: str, method: str, value: float, unit: str) -> Finding:
    return Finding(
        measure=measure, application=growth.application, method=method, value=value, unit=unit,
        days=growth.span.same, rows=growth.events,
    )  # fmt: skip


def table(growth: Growth) -> str:
    """Parts down; CPU milliseconds at every point, ratios, and how much of the growth each is."""
    span = growth.span
    same = {point: medians(growth, SAME, point) for point in span.points}
    own = {point: medians(growth, OWN, point) for point in (span.early, span.late)}
    early, late = same[span.early], same[span.late]
    between = list(span.points)[1:-1]
    rows: list[tuple[str, ...]] = []
    for part in (*PARTS, ALL):
        ratio, (low, high) = late[part] / early[part], ratio_interval(growth, part, span.early)
        rows.append(
            (
                part,
                *(f"{1000 * seconds[part]:.0f}" for seconds in same.values()),
                f"{ratio:.2f} ({low:.2f} to {high:.2f}) {'met' if ratio <= MOST else 'missed'}",
                f"{(late[part] - early[part]) / early[ALL]:+.1%}",
                *(f"{late[part] / same[point][part]:.2f}" for point in between),
                f"{own[span.late][part] / own[span.early][part]:.2f}",
            )
        )
    head = (
        f"{growth.application}, CPU ms",
        *span.points,
        f"{span.late} / {span.early}, bar {MOST:.2f}",
        f"more, of all at {span.early}",
        *(f"{span.late} / {point}" for point in between),
        f"{span.late} / {span.early}, {OWN}",
    )
    return "\n\n".join([findings.markdown(head, rows), _sizes(growth)])


def _sizes(growth: Growth) -> str:
    names = list(growth.sizes[growth.span.late])
    rows = [
        (name, *(f"{growth.sizes[point].get(name, 0):,}" for point in growth.sizes))
        for name in names
    ]
    return findings.markdown((f"{growth.application}, sizes", *growth.sizes), rows)

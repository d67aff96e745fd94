"""The cases that are compared, and what is said of them: throughput, staleness, quality."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks import findings
from benchmarks.findings import Finding, day_interval
from benchmarks.slow_worker import Applied
from lightning_modules.updates import Cache

APPLICATION, METRIC, LOSS = "recommendation", "ndcg@20", "loss"
WORKERS, SIZES, STALENESS = 2, (2, 4), (1, 2, 4)
SKIP = 24  # gradients, until every worker has delivered one: more than the largest cache * stale
EVEN, SLOW = "even workers", "one worker slow"
# Added to every so manieth batch of one worker, in times of a batch in one process.
DELAYS = {EVEN: (0.0, 0), SLOW: (4.0, 1)}
FASTER = 1.0  # times the synchronous rule's batches a second
AS_GOOD = 0.995  # of its quality


class LostGradientError(RuntimeError):
    """A gradient was not applied, or more than once."""


@dataclass(frozen=True)
class Case:
    """A rule and who computes."""

    cache: Cache

    @property
    def name(self) -> str:
        """In words."""
        told = self.cache
        who = f"{told.workers} workers" if told.workers else "one process"
        if not told.most_stale:
            return f"synchronous, cache {told.size}, {who}"
        order = "in order" if told.in_order else "any order"
        return f"cache {told.size}, at most {told.most_stale} stale, {order}"

    @property
    def synchronous(self) -> bool:
        """Whether gradients are those of the newest weights."""
        return not self.cache.most_stale


def _cases() -> list[Case]:
    found = []
    for size in SIZES:
        found += [Case(Cache(size)), Case(Cache(size, workers=WORKERS))]
        for in_order in (True, False):
            found += [Case(Cache(size, most, WORKERS, in_order)) for most in STALENESS]
    return found


CASES = _cases()
QUICK_CASES = [case for case in CASES if case.cache.size == 2 and case.cache.most_stale in (0, 2)]


@dataclass
class Runs:
    """What a case came to under one delay, run by run.

    `quality` and `loss` are held-out means by day (D,) of each run that was judged: in order there
    is one, since the bits are the same in every run, and under another delay too.
    """

    case: Case
    delay: str
    applied: list[Applied] = field(default_factory=list)
    quality: list[NDArray[np.float64]] = field(default_factory=list)
    loss: list[NDArray[np.float64]] = field(default_factory=list)

    def rates(self) -> NDArray[np.float64]:
        """Batches a second of each run."""
        return np.array([one.rate(SKIP) for one in self.applied])

    def histogram(self) -> dict[int, float]:
        """The share of the gradients of all runs by staleness."""
        whole = Applied(stale=[stale for one in self.applied for stale in one.stale])
        return whole.histogram()


def refuse_lost(applied: Applied, batches: int) -> None:
    """Raise LostGradientError unless every batch's gradient was applied once."""
    if sorted(applied.numbers) != list(range(batches)):
        raise LostGradientError(
            f"{len(applied.numbers)} gradients of {len(set(applied.numbers))} batches were "
            f"applied, there were {batches}"
        )


def rival_of(runs: Runs, every: Sequence[Runs], delay: str) -> Runs:
    """The synchronous rule with the same cache and two workers under a delay."""
    return next(
        one
        for one in every
        if one.delay == delay
        and one.case.synchronous
        and one.case.cache.workers
        and one.case.cache.size == runs.case.cache.size
    )


def figures(every: Sequence[Runs]) -> list[Finding]:
    """Throughput and quality in terms of the synchronous rule's with two workers; staleness."""
    found = []
    for runs in every:
        found += _throughput(runs, rival_of(runs, every, runs.delay))
        if not runs.case.synchronous:
            found += _staleness(runs)
        if runs.quality:
            found += _quality(runs, rival_of(runs, every, EVEN))
    return found


def _throughput(runs: Runs, rival: Runs) -> list[Finding]:
    rates, shares = runs.rates(), runs.rates() / rival.rates()
    applied = sum(len(one.numbers) for one in runs.applied)
    found = [_finding(runs, f"batches a second, {runs.delay}", rates, "1/s")]
    if runs is not rival:
        share = _finding(runs, f"throughput, of synchronous, {runs.delay}", shares, "ratio")
        if not runs.case.synchronous:
            judged = {"bar": FASTER, "met": share.value >= FASTER}
            share = share.model_copy(update=judged)
        found.append(share)
    once = np.array([float(applied)])
    found.append(_finding(runs, f"gradients applied once, {runs.delay}", once, "gradients"))
    return found


def _staleness(runs: Runs) -> list[Finding]:
    found = [
        _finding(runs, f"{stale} updates stale, {runs.delay}", np.array([share]), "share")
        for stale, share in runs.histogram().items()
    ]
    stalest = float(max(stale for one in runs.applied for stale in one.stale))
    most = runs.case.cache.most_stale
    one = _finding(runs, f"stalest, {runs.delay}", np.array([stalest]), "updates")
    return [*found, one.model_copy(update={"bar": float(most), "met": stalest <= most})]


def _quality(runs: Runs, rival: Runs) -> list[Finding]:
    days = len(runs.quality[0])
    found = []
    for name, mine, theirs in (
        (METRIC, runs.quality, rival.quality),
        (LOSS, runs.loss, rival.loss),
    ):
        daily, reference = np.mean(mine, axis=0), np.mean(theirs, axis=0)
        unit = "share" if name == METRIC else "nats"
        found.append(_finding(runs, f"{name}, {runs.delay}", np.array([daily.mean()]), unit))
        if runs is rival:
            continue
        share = float(daily.mean() / reference.mean())
        interval = day_interval((daily - reference) / reference.mean() + 1)
        judged = {}
        if name == METRIC and not runs.case.synchronous:
            judged = {"bar": AS_GOOD, "met": share >= AS_GOOD}
        one = _finding(runs, f"{name}, of synchronous, {runs.delay}", np.array([share]), "ratio")
        more = {"interval": interval, "days": days, **judged}
        found.append(one.model_copy(update=more))
    return found


def _finding(runs: Runs, measure: str, values: NDArray[np.float64], unit: str) -> Finding:
    """The median; with several runs, the least and the most of them."""
    several = (float(values.min()), float(values.max())) if len(values) > 1 else None
    return Finding(
        measure=measure,
        application=APPLICATION,
        method=runs.case.name,
        value=float(np.median(values)),
        unit=unit,
        interval=several,
        days=0,
        rows=sum(len(one.numbers) for one in runs.applied),
    )


def table(every: Sequence[Runs]) -> str:
    """Cases down; throughput under each delay, staleness and quality across."""
    by = {(one.case.name, one.delay): one for one in every}
    cells = {(one.method, one.measure): one for one in figures(every)}
    delays = list(dict.fromkeys(one.delay for one in every))
    rows = []
    for name in dict.fromkeys(one.case.name for one in every):
        rows.append(
            (
                name,
                *(_throughput_cell(cells, name, delay) for delay in delays),
                *(_shares(by.get((name, delay))) for delay in delays),
                *(_number(cells, name, f"{what}, {EVEN}") for what in (METRIC, LOSS)),
            )
        )
    head = (
        "", *(f"throughput, {delay}" for delay in delays),
        *(f"gradients 0, 1, 2 ... stale, {delay}" for delay in delays), METRIC, LOSS,
    )  # fmt: skip
    return findings.markdown(head, rows)


def _throughput_cell(cells: dict[tuple[str, str], Finding], name: str, delay: str) -> str:
    one = cells.get((name, f"throughput, of synchronous, {delay}"))
    if one is None:
        rate = cells.get((name, f"batches a second, {delay}"))
        return f"1 ({rate.value:.0f} a second)" if rate else ""
    spread = f" ({one.interval[0]:.2f} to {one.interval[1]:.2f})" if one.interval else ""
    return f"{one.value:.2f}{spread}" + ("" if one.met is not False else " lost")


def _shares(runs: Runs | None) -> str:
    if runs is None:
        return ""
    found = runs.histogram()
    return " ".join(f"{found.get(stale, 0):.0%}" for stale in range(max(found) + 1))


def _number(cells: dict[tuple[str, str], Finding], name: str, measure: str) -> str:
    one = cells.get((name, measure))
    return "" if one is None else f"{one.value:.4f}"

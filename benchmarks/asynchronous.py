"""What do gradients of older weights bring, with two workers, and when one of them is slow?

`make bench-asynchronous` lives through two months of the embedded shop, fits a first champion, and
then learns the same fortnight by each rule: synchronous in one process, synchronous with two
worker processes, asynchronous in order and in any order. Each again with one worker that is made
slow. In every round each case is run once, so that all see the same machine; the same worker
processes serve all cases, so that nobody waits for one to start. Writes
results/asynchronous.{json,md,svg}. `--quick` learns four days, by few rules and once, and is
not to be quoted.
"""

import argparse
import datetime as dt
import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning import Trainer

from benchmarks import asynchronous_figures as told
from benchmarks import findings
from benchmarks.asynchronous_figures import CASES, DELAYS, EVEN, METRIC, QUICK_CASES, Case, Runs
from benchmarks.regimes import make_place, shop_days
from benchmarks.slow_worker import Applied, Delay, Noting, Slowed
from lightning_modules.events import Events
from lightning_modules.gradients import Alone, Crew
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists, joined
from lightning_modules.recommendation.network import to_ranker
from lightning_modules.recommendation.sources import InMemory
from lightning_modules.schedule import Schedule
from lightning_modules.training import read_back
from lightning_modules.updates import Cache
from lightning_modules.workers import Workers
from tasks.params import load_params

log = logging.getLogger(__name__)

WORKSPACE = Path(".workspaces/bench-asynchronous")
FIT_FROM, LEARN_FROM = dt.date(2017, 1, 22), dt.date(2017, 2, 12)
TEST_FROM, LAST = dt.date(2017, 2, 26), dt.date(2017, 3, 4)
QUICK_LEARN_FROM = dt.date(2017, 2, 22)
ROUNDS = 3
BATCH = 16  # lists, as every night
# Of a first fit, not of a night: ten times a night's, so that stale gradients may do harm.
RULE = Schedule(learning_rate=1e-3, embedding_learning_rate=3e-3, batch_size=BATCH)
SEED = 1
NOTES = (
    f"Recommendation, {LEARN_FROM} to {TEST_FROM - dt.timedelta(days=1)} learned once in batches "
    f"of {BATCH} lists at ten times a night's rate, from the same first fit; judged on the lists "
    f"of {TEST_FROM} to {LAST}. Throughput is batches a second, after the first {told.SKIP}, as a "
    "ratio to the synchronous rule with two workers, the same cache and the same slow worker, in "
    "the same round; median (least to most) of the rounds. Every gradient of every run was "
    "applied once, or the benchmark would have stopped.",
    "One worker slow: each of its batches takes four batches more. It sleeps that long, so its "
    "core is free for the others.",
    "Three processes (two workers, and the one that cuts batches and makes updates) share two "
    "cores: with even workers nothing waits for long, and there is little for "
    "staleness to win. Ratios of one round are steadier than seconds.",
)


@dataclass(frozen=True)
class Lesson:
    """A learner with the first fit, what is to be learned, and days of lists to judge it on."""

    learner: RecommendationLearner
    new: Lists
    tests: tuple[Lists, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every case and write what it came to."""
    from benchmarks import asynchronous_plot  # matplotlib comes by `make peers` alone

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="four days, once; not to be quoted")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each case")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    place = (WORKSPACE / "days").resolve()
    make_place(place, LAST)
    lesson = prepared(place, QUICK_LEARN_FROM if given.quick else LEARN_FROM)
    cases = QUICK_CASES if given.quick else CASES
    every = compare(lesson, cases, 1 if given.quick else given.rounds)
    table = told.table(every)
    found = told.figures(every)
    published = findings.publish("asynchronous", found, table, notes=NOTES, quick=given.quick)
    asynchronous_plot.draw(every, findings.RESULTS / published.stem)
    log.info("%s", table)


def prepared(place: Path, learn_from: dt.date) -> Lesson:
    """Live through the days; fit on those from FIT_FROM, keep those from `learn_from`."""
    section = load_params().application(told.APPLICATION)
    learner = RecommendationLearner.new(section.settings)
    spool = WORKSPACE.resolve() / "spool"
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir()
    new: list[Lists] = []
    tests: list[Lists] = []
    for today in shop_days(place, LAST):
        seen = None if today.day < FIT_FROM else learner.examples(today)
        if seen is not None and today.day < LEARN_FROM:
            learner.spool(seen, spool / f"{today.day}.safetensors")
        elif seen is not None and today.day >= TEST_FROM:
            tests.append(seen)
        elif seen is not None and today.day >= learn_from:
            new.append(seen.take(seen.hit).training_part())
        learner.absorb(today, seen, None)
    learner.fit(spool, settings={**section.bootstrap.fit, "epochs": 1}, seed=SEED)
    # Rows for all that came since the fit, so that each case begins with the same tables.
    lists = joined(new)
    learner.fine_tune(lists.take(np.arange(BATCH)), np.zeros(BATCH, bool), update={}, seed=SEED)
    log.info("%d lists to learn, %d to judge by", len(lists), sum(map(len, tests)))
    return Lesson(learner, lists, tuple(tests))


def compare(lesson: Lesson, cases: Sequence[Case], rounds: int) -> list[Runs]:
    """Every case under every delay, round by round."""
    alone: Crew = Alone(_module(lesson, Delay()), versions=1)
    # The first of two runs pays for what a process does once.
    batch = 1 / [_run(lesson, Case(Cache()), alone)[0].rate(told.SKIP) for _ in range(2)][-1]
    log.info("a batch takes %.1f ms in one process", 1000 * batch)
    delays = {name: Delay(times * batch, often) for name, (times, often) in DELAYS.items()}
    crews: dict[str, Crew] = {name: _hired(lesson, delay) for name, delay in delays.items()}
    every = [Runs(case, delay) for delay in DELAYS for case in _cases(cases, delay)]
    try:
        for crew in crews.values():
            _run(lesson, Case(Cache(told.WORKERS, workers=told.WORKERS)), crew)
        for number in range(rounds):
            for runs in every:
                crew = crews[runs.delay] if runs.case.cache.workers else alone
                _once(lesson, runs, crew, judged=number == 0 and runs.delay == EVEN)
            log.info("round %d of %d", number + 1, rounds)
    finally:
        for crew in crews.values():
            crew.close()
    return every


def _cases(cases: Sequence[Case], delay: str) -> Iterator[Case]:
    """All of them; no worker is slow where there is none."""
    yield from (case for case in cases if case.cache.workers or delay == EVEN)


def _module(lesson: Lesson, delay: Delay) -> Slowed:
    before = lesson.learner.parameters
    return Slowed(to_ranker(before), before, RULE, delay)


def _hired(lesson: Lesson, delay: Delay) -> Workers:
    """Two workers, one of them with the delay; they serve all cases, which wait for none."""
    return Workers(_module(lesson, delay), max(told.STALENESS) + 1, told.WORKERS)


def _once(lesson: Lesson, runs: Runs, crew: Crew, *, judged: bool) -> None:
    """One run; in order, bits depend neither on the delay nor on the round: judged once."""
    applied, parameters = _run(lesson, runs.case, crew)
    runs.applied.append(applied)
    if judged or not runs.case.cache.in_order:
        _judge(lesson, runs, parameters)
    rate = applied.rate(told.SKIP)
    log.info("%s, %s: %.0f batches a second", runs.delay, runs.case.name, rate)


def _run(lesson: Lesson, case: Case, crew: Crew) -> tuple[Applied, Parameters]:
    """Learn the lesson once by the case's rule; raises LostGradientError."""
    module = _module(lesson, Delay())
    events = Events(InMemory(lesson.new), RULE.batch_size, SEED)
    noting = Noting(module, case.cache, crew)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's hints about loggers and workers
        trainer.fit(noting, datamodule=events)
    told.refuse_lost(noting.applied, events.steps)
    return noting.applied, read_back(module.network, trainer.optimizers[0], RULE.kept)


def _judge(lesson: Lesson, runs: Runs, parameters: Parameters) -> None:
    mine = lesson.learner
    before, mine.parameters = mine.parameters, parameters
    quality = [mine.quality(day, mine.scores(day))[METRIC].mean() for day in lesson.tests]
    loss = [np.nanmean(mine.loss(day)) for day in lesson.tests]
    mine.parameters = before
    runs.quality.append(np.array(quality, np.float64))
    runs.loss.append(np.array(loss, np.float64))


if __name__ == "__main__":
    main()

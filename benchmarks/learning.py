"""Which way to learn a day keeps the parameters fresh, and at what cost?

`make bench-learning` lives through the embedded shop once. Its state is the same for all ways to
learn, so each way only has parameters of its own: the same days, rows, held-out households and
replay memory. Update rules, what keeps old knowledge, frozen parameters and a full retrain every
seven days, each once more without the state's features ("blind": a user's and an item's row is
all that there is, so that the parameters carry the knowledge). Writes results/learning.{json,md}.
`--quick` takes a fortnight and few ways, and is not to be quoted.
"""

import argparse
import copy
import datetime as dt
import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import findings
from benchmarks.findings import Finding
from benchmarks.learning_ways import APPLICATION, METRIC, RETRAIN, WAYS, Course, Way, figures
from benchmarks.regimes import make_place, shop_days
from lightning_modules.hashing import in_holdout, mixed
from lightning_modules.learner import ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.sources import SpooledDays
from tasks.params import ApplicationParams, load_params

log = logging.getLogger(__name__)

FIRST, LAST, QUICK_LAST = dt.date(2017, 10, 1), dt.date(2017, 12, 31), dt.date(2017, 10, 14)
WORKSPACE = Path(".workspaces/bench-learning")
RETRAIN_DAYS = 7
KEPT_A_DAY = 40  # held-out lists that no way ever learns, to see what is forgotten
SALT = np.uint64(0x666F72676574)


def main(arguments: Sequence[str] | None = None) -> None:
    """Live through the days and write what each way came to."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="a fortnight, not to be quoted")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    last = QUICK_LAST if given.quick else LAST
    place = WORKSPACE / ("quick" if given.quick else "full")
    make_place(place, last)
    ways = [way for way in WAYS if way.quick or not given.quick]
    courses = live_through(place, last, ways)
    found = figures(courses)
    table = in_words(found)
    notes = (
        "One state, many parameters: every way has the same features, rows, held-out households "
        "and replay memory. Forgetting is the rise, from the end of a week to the end of the "
        f"last one, of the loss on {KEPT_A_DAY} households a day that no way has learned; "
        "jumpiness the mean change from day to day. Intervals are 95%, by resampling days (of "
        "forgetting, weeks).",
        f"Full retrain: every {RETRAIN_DAYS} days, one seed. CPU seconds are of training alone.",
    )
    findings.publish("learning", found, table, notes=notes, quick=given.quick)
    log.info("%s", table)


def live_through(place: Path, last: dt.date, ways: Sequence[Way]) -> list[Course]:
    """Every way's path from FIRST to `last`."""
    section = load_params().application(APPLICATION)
    learner = RecommendationLearner.new(section.settings)
    spools = {blind: place.resolve() / f"spool-{blind}" for blind in (False, True)}
    for spool in spools.values():
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir()
    fit_from = FIRST - dt.timedelta(days=section.bootstrap.days)
    courses: list[Course] = []
    kept: dict[int, list[Lists]] = defaultdict(list)
    for number, today in enumerate(shop_days(place, last)):
        if today.day < FIRST:
            seen = learner.examples(today, whole=False) if today.day >= fit_from else None
            _spool(learner, seen, today, spools)
            learner.absorb(today, seen, None if seen is None else _held_out(seen, section))
            continue
        courses = courses or _first_fits(learner, section, spools, ways)
        seen = learner.examples(today)
        held = _held_out(seen, section)
        for course in courses:
            _one_day(learner, course, seen, held, section, today.day)
        aside = _aside(seen, held)
        week = (today.day - FIRST).days // RETRAIN_DAYS
        kept[week].append(seen.take(aside).training_part())
        _spool(learner, seen.take(~aside), today, spools)
        learner.absorb(today, seen.take(~aside), held[~aside])
        if (today.day - FIRST).days % RETRAIN_DAYS == RETRAIN_DAYS - 1:
            _end_of_week(learner, courses, kept, week, section, spools)
        log.info("%s (%d)", today.day, number)
    return courses


def _first_fits(
    learner: RecommendationLearner,
    section: ApplicationParams,
    spools: dict[bool, Path],
    ways: Sequence[Way],
) -> list[Course]:
    """The same first parameters for all ways that see the same; what a way keeps, it begins."""
    first: dict[tuple[bool, str], Parameters] = {}
    for way in ways:
        key = (way.blind, repr(way.fit))
        if key not in first:
            taught = copy.copy(learner)
            settings = {**section.bootstrap.fit, **way.fit}
            taught.fit(spools[way.blind], settings=settings, seed=1)
            first[key] = taught.parameters
    return [Course(way, first[way.blind, repr(way.fit)]) for way in ways]


def _one_day(
    learner: RecommendationLearner,
    course: Course,
    seen: Lists,
    held: NDArray[np.bool_],
    section: ApplicationParams,
    day: dt.date,
) -> None:
    mine, lists = _own(learner, course, seen)
    if len(lists):
        quality = mine.quality(lists, mine.scores(lists))
        course.quality[day] = float(quality[METRIC].mean())
    if course.way.update is None or not len(lists):
        return
    update = {**section.fine_tune.model_dump(exclude_none=True), **course.way.update}
    began = time.process_time()
    mine.fine_tune(lists, held, update=update, seed=day.toordinal())
    course.seconds += time.process_time() - began
    course.lists += int((~held & lists.hit).sum()) + min(len(mine.memory.replay), update["replay"])
    course.parameters = mine.parameters


def _end_of_week(
    learner: RecommendationLearner,
    courses: list[Course],
    kept: dict[int, list[Lists]],
    week: int,
    section: ApplicationParams,
    spools: dict[bool, Path],
) -> None:
    for course in courses:
        if course.way.kind == RETRAIN:
            mine = copy.copy(learner)
            began = time.process_time()
            mine.fit(spools[course.way.blind], settings=section.bootstrap.fit, seed=1)
            course.seconds += time.process_time() - began
            course.lists += section.bootstrap.fit["epochs"] * _spooled(spools[False])
            course.parameters = mine.parameters
        for past, days in kept.items():
            losses = []
            for lists in days:
                mine, blind = _own(learner, course, lists)
                losses.append(mine.loss(blind))
            course.losses[week, past] = np.concatenate(losses)


def _own(
    learner: RecommendationLearner, course: Course, lists: Lists
) -> tuple[RecommendationLearner, Lists]:
    """The learner with the way's parameters, and the lists as the way sees them."""
    mine = copy.copy(learner)
    mine.parameters = course.parameters
    if not course.way.blind:
        return mine, lists
    mine.memory = replace(learner.memory, replay=_blind(learner.memory.replay))
    return mine, _blind(lists)


def _blind(lists: Lists) -> Lists:
    return replace(lists, features=np.zeros_like(lists.features))


def _held_out(lists: Lists, section: ApplicationParams) -> NDArray[np.bool_]:
    return in_holdout(lists.keys, section.holdout_share)


def _aside(lists: Lists, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which held-out lists no way will ever learn."""
    places = np.flatnonzero(held & lists.hit)
    order = np.argsort(mixed(lists.keys[places] ^ SALT), kind="stable")
    chosen = np.zeros(len(lists), bool)
    chosen[places[order[:KEPT_A_DAY]]] = True
    return chosen


def _spool(
    learner: RecommendationLearner, seen: Lists | None, today: ShopDay, spools: dict[bool, Path]
) -> None:
    if seen is not None and len(seen):
        learner.spool(seen, spools[False] / f"{today.day}.safetensors")
        learner.spool(_blind(seen), spools[True] / f"{today.day}.safetensors")


def in_words(found: list[Finding]) -> str:
    """Ways down, measures across."""
    frame = pd.DataFrame([(one.method, one.measure, one.value) for one in found])
    wide = frame.pivot_table(index=0, columns=1, values=2, sort=False)
    rows = [(str(name), *(f"{value:.4f}" for value in row)) for name, row in wide.iterrows()]
    return findings.markdown(("", *map(str, wide.columns)), rows)


def _spooled(spool: Path) -> int:
    """Lists that a full fit sees once in an epoch."""
    return int(SpooledDays(spool, 1, np.zeros(0, np.uint64)).counts.sum())


if __name__ == "__main__":
    main()

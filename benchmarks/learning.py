"""Which way to learn a day keeps the parameters fresh, and at what cost?

`make bench-learning` lives through several shops, each once. Its state is the same for all ways to
learn, so each way only has parameters of its own: the same days, rows, held-out units and replay
memory. Beside each other: frozen parameters, naive fine-tuning, the default, the default through
the gate, a full retrain every seven days, update rules, and what keeps old knowledge. Writes
results/learning_<shop>.{json,md} and plots. `--shop NAME` takes one, `--seeds N` at most so many
first fits of each way, `--quick` a short form that is not to be quoted.
"""

import argparse
import copy
import datetime as dt
import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import findings
from benchmarks.learning_figures import figures, in_words
from benchmarks.learning_memory import peaks
from benchmarks.learning_shops import SHOPS, Shop, TaughtLearner
from benchmarks.learning_ways import DEFAULT, RETRAIN, Course
from lightning_modules.hashing import in_holdout
from lightning_modules.learner import Curve, Examples, ShopDay
from tasks import gate

log = logging.getLogger(__name__)

RETRAIN_DAYS = 7
KEPT = {"frozen_a_day": 40, "frozen_size": 1_000_000}  # held-out units that no way ever learns
GATE_UNITS = 256  # of these that the gated way's forgetting is judged by
Mask = NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Live through the shops and write what each way came to."""
    from benchmarks.learning_plots import draw  # matplotlib comes by `make peers` alone

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shop", choices=sorted(SHOPS), action="append", help="all by default")
    parser.add_argument("--quick", action="store_true", help="few days, not to be quoted")
    parser.add_argument("--seeds", type=int, help="first fits of each way at most")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for name in given.shop or SHOPS:
        shop = SHOPS[name](given.quick)
        if given.seeds:
            ways = [replace(way, seeds=min(way.seeds, given.seeds)) for way in shop.ways]
            shop = replace(shop, ways=ways)
        courses = live_through(shop)
        found = figures(courses, shop)
        published = findings.publish(
            f"learning_{name}", found, in_words(found), notes=_notes(shop), quick=given.quick
        )
        draw(courses, shop, findings.RESULTS / published.stem)
        log.info("%s", in_words(found))


def live_through(shop: Shop) -> list[Course]:
    """Every way's path from the shop's first scored day to its last."""
    learner = shop.learner.new({**shop.settings, **KEPT})
    kept: dict[int, list[Examples]] = {}
    courses: list[Course] = []
    with tempfile.TemporaryDirectory() as place:
        spool = Path(place)
        for today in takewhile(lambda today: today.day <= shop.last, shop.days()):
            if today.day < shop.first:
                _history(learner, today, shop, spool)
                continue
            courses = courses or _first_fits(learner, shop, spool)
            if today.day == shop.last:
                peaks(courses, learner, today, shop, spool)
            seen = learner.examples(today)
            held = in_holdout(seen.keys, shop.holdout_share)
            for course in courses:
                _one_day(learner, course, seen, held, shop, today.day)
            _absorb(learner, today, seen, held, spool, _serving(courses))
            week, weekday = divmod((today.day - shop.first).days, RETRAIN_DAYS)
            kept.setdefault(week, []).append(_new_frozen(learner, kept))
            if weekday == RETRAIN_DAYS - 1:
                _end_of_week(learner, courses, kept, week, shop, spool)
            log.info("%s %s", shop.name, today.day)
    return courses


def _history(learner: TaughtLearner, today: ShopDay, shop: Shop, spool: Path) -> None:
    seen = learner.examples(today) if today.day >= shop.fit_from else None
    if seen is not None and len(seen):
        learner.spool(seen, spool / f"{today.day}.safetensors")
    learner.absorb(today, seen, None)


def _first_fits(learner: TaughtLearner, shop: Shop, spool: Path) -> list[Course]:
    """The same first parameters for all ways of a seed, with what EWC asks for."""
    courses: list[Course] = []
    elastic = any("ewc" in str(way.update) for way in shop.ways)
    fisher = {"retention": {"ewc": 1.0}} if elastic else {}  # noted after a fit; changes no weight
    for seed in range(1, 1 + max(way.seeds for way in shop.ways)):
        taught = copy.copy(learner)
        taught.fit(spool, settings={**shop.fit, **fisher}, seed=seed)
        courses += [Course(way, seed, taught.parameters) for way in shop.ways if seed <= way.seeds]
        log.info("%s: first fit, seed %d", shop.name, seed)
    learner.parameters = _serving(courses).parameters
    return courses


def _serving(courses: list[Course]) -> Course:
    """The course whose forecasts the state remembers, where it remembers some."""
    return next(course for course in courses if course.way.name == DEFAULT)


def _one_day(
    learner: TaughtLearner,
    course: Course,
    seen: Examples,
    held: Mask,
    shop: Shop,
    day: dt.date,
) -> None:
    """Score the day, then learn it."""
    if not len(seen):
        return
    mine = with_parameters(learner, course)
    course.quality[day] = float(mine.quality(seen, mine.scores(seen))[mine.metric].mean())
    if course.way.update is None:
        return
    update = shop.updated(course.way)
    began = time.process_time()
    curve = mine.fine_tune(seen, held, update=update, seed=day.toordinal() + 100_000 * course.seed)
    course.seconds += time.process_time() - began
    course.visits += visits(curve, update["batch_size"])
    if curve:
        before = with_parameters(learner, course)
        course.promoted[day] = not course.way.gated or passes(mine, before, seen.take(held), shop)
        if course.promoted[day]:
            course.parameters = mine.parameters


def visits(curve: Curve, batch_size: int) -> int:
    """Units that a training has seen: of each update its batches, and all of these as full."""
    return int(sum(point.get("gradients", 1.0) for point in curve)) * batch_size


def passes(new: TaughtLearner, old: TaughtLearner, held: Examples, shop: Shop) -> bool:
    """Whether the gate's checks of a challenger let it serve: held-out units, and past ones."""
    sign = 1 if new.higher_is_better else -1
    values = [
        learner.quality(held, learner.scores(held)).set_index("unit")[learner.metric] * sign
        for learner in (new, old)
    ]
    past = old.frozen()
    past = past.take(np.arange(len(past))[-GATE_UNITS:])
    losses = [pd.Series(-learner.loss(past)).dropna() for learner in (new, old)]
    checks = [
        gate.not_worse(name, _paired(*pair), margin, shop.gate.alpha, draws=500, seed=1)
        for name, pair, margin in (
            ("held out", values, shop.gate.margin),
            ("past", losses, shop.gate.forgetting_margin),
        )
    ]
    return all(check.passed for check in checks)


def _paired(new: "pd.Series[float]", old: "pd.Series[float]") -> pd.DataFrame:
    return gate.evidence_of("", dt.date.min, new, old).assign(champion=old.to_numpy())


def with_parameters(learner: TaughtLearner, course: Course) -> TaughtLearner:
    """The state under the course's parameters."""
    mine = copy.copy(learner)
    mine.parameters = course.parameters
    return mine


def _absorb(
    learner: TaughtLearner,
    today: ShopDay,
    seen: Examples,
    held: Mask,
    spool: Path,
    serving: Course,
) -> None:
    """Take the day in; the units frozen today are in no spool, so that no fit learns them."""
    learner.parameters = serving.parameters
    learner.absorb(today, seen, held)
    if len(seen):
        unseen = np.isin(seen.keys, learner.frozen().keys)
        learner.spool(seen.take(~unseen), spool / f"{today.day}.safetensors")


def _new_frozen(learner: TaughtLearner, kept: dict[int, list[Examples]]) -> Examples:
    """The units that were frozen since the last look."""
    frozen = learner.frozen()
    known = [part.keys for parts in kept.values() for part in parts]
    fresh: Examples = frozen.take(~np.isin(frozen.keys, np.concatenate([frozen.keys[:0], *known])))
    return fresh


def _end_of_week(
    learner: TaughtLearner,
    courses: list[Course],
    kept: dict[int, list[Examples]],
    week: int,
    shop: Shop,
    spool: Path,
) -> None:
    for course in courses:
        mine = with_parameters(learner, course)
        if course.way.name == RETRAIN:
            began = time.process_time()
            curve = mine.fit(spool, settings=shop.fit, seed=course.seed)
            course.seconds += time.process_time() - began
            course.visits += visits(curve, shop.fit["batch_size"])
            course.parameters = mine.parameters
        for past, parts in kept.items():
            found = [mine.loss(part) for part in parts if len(part)]
            course.losses[week, past] = np.concatenate(found or [np.zeros(0, np.float32)])


def _notes(shop: Shop) -> tuple[str, ...]:
    return (
        f"{shop.about} {shop.first} to {shop.last}. One state, many parameters: every way has the "
        "same features, rows, held-out units and replay memory.",
        f"{RETRAIN}: every {RETRAIN_DAYS} days, anew from all days so far. {DEFAULT}: "
        "as params.yaml says, without the gate; gated: with its checks of a challenger.",
        "Forgetting: the rise, from the end of a week to the end of the last one, of the loss on "
        f"{KEPT['frozen_a_day']} units a day that no way has learned. Jumpiness: mean change from "
        "day to day. Intervals are 95%, by resampling days (of forgetting, weeks).",
        "CPU seconds are of training alone; memory is what an increment takes beyond its state.",
    )


if __name__ == "__main__":
    main()

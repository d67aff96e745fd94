"""The same days' events, taken in early and late in a line.

A learner lives through the embedded shop from its first day on, with a first fit after three
weeks. Copies of it are kept early, in the middle and late. Each takes in the very same five days
of events (the early ones, dated whole weeks later, so that weekdays fit), by the parts of an
increment. The line's own increments around the first and last point are timed beside them.
"""

import datetime as dt
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cost_figures import OWN, SAME, Growth, Span, Spent
from benchmarks.regimes import shop_days
from lightning_modules.learner import Learner, ShopDay
from tasks import learners
from tasks.params import ApplicationParams, load_params

log = logging.getLogger(__name__)

FIRST = dt.date(2017, 1, 1)  # day 1 of the shop
SEED = 1


def grow(place: Path, application: str, span: Span, folder: Path, **settings: Any) -> Growth:
    """Live through the days up to the last one and measure; `folder` is made anew.

    `settings` are the learner's, in the place of those in params.yaml.
    """
    section = load_params().application(application)
    section = section.model_copy(update={"settings": {**section.settings, **settings}})
    growth = Growth(application, span)
    same = _live_through(place, section, growth, fresh(folder))
    growth.events = sum(len(today.events) for today in same)
    for number in range(span.rounds):
        for point, last in span.points.items():
            later = last - span.points[span.early]
            _again(growth, section, [shifted(today, later) for today in same], folder, point)
        log.info("%s: round %d of %d", application, number + 1, span.rounds)
    return growth


def increment(
    directory: Path, section: ApplicationParams, today: ShopDay, spent: Spent
) -> Learner:
    """One day by the parts of an increment, each once, on the learner saved in `directory`.

    The next one is saved beside it, in `next`.
    """
    with spent.on("load"):
        learner = learners.learner_class(section).load(directory, section.settings)
    with spent.on("examples"):
        seen = learner.examples(today)
    with spent.on("scores"):
        learner.quality(seen, learner.scores(seen))
    held = learners.held_out(seen, section.holdout_share)
    update = section.fine_tune.model_dump(exclude_none=True)
    with spent.on("fine_tune"):
        learner.fine_tune(seen, held, update=update, seed=SEED)
    with spent.on("absorb"):
        learner.absorb(today, seen, held)
    place = fresh(directory.with_name("next"))
    with spent.on("save"):
        learner.save(place)
    return learner


def shifted(today: ShopDay, days: int) -> ShopDay:
    """The same day, so many days later: the same rows, later dates."""
    later = dt.timedelta(days=days)
    events = today.events.assign(event_time=today.events["event_time"] + later)
    dates = {name: today.prices[name] + later for name in ("date", "until")}
    return replace(
        today, day=today.day + later, events=events, prices=today.prices.assign(**dates)
    )


def fresh(directory: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _live_through(
    place: Path, section: ApplicationParams, growth: Growth, folder: Path
) -> list[ShopDay]:
    """The line, whose copies are left in the folder; returns the days that they are to take in."""
    span, same = growth.span, []
    learner = learners.learner_class(section).new(section.settings)
    (folder / "spool").mkdir()
    for number, today in enumerate(shop_days(place, FIRST + dt.timedelta(span.last - 1)), 1):
        if point := span.near(number):
            learner.save(fresh(folder / "own"))
            learner = increment(folder / "own", section, today, growth.spent[OWN, point])
        else:
            spool = folder / "spool" if span.spool_from <= number <= span.fit else None
            _live(learner, today, section, span.seen(number), spool)
        if number == span.fit:
            rule = {**section.bootstrap.fit, "epochs": 1}
            learner.fit(folder / "spool", settings=rule, seed=SEED)
        for point, last in span.points.items():
            if number == last:
                learner.save(fresh(folder / point))
        if 0 < number - span.points[span.early] <= span.same:
            same.append(today)
        if number % 30 == 0:
            log.info("%s: day %d", growth.application, number)
    return same


def _live(
    learner: Learner, today: ShopDay, section: ApplicationParams, seen: bool, spool: Path | None
) -> None:
    """A day that is not timed; the parameters stay. One that is not `seen` is only counted."""
    examples = learner.examples(today) if seen else None
    held = None if examples is None else learners.held_out(examples, section.holdout_share)
    if spool is not None and examples is not None and held is not None and len(examples):
        learner.spool(examples.take(~held), spool / f"{today.day}.safetensors")
    learner.absorb(today, examples, held)


def _again(
    growth: Growth, section: ApplicationParams, days: list[ShopDay], folder: Path, point: str
) -> None:
    """The same days on the copy of a point, each on what the one before it saved."""
    place = folder / "same"
    shutil.copytree(folder / point, fresh(place), dirs_exist_ok=True)
    for today in days:
        learner = increment(place, section, today, growth.spent[SAME, point])
        shutil.rmtree(place)
        (folder / "next").rename(place)
    seen = learner.examples(shifted(days[0], 7))
    files = sorted(place.iterdir())
    growth.sizes[point] = {
        "units of a day": len(seen),
        "rows of a day's units": len(learner.naive_scores(seen)),
        **{f"bytes of {path.name}": path.stat().st_size for path in files},
        "bytes of all files": sum(path.stat().st_size for path in files),
    }

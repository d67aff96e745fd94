"""Ways to keep a model fresh, on the same days and rows: daily increments, frozen, full retrain.

The champion learns by the project's own steps, gate and ledger (Prefect and DVC left out: they
change no number). Frozen is the first champion's parameters; retrain fits anew on all spooled days
every so many days. All are scored with the champion's state as it was before the day, so that only
the parameters differ.
"""

import contextlib
import datetime as dt
import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import ShopDay
from tasks import (
    decide,
    drift,
    evaluate,
    fine_tune,
    land,
    learners,
    plan,
    prequential,
    promote,
    validate,
    workspace,
)
from tasks.attempt import fresh_folder, open_attempt
from tasks.bootstrap import bootstrap
from tasks.carry import make_workspace
from tasks.days import by_day
from tasks.due import next_increment
from tasks.ledger import Ledger
from tasks.params import ApplicationParams, Params, load_params
from tasks.pull import pull
from tasks.records import Increment, seed_of
from tasks.sources import open_source

log = logging.getLogger(__name__)

CHAMPION, FROZEN, RETRAIN = "champion", "frozen", "full retrain"
NAIVE = "naive"
KEPT_VERSIONS = 30
Scores = dict[str, NDArray[np.float32]]


class Recorder(Protocol):
    """What measures an application's day."""

    def record(self, day: dt.date, examples: Any, scores: Scores) -> None:
        """Take the day's examples and what each method says of them."""
        ...


@dataclass
class Cost:
    """Training CPU seconds by method, and how often it trained."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    times: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @contextlib.contextmanager
    def of(self, method: str) -> Iterator[None]:
        """Within the block, CPU time is the method's."""
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[method] += time.process_time() - began
            self.times[method] += 1

    def take(self, seconds: Mapping[str, float]) -> None:
        """What others' training took."""
        for method, spent in seconds.items():
            self.seconds[method] += spent
            self.times[method] += 1


def make_place(directory: Path, last: dt.date) -> None:
    """A workspace of this commit whose registry holds every day up to `last`, pulled.

    Raises ValueError where one is there already that holds other days.
    """
    make_workspace(directory)
    with contextlib.chdir(directory):
        source = open_source(load_params().shop.source)
        land.build_registry(source, last + dt.timedelta(days=1))
        pull()
        if (newest := max(by_day(workspace.data_manifest()))) != last:
            raise ValueError(f"{directory} holds the days up to {newest}: remove it")


def live_through(
    directory: Path, application: str, last: dt.date, recorder: Recorder, retrain_days: int
) -> Cost:
    """Bootstrap the application in the workspace, learn every day up to `last`, record each.

    The line of an earlier run is removed first. A full retrain is made after every `retrain_days`
    days.
    """
    with contextlib.chdir(directory):
        for folder in (workspace.BUNDLES, workspace.ATTACHMENTS, workspace.ATTEMPTS):
            shutil.rmtree(folder / application, ignore_errors=True)
        database = _database(application)
        for file in workspace.VAR.glob(f"{database.name}*"):
            file.unlink()
        return _live(application, last, Ledger(f"sqlite:///{database}"), recorder, retrain_days)


def _live(
    application: str, last: dt.date, ledger: Ledger, recorder: Recorder, retrain_days: int
) -> Cost:
    params, cost = load_params(), Cost()
    spool = workspace.VAR / "bench-spool" / application
    shutil.rmtree(spool, ignore_errors=True)
    with ledger.lease(application) as lease:
        with cost.of("first champion, state and examples included"):
            bootstrap(ledger, lease, application, params, fresh_folder(application))
        _spool_history(application, params, spool)
        retrained = workspace.BUNDLES / application / _head(ledger, application)
        number = 0
        while increment := next_increment(ledger, application, params, last):
            where = open_attempt(increment)
            _score(increment, params, where)
            champion = learners.champion(increment, params, where)
            seen = learners.examples(increment, params, where)
            ways = {CHAMPION: where / "parent", FROZEN: where / "anchor", RETRAIN: retrained}
            scores = {
                name: learners.with_parameters(champion, place).scores(seen)
                for name, place in ways.items()
            }
            recorder.record(increment.day, seen, scores | {NAIVE: champion.naive_scores(seen)})
            if len(seen):
                champion.spool(seen, spool / f"{increment.day}.safetensors")
            with cost.of(CHAMPION):
                fine_tune.fine_tune(increment, params, where)
            evaluate.evaluate(increment, params, where)
            verdict = decide.decide(increment, params, where)
            promote.promote(ledger, lease, increment, params, where)
            number += 1
            if number % retrain_days == 0:
                retrained = workspace.VAR / "bench-retrained" / application
                with cost.of(RETRAIN):
                    _retrain(ledger, application, params, spool, retrained)
            _forget_bundles(ledger, application)
            log.info("%s %s: %s", increment.day, application, verdict.action)
    return cost


def _score(increment: Increment, params: Params, where: Path) -> None:
    validate.validate(increment, params, where)
    prequential.prequential(increment, params, where)
    drift.drift(increment, params, where)
    plan.plan(increment, params, where)


def _spool_history(application: str, params: Params, spool: Path) -> None:
    """The training part of history's last days, as the first champion's fit had it, all units.

    The state is lived through once more: the bootstrap removes what it spooled.
    """
    section = params.application(application)
    learner = learners.learner_class(section).new(section.settings)
    last = params.shop.history_until - dt.timedelta(days=1)
    first = last - dt.timedelta(days=section.bootstrap.days - 1)
    spool.mkdir(parents=True)
    for number, today in enumerate(shop_days(Path(), last)):
        seen = learner.examples(today) if today.day >= first and number else None
        if seen is not None and len(seen):
            learner.spool(seen, spool / f"{today.day}.safetensors")
        learner.absorb(today, seen, None)


def _pin(
    application: str, day: dt.date, files: dict[str, str], section: ApplicationParams
) -> Increment:
    """A day's files under no version, to be read."""
    return Increment(
        application=application, day=day, events="", items="", prices="", partitions=files,
        parent="", predecessor="", anchor="", looks={}, update=section.fine_tune, seed=0,
        code="",
    )  # fmt: skip


def _retrain(ledger: Ledger, application: str, params: Params, spool: Path, place: Path) -> None:
    """Parameters fitted anew on every spooled day, on the head's state."""
    section = params.application(application)
    head = workspace.BUNDLES / application / _head(ledger, application)
    learner = learners.open_learner(head, section)
    learner.fit(spool, settings=section.bootstrap.fit, seed=seed_of(application, "bootstrap"))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    learner.save_parameters(place)


def _head(ledger: Ledger, application: str) -> str:
    line = ledger.line(application)
    assert line is not None
    return line.head


def _forget_bundles(ledger: Ledger, application: str) -> None:
    """Keep the disk: the newest versions stay, to go back to, and those that the line names."""
    line = ledger.line(application)
    assert line is not None
    kept = {line.head, line.champion, line.predecessor, line.anchor}
    stored = sorted((workspace.BUNDLES / application).iterdir(), key=lambda at: at.stat().st_mtime)
    for place in stored[:-KEPT_VERSIONS]:
        if place.name not in kept:
            shutil.rmtree(place)


def newest_outputs(directory: Path, application: str) -> dict[str, pd.DataFrame]:
    """The batch outputs of the head that `live_through` ended in."""
    with contextlib.chdir(directory):
        ledger = Ledger(f"sqlite:///{_database(application)}")
        line = ledger.line(application)
        assert line is not None
        section = load_params().application(application)
        learner = learners.open_learner(workspace.BUNDLES / application / line.head, section)
        return learner.outputs(line.day + dt.timedelta(days=1))


def _database(application: str) -> Path:
    return workspace.VAR / f"bench-{application}.db"


def shop_days(directory: Path, last: dt.date) -> Iterator[ShopDay]:
    """Every day of a workspace's data up to `last`, closed ones too, as the learners see it."""
    with contextlib.chdir(directory):
        params = load_params()
        application, section = next(iter(params.applications.items()))
        landed = by_day(workspace.data_manifest())
        day = min(landed)
        while day <= last:
            pin = _pin(application, day, landed.get(day, {}), section)
            yield learners.read_day(pin)
            day += dt.timedelta(days=1)

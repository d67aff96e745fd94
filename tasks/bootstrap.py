"""Step: the first champion, from history, day by day as it will go on."""

import datetime as dt
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import Examples, Learner
from tasks import bundle, days, gate, learners, reference, workspace
from tasks.bundle import Bundle
from tasks.contract import check_events
from tasks.cursor import Cursor, PastDay
from tasks.due import content
from tasks.figures import figure
from tasks.ledger import Champion, Day, Lease, Ledger, Line, version_of
from tasks.manifest import ManifestFields
from tasks.params import ApplicationParams, DriftParams, Params, ShopParams
from tasks.records import Action, Increment, seed_of
from tasks.version import EVIDENCE

log = logging.getLogger(__name__)
FIRST: Action = "first"

Scores = Mapping[dt.date, NDArray[np.float32]]
Tests = Mapping[dt.date, Examples]


class NoHistoryError(RuntimeError):
    """There are no days to make a first champion from."""


class WeakChampionError(RuntimeError):
    """The first champion is not shown to beat the naive rival, so it does not serve."""


def bootstrap(ledger: Ledger, lease: Lease, application: str, params: Params, where: Path) -> Line:
    """Fit on history before `shop.history_until`, prove it beside the naive rival, start the line.

    The state takes every day in order. Lists are made of the last `bootstrap.days`, each with the
    state as it was before its day; of the last `check_days` a fixed share of units is held
    out, and on these the champion must beat the naive rival (paired interval above zero). Raises
    NoHistoryError, InvalidDayError or WeakChampionError; then there is no line.
    """
    section = params.application(application)
    landed = days.by_day(workspace.data_manifest())
    history = {day: files for day, files in landed.items() if day < params.shop.history_until}
    if history:  # closed days are lived through as well: they are part of a week
        closed = [day for day in params.shop.closed_days if min(history) < day < max(history)]
        history = dict(sorted(({day: {} for day in closed} | history).items()))
    if len(history) <= section.bootstrap.check_days:
        raise NoHistoryError(
            f"{len(history)} days before shop.history_until = {params.shop.history_until} are too "
            f"few: bootstrap.check_days is {section.bootstrap.check_days}. Land more, or move it."
        )
    code = workspace.code_revision()
    pins = [_pin(application, day, files, section, code) for day, files in history.items()]
    learner = learners.learner_class(section).new(section.settings)
    tests = _live_through(learner, pins, params, section, where / "spool")
    learner.fit(
        where / "spool", settings=section.bootstrap.fit, seed=seed_of(application, "bootstrap")
    )
    scores = {day: learner.scores(lists) for day, lists in tests.items()}
    _prove(learner, tests, scores, section)
    recent = _recent(learner, pins, tests, scores, section.drift, params.shop.time_zone)
    stored = _store(learner, application, pins, recent, section, where / "next")
    shutil.rmtree(where)
    return _start(ledger, lease, stored, pins, params.shop)


def _pin(
    application: str, day: dt.date, files: dict[str, str], section: ApplicationParams, code: str
) -> Increment:
    """A day of history has no versions before it yet."""
    return Increment(
        application=application,
        day=day,
        events=days.partition("events", day),
        items=days.partition("items", day),
        prices=days.partition("prices", day),
        partitions=files,
        parent="",
        predecessor="",
        anchor="",
        looks={},
        update=section.fine_tune,
        seed=0,
        code=code,
    )


def _live_through(
    learner: Learner,
    pins: Sequence[Increment],
    params: Params,
    section: ApplicationParams,
    spooled: Path,
) -> Tests:
    """Take in every day, spool the lists to train on; the held-out lists of each check day."""
    spooled.mkdir(parents=True)
    first_list, first_test = (
        pins[-1].day - dt.timedelta(days=length - 1)
        for length in (section.bootstrap.days, section.bootstrap.check_days)
    )
    tests: dict[dt.date, Examples] = {}
    for number, pin in enumerate(pins, 1):
        shop_day = learners.read_day(pin)
        check_events(shop_day.events, pin.day, params.shop.time_zone, pin.events)
        seen = held_out = None
        if pin.day >= first_list and pin is not pins[0]:
            seen = learner.examples(shop_day)
            held_out = learners.held_out(seen, section.holdout_share)
            if pin.day < first_test:
                held_out[:] = False
            elif len(seen):
                tests[pin.day] = seen.take(held_out)
            if len(seen):
                learner.spool(seen.take(~held_out), spooled / f"{pin.day}.safetensors")
        learner.absorb(shop_day, seen, held_out)
        if number % 30 == 0 or pin is pins[-1]:
            log.info("%d of %d days of history taken in", number, len(pins))
    return tests


def _prove(learner: Learner, tests: Tests, scores: Scores, section: ApplicationParams) -> None:
    """Raise WeakChampionError unless the champion is shown to beat the naive rival."""
    parts = []
    sign = 1 if learner.higher_is_better else -1
    for day, units in tests.items():
        ours = learner.quality(units, scores[day])[["unit", learner.metric]]
        naive = learner.quality(units, learner.naive_scores(units))[learner.metric]
        parts.append(ours.assign(difference=sign * (ours[learner.metric] - naive)))
    gains = pd.concat(parts, ignore_index=True)
    interval = gate.interval_by_unit(gains, section.gate.alpha, draws=section.gate.draws, seed=0)
    shown = (
        f"{learner.metric} of {len(gains)} held-out units: better than the naive rival's by "
        f"{figure(interval.mean, '+')}, lower bound {figure(interval.low, '+')}"
    )
    if interval.low <= 0:
        raise WeakChampionError(
            f"{shown}. The first champion does not serve: give it more history (bootstrap.days) "
            "or other settings in params.yaml."
        )
    log.info("first champion: %s", shown)


def _recent(
    learner: Learner,
    pins: Sequence[Increment],
    tests: Tests,
    scores: Scores,
    settings: DriftParams,
    time_zone: str,
) -> pd.DataFrame:
    """Drift's reference: the last days, with the scores of the lists that were held out.

    The days are read once more: to keep them until the fit is done would cost memory.
    """
    recent = reference.empty()
    for pin in pins[-settings.reference_days :]:  # at most so many; `advance` drops older ones
        known = pd.Series(dtype="float64")
        if pin.day in tests:
            units = tests[pin.day]
            known = pd.Series(learner.unit_scores(units, scores[pin.day]), index=units.unit_ids)
        rows = reference.drift_rows(
            days.read_events(pin), known, learner.unit, pin.day, time_zone, settings.event_types
        )
        recent = reference.advance(recent, rows, pin.day, settings)
    return recent


def _store(
    learner: Learner,
    application: str,
    pins: Sequence[Increment],
    recent: pd.DataFrame,
    section: ApplicationParams,
    draft: Path,
) -> Bundle:
    draft.mkdir()
    learner.save(draft)
    reference.write(recent, draft)
    reference.write_frame(gate.no_evidence(), draft / EVIDENCE)
    volumes = tuple(
        PastDay(day=pin.day, rows=len(days.read_events(pin)))
        for pin in pins[-section.drift.reference_days :]
    )
    Cursor(day=pins[-1].day, looks={}, past=volumes, fitted=pins[-1].day).write(draft)
    files = {path: md5 for pin in pins for path, md5 in pin.partitions.items()}
    fields = ManifestFields(
        application=application,
        day=pins[-1].day,
        kind="first",
        parent=None,
        predecessor=None,
        anchor=None,
        settings=section.model_dump(mode="json"),
        partitions={"history": days.digest(files)},
        code=pins[-1].code,
    )
    stored = bundle.store(draft, fields, workspace.BUNDLES)
    learners.open_learner(stored.path, section)  # a save may end well that wrote nothing
    return stored


def _start(
    ledger: Ledger, lease: Lease, stored: Bundle, pins: Sequence[Increment], shop: ShopParams
) -> Line:
    reason = f"fitted on {len(pins)} days of history, beats the naive rival"
    history = [
        Day(
            day=pin.day,
            digest=content(pin.day, pin.partitions, shop),
            outcome="learned",
            version=stored.version,
            action=FIRST,
            reason=reason,
        )
        for pin in pins
    ]
    champion = Champion(
        version=stored.version, day=pins[-1].day, action=FIRST, reason=reason, actor="bootstrap"
    )
    return ledger.start_line(lease, version_of(stored), history, champion)

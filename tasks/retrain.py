"""A full retrain: a new line of parameters from the line's own past, for the state it has now."""

import datetime as dt
import logging
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightning_modules.learner import Curve, Learner, ShopDay
from tasks import bundle, days, learners
from tasks.contract import InvalidDayError, check_events
from tasks.params import Params
from tasks.records import History, Increment

log = logging.getLogger(__name__)


class OtherHistoryError(RuntimeError):
    """The data revision does not hold the past that was pinned."""


class OtherStateError(RuntimeError):
    """The past cannot be lived through once more to the rows of ids that the parent has."""


def history_of(learned: set[dt.date], files: dict[dt.date, dict[str, str]]) -> History:
    """The pin of all learned days; `files` has MD5 by path of each landed day."""
    first, last = min(learned), max(learned)
    between = (first + dt.timedelta(days=n) for n in range((last - first).days))
    left_out = tuple(day for day in between if day not in learned)
    past = {day: files.get(day, {}) for day in learned}
    return History(first=first, last=last, left_out=left_out, digest=_digest(past))


def refit(
    increment: Increment, params: Params, where: Path, challenger: Path
) -> tuple[Curve, int, int]:
    """Write new parameters to `challenger`; the curve, and how many examples were new and old.

    A new learner lives through every day that the line has learned, in order, so that each id gets
    the row that it has in the parent's state, and fits `bootstrap.fit` on the last
    `bootstrap.days` and on what is not held out of today. Of past days all is fitted but the
    parent's frozen examples, which are to show forgetting. Files are read by the digests of the
    data revision, whose own digest is pinned: a day that was landed again since it was learned is
    read as it is now, as long as it keeps the contract and changes no row of an id.

    Raises:
        OtherHistoryError: before anything is read.
        OtherStateError: before anything is fitted, if a past day breaks the contract, or ids have
            other rows than in the parent.
        DivergedError: as `Learner.fit`.
    """
    section = params.application(increment.application)
    parent = learners.champion(increment, params, where)
    past, zone = _past(increment), params.shop.time_zone
    learner = learners.learner_class(section).new(section.settings)
    with tempfile.TemporaryDirectory(dir=where) as place:
        spool, state = Path(place, "spool"), Path(place, "state")
        spool.mkdir()
        since = increment.day - dt.timedelta(days=section.bootstrap.days - 1)
        old = _live_through(
            learner, past, zone, parent.frozen().keys, _began(increment, where), since, spool
        )
        state.mkdir()
        learner.save(state)
        _refuse_other_ids(state, where / "parent")
        today = learners.read_day(increment)
        seen = learner.examples(today)
        if not np.array_equal(seen.keys, learners.examples(increment, params, where).keys):
            raise OtherStateError("the past, lived through once more, knows other units today")
        fresh = seen.take(~learners.held_out(seen, section.holdout_share))
        if len(fresh):
            learner.spool(fresh, spool / f"{increment.day}.safetensors")
        learner.absorb(today, None, None)  # its ids have rows; what is held out stays unseen
        curve = learner.fit(spool, settings=section.bootstrap.fit, seed=increment.seed)
    learner.save_parameters(challenger)
    return curve, len(fresh), old


def _past(increment: Increment) -> list[Increment]:
    """A pin of each learned day, in order; raises OtherHistoryError."""
    pinned = increment.history
    if pinned is None:
        raise OtherHistoryError(f"{increment.day} was pinned by a release that pins no history")
    landed = days.by_day(days.manifest())
    length = (pinned.last - pinned.first).days + 1
    wanted = (pinned.first + dt.timedelta(days=n) for n in range(length))
    past = {day: landed.get(day, {}) for day in wanted if day not in pinned.left_out}
    if _digest(past) != pinned.digest:
        raise OtherHistoryError(
            f"data.dvc does not hold the days {pinned.first} to {pinned.last} as they were when "
            f"{increment.day} was pinned: some were landed again since, or are not landed here. "
            "Check out the data.dvc of that time, and run `dvc pull data.dvc`"
        )
    return [increment.model_copy(update={"day": d, "partitions": f}) for d, f in past.items()]


def _digest(past: dict[dt.date, dict[str, str]]) -> str:
    return days.digest({path: md5 for files in past.values() for path, md5 in files.items()})


def _began(increment: Increment, where: Path) -> dt.date:
    """The first day of which the line made examples: some states choose by it what to judge."""
    first = bundle.verify(where / "anchor", version=increment.anchor)  # it is the first champion
    return first.day - dt.timedelta(days=int(first.settings["bootstrap"]["days"]) - 1)


def _live_through(
    learner: Learner,
    past: list[Increment],
    zone: str,
    frozen: NDArray[np.uint64],
    began: dt.date,
    since: dt.date,
    spool: Path,
) -> int:
    """Take in every day, spool those from `since` on; how many examples that were."""
    count = 0
    for number, pin in enumerate(past, 1):
        shop_day = _read(pin, zone)
        seen = kept = None
        if pin.day >= began and pin is not past[0]:
            seen = learner.examples(shop_day)
            kept = np.isin(seen.keys, frozen)
            fitted = seen.take(~kept)
            if pin.day >= since and len(fitted):
                learner.spool(fitted, spool / f"{pin.day}.safetensors")
                count += len(fitted)
        learner.absorb(shop_day, seen, kept)
        if number % 30 == 0 or pin is past[-1]:
            log.info("%d of %d learned days lived through once more", number, len(past))
    return count


def _read(pin: Increment, zone: str) -> ShopDay:
    """A past day as it is now; it kept the contract when it was learned."""
    try:
        shop_day = learners.read_day(pin)
        check_events(shop_day.events, pin.day, zone, days.partition("events", pin.day))
    except InvalidDayError as problem:
        raise OtherStateError(
            f"{pin.day} was learned, landed again, and now breaks the contract: {problem}"
        ) from problem
    return shop_day


def _refuse_other_ids(state: Path, parent: Path) -> None:
    """A learner's files of ids are JSON: row by row they must be those of the parent."""
    for file in sorted(state.glob("*.json")):
        if file.read_bytes() != (parent / file.name).read_bytes():
            raise OtherStateError(
                f"the days learned, lived through once more, end in another {file.name} than the "
                "parent's: one of them was landed again with other content, or a setting of who "
                "gets a row and who loses it (admit_after, expire_days) was changed on this line"
            )

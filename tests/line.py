"""The made-up shop's line: a workspace with a first champion, and the steps without Prefect."""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import yaml

from tasks import (
    decide,
    drift,
    evaluate,
    fine_tune,
    git,
    land,
    plan,
    prequential,
    promote,
    snapshot,
    validate,
    workspace,
)
from tasks.attempt import PIN, fresh_folder, open_attempt
from tasks.bootstrap import bootstrap
from tasks.carry import make_workspace
from tasks.due import next_increment
from tasks.ledger import Ledger, Line, open_ledger
from tasks.ledger.transfer import transfer
from tasks.params import Params, load_params
from tasks.pull import pull
from tasks.records import Action, Increment, Verdict
from tasks.sources import open_source
from tests.shop import FIRST_DAY

ROOT = Path(__file__).parents[1]
APPLICATION = "recommendation"
HISTORY_DAYS = 30
HISTORY_UNTIL = FIRST_DAY + dt.timedelta(days=HISTORY_DAYS)
CODE = "c0de" * 10
LANDED = 4  # days after history that are in data/ and not yet learned
SMALL = {
    "settings": {
        "explore": 20,
        "hidden": [16],
        "width": 4,
        "replay_size": 100,
        "frozen_size": 40,
        "sampling_share": 0.5,
    },
    "holdout_share": 0.4,
    "bootstrap": {"days": 24, "check_days": 6, "fit": {"batch_size": 16, "epochs": 6}},
    "fine_tune": {"batch_size": 8, "replay": 32},
    "drift": {"reference_days": 10},
    "plan": {"min_rows": 20},
    "gate": {"min_units": 5, "draws": 500, "margin": 0.3, "forgetting_margin": 0.3},
}


@dataclass(frozen=True)
class Place:
    """A workspace that is the current directory, its parameters and its ledger."""

    root: Path
    params: Params
    ledger: Ledger

    @property
    def line(self) -> Line:
        """Where the line stands; there is one."""
        line = self.ledger.line(APPLICATION)
        assert line is not None
        return line

    @property
    def head(self) -> Path:
        """The head's bundle."""
        return self.bundle(self.line.head)

    def bundle(self, version: str) -> Path:
        """A version's bundle."""
        return workspace.BUNDLES / APPLICATION / version

    def due(self) -> Increment:
        """The next increment; there is one."""
        increment = next_increment(self.ledger, APPLICATION, self.params, dt.date.max)
        assert increment is not None
        return increment


def nth(number: int) -> dt.date:
    """The n-th day after history, from 1."""
    return HISTORY_UNTIL + dt.timedelta(days=number - 1)


def write_project(folder: Path, source: dict[str, Any]) -> None:
    """This project's tracked files as they are now, with the parameters of a small shop."""
    for name in git.git(ROOT, "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["shop"] = {
        "time_zone": "Europe/Berlin",
        "closed_days": [],
        "lateness_days": 2,
        "history_until": str(HISTORY_UNTIL),
        "source": source,
    }
    section = params["applications"][APPLICATION]
    params["applications"] = {APPLICATION: section}
    for key, value in SMALL.items():
        section[key] = section[key] | value if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    git.start(folder)
    git.commit_as_of(folder, "a project for a small shop", FIRST_DAY)


def write_workspace(folder: Path, project: Path) -> None:
    """A workspace of the project with all landed days pulled, and without a champion."""
    make_workspace(folder, project)
    with chdir(folder):
        shop = load_params().shop
        land.build_registry(open_source(shop.source), nth(LANDED + 1))
        pull()


@contextmanager
def open_copy(template: Path, folder: Path, url: str | None = None) -> Iterator[Place]:
    """Within the block, a copy of a workspace at `folder` is the current directory.

    With a `url`, its ledger is there and no longer in the workspace, for child processes too.
    In this process its code has one revision, whatever the real one is: seeds follow it, and it
    has the path of the shop's files in it, so that a rerun would be another draw.
    """
    shutil.copytree(template, folder, symlinks=True)
    with (
        chdir(folder),
        mock.patch.dict(os.environ),
        mock.patch.object(workspace, "code_revision", lambda: CODE),
    ):
        os.environ.pop("DAYSHIFT_LEDGER_URL", None)  # of a copy around this one
        if url:
            os.environ["DAYSHIFT_LEDGER_URL"] = url
            transfer(Ledger(f"sqlite:///{workspace.LEDGER}"), open_ledger())
            for file in workspace.VAR.glob("ledger*"):
                file.unlink()
        place = Place(folder, load_params(), open_ledger())
        try:
            yield place
        finally:
            place.ledger.engine.dispose()


def start_line(place: Place) -> Line:
    """The first champion, from the days before HISTORY_UNTIL."""
    with place.ledger.lease(APPLICATION) as lease:
        where = fresh_folder(APPLICATION)
        return bootstrap(place.ledger, lease, APPLICATION, place.params, where)


def run_steps(increment: Increment, params: Params, where: Path) -> Verdict:
    """The pure steps in the order of flows/daily.py."""
    validate.validate(increment, params, where)
    prequential.prequential(increment, params, where)
    drift.drift(increment, params, where)
    plan.plan(increment, params, where)
    fine_tune.fine_tune(increment, params, where)
    evaluate.evaluate(increment, params, where)
    return decide.decide(increment, params, where)


def overrule(where: Path, action: Action) -> Verdict:
    """Another verdict than the one that was reached."""
    verdict = Verdict.read(where / "verdict.json")
    changed = verdict.model_copy(update={"action": action, "reason": f"to see a {action}"})
    return changed.write(where / "verdict.json")


def spend_day(place: Place) -> Path:
    """All pure steps of the next day, in a folder of its own."""
    increment = place.due()
    where = open_attempt(increment)
    run_steps(increment, place.params, where)
    return where


def attempt() -> Path:
    """The folder of the attempt that was made last."""
    (where,) = (workspace.ATTEMPTS / APPLICATION).iterdir()
    return where


def settle(place: Place, where: Path, action: Action | None = None) -> Line:
    """The verdict that was reached, or `action`, as the line's next version."""
    if action:
        overrule(where, action)
    increment = Increment.read(where / PIN)
    with place.ledger.lease(APPLICATION) as lease:
        return promote.promote(place.ledger, lease, increment, place.params, where)


def learn(place: Place, action: Action | None = None) -> Line:
    """Learn the next day, without a snapshot."""
    return settle(place, spend_day(place), action)


def finish_snapshots(place: Place) -> int:
    """The experiments of all that was learned."""
    return snapshot.finish_snapshots(place.ledger, APPLICATION)


def land_instead(place: Place, day: dt.date, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Land a day of the shop with its events changed by `edit`, and pull it."""
    frames = open_source(place.params.shop.source).read_day(day)
    land.land_frames(day, replace(frames, events=edit(frames.events)))
    pull()


def ask_first(place: Place) -> None:
    """In params.yaml: a gate that lets all pass, and asks a person first."""
    params = yaml.safe_load((place.root / "params.yaml").read_text())
    passing = dict.fromkeys(("margin", "forgetting_margin", "anchor_margin"), 5.0)
    params["applications"][APPLICATION]["gate"] |= passing | {"approval": "wait"}
    (place.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def land_days(place: Place, *numbers: int) -> None:
    """Land days of the shop as they are; pulling them is left to the flow."""
    source = open_source(place.params.shop.source)
    for number in numbers:
        land.land_day(source, nth(number))

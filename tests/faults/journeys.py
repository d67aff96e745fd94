"""What a workspace lives through, by the flows' own bodies in this process, without Prefect.

Each journey can be set out on again after a kill, as the scheduler or a person would, and must end
where it ends unharmed.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from prefect import Task

from flows import approve, bootstrap, collect, daily, land, rollback, score, steps
from tasks import bundle, git, workspace
from tasks.attempt import SIDE_FILES
from tasks.contract import InvalidDayError
from tasks.ledger import Ledger
from tasks.nights import awaiting
from tasks.pull import pull
from tasks.records import Action
from tasks.roll_back import Fate
from tasks.upkeep import RetentionParams
from tests import line
from tests.line import APPLICATION, Place, nth
from tests.runs import experiments

REASON = "a bad week"
SHOWN = True  # a child may leave the snapshots out: they are half of the time


def leave_snapshots() -> None:
    """From here on this process makes no snapshots."""
    global SHOWN  # of a forked child
    SHOWN = False


@dataclass(frozen=True)
class Journey:
    """A piece of work, and the workspace in which it begins."""

    name: str
    template: str  # a fixture of tests/conftest.py
    work: Callable[[Place], None]
    prepare: Callable[[Place], object] = lambda place: None


@contextlib.contextmanager
def without_prefect(verdict: Action | None = None) -> Iterator[None]:
    """Flow bodies call the plain steps, tell no server and make no pages for people.

    `verdict` replaces the one that is reached.
    """
    tasks = {name: task for name, task in vars(steps).items() if isinstance(task, Task)}
    plain = SimpleNamespace(seconds=steps.seconds, **{n: task.fn for n, task in tasks.items()})
    reach = plain.reach_verdict

    def overruled(increment: Any, params: Any, where: Path) -> Any:
        reach(increment, params, where)
        return line.overrule(where, verdict) if verdict else None

    if verdict:
        plain.reach_verdict = overruled
    if not SHOWN:
        plain.finish_snapshots = lambda ledger, application: 0
    with contextlib.ExitStack() as stack:
        for flow in (approve, bootstrap, collect, daily, rollback, score):
            stack.enter_context(mock.patch.object(flow, "steps", plain))
        for flow in (approve, bootstrap, daily, rollback):
            stack.enter_context(mock.patch.object(flow, "show_line"))
        for flow in (approve, daily, collect):
            stack.enter_context(mock.patch.object(flow, "artifacts"))
        stack.enter_context(mock.patch.object(collect, "write_report"))
        stack.enter_context(mock.patch.object(land, "land_day", land.land_day.fn))
        yield


def learn(through: int, verdict: Action | None = None) -> Callable[[Place], None]:
    """The daily flow, up to the n-th day after history."""

    def work(place: Place) -> None:
        with without_prefect(verdict):
            daily.daily_increment.fn(APPLICATION, nth(through))

    return work


def set_aside(place: Place) -> None:
    """The daily flow at a day that breaks the contract; a run after it sees no such day."""
    with without_prefect(), contextlib.suppress(InvalidDayError):
        daily.daily_increment.fn(APPLICATION, nth(1))


def ask_and_approve(place: Place) -> None:
    """The daily flow asks for day 1, a person approves, and it is promoted."""
    with without_prefect():
        daily.daily_increment.fn(APPLICATION, nth(1))
        if awaiting(place.ledger, APPLICATION):
            approve.approve.fn("approve", REASON, APPLICATION)
        daily.daily_increment.fn(APPLICATION, nth(1))


def go_back(days_since: Fate, to: int) -> Callable[[Place], None]:
    """An operator's rollback to the n-th version, by one who looks first whether it is done."""

    def work(place: Place) -> None:
        with without_prefect():
            if place.ledger.champions(APPLICATION)[-1].reason != REASON:
                first = list(reversed(place.ledger.lineage(place.line)))[to].version
                rollback.rollback.fn(REASON, days_since, APPLICATION, first)
            daily.daily_increment.fn(APPLICATION, nth(0))  # finishes what is missing

    return work


def start(place: Place) -> None:
    """The bootstrap flow."""
    with without_prefect():
        bootstrap.bootstrap.fn(APPLICATION)


def land_next(place: Place) -> None:
    """The landing flow at the first day that is not landed."""
    with without_prefect():
        land.land.fn(nth(line.LANDED + 1))


def write_outputs(place: Place) -> None:
    """The champion's batch outputs."""
    with without_prefect():
        score.score.fn(APPLICATION)


def collect_old(place: Place) -> None:
    """The collection flow; of the line's versions only the last can be gone back to."""
    least = RetentionParams(days=1, predecessors=1, grace_hours=0)
    params = place.params.model_copy(update={"retention": least})
    with without_prefect(), mock.patch.object(collect, "load_params", lambda: params):
        collect.collect.fn(APPLICATION)


def keep_more(place: Place) -> None:
    """Three more days, so that there are versions that nobody needs."""
    line.land_days(place, line.LANDED + 1, line.LANDED + 2)
    pull()
    for _ in range(3):
        line.learn(place, "keep")
    line.finish_snapshots(place)


def lose_a_column(place: Place) -> None:
    line.land_instead(place, nth(1), lambda events: events.drop(columns="user_id"))


def land_one_more(place: Place) -> None:
    line.land_days(place, line.LANDED + 1)


JOURNEYS = (
    Journey("a promoted day", "template", learn(1, "promote"), land_one_more),
    Journey("a kept day", "shown_template", learn(4, "keep")),
    Journey("a day that takes the champion back", "shown_template", learn(4, "roll_back")),
    Journey("a rollback, to learn again", "shown_template", go_back("relearn", 1)),
    Journey("a rollback, days kept", "shown_template", go_back("keep", 1)),
    Journey("a rollback, days set aside", "shown_template", go_back("quarantine", 1)),
    Journey("a day set aside", "template", set_aside, lose_a_column),
    Journey("a first champion", "empty_template", start),
    Journey("a day landed", "template", land_next),
    Journey("the champion's outputs", "template", write_outputs),
    Journey("a collection", "shown_template", collect_old, keep_more),
    Journey("a day that is approved", "template", ask_and_approve, line.ask_first),
)


def truth(place: Place) -> dict[str, Any]:
    """All that must not depend on a kill; what ledger and registry name is there, and whole."""
    contents = place.ledger.contents()
    check_bundles(place.ledger)
    return {
        "ledger": contents,
        "collected": sorted(place.ledger.collected(APPLICATION)),
        "leases": [] if is_free(place.ledger) else ["held"],
        "experiments": experiments(place.root),
        "attachments": check_attachments(place.ledger),
        "registry": git.head(workspace.REGISTRY),
        "data.dvc": workspace.DATA_DVC.read_text(),
        "data": check_partitions(workspace.DATA, workspace.data_manifest()),
        "landed": check_partitions(workspace.REGISTRY / "data", workspace.registry_manifest()),
        "pins": workspace.INCREMENTS_FILE.read_text(),
        "outputs": digests(workspace.OUTPUTS),
        "shown": digests(workspace.INCREMENTS),
        "asked": digests(workspace.VAR / "awaiting"),
    }


def committed(found: dict[str, Any]) -> dict[str, Any]:
    """The truth without what snapshots show of it."""
    ledger = {table: rows for table, rows in found["ledger"].items() if table != "snapshots"}
    shown = ("experiments", "shown", "pins")
    return {name: found[name] for name in found if name not in shown} | {"ledger": ledger}


def is_free(ledger: Ledger) -> bool:
    """Whether the next run could begin at once."""
    with ledger.lease(APPLICATION):
        return True


def check_bundles(ledger: Ledger) -> None:
    """Every version of the store is whole, and those of the ledger are there, or collected."""
    known = {row["version"]: row["manifest"] for row in ledger.contents()["versions"]}
    gone = ledger.collected(APPLICATION)
    shelf = workspace.BUNDLES / APPLICATION
    stored = [path.name for path in shelf.iterdir() if not path.name.startswith(".draft-")]
    assert set(known) - set(gone) <= set(stored)
    for version in stored:
        found = bundle.load(workspace.BUNDLES, APPLICATION, version)
        assert known.get(version, found.digest) == found.digest


def check_attachments(ledger: Ledger) -> int:
    """Each attachment that the ledger names is there, with its digest; how many."""
    gone = ledger.collected(APPLICATION)
    rows = [row for row in ledger.contents()["attachments"] if row["version"] not in gone]
    for row in rows:
        file = workspace.ATTACHMENTS / APPLICATION / row["version"] / row["name"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"], file
    return len(rows)


def check_partitions(folder: Path, manifest: dict[str, str]) -> dict[str, str]:
    """Each partition that a data version locks is there, with its digest."""
    for name, md5 in manifest.items():
        assert hashlib.md5((folder / name).read_bytes()).hexdigest() == md5, name
    return manifest


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by path of the files of a folder, side files left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".html" and path.name not in SIDE_FILES
    }

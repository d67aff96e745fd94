"""A line by the real ledger, store, promotion and rollback; only versions' bytes are made up."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest import mock

from tasks import bundle, collect, learners, promote, roll_back, workspace
from tasks.attempt import PIN, fresh_folder
from tasks.bundle import Bundle
from tasks.due import standing_line
from tasks.ledger import Champion, Day, Ledger, Line, version_of
from tasks.manifest import ManifestFields
from tasks.params import Params, load_params
from tasks.records import Action, Increment, Validation, Verdict
from tasks.retention import made_from, needed, promised
from tasks.update import UpdateSettings
from tasks.upkeep import RetentionParams
from tasks.version import KINDS

APPLICATION = "recommendation"
FIRST_DAY = dt.date(2017, 10, 1)
PARAMS = load_params()
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a history is mostly syncs


class Stub:
    """A learner that is its one file."""

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        assert (directory / "model.safetensors").read_bytes()
        return cls()


@dataclass(frozen=True)
class MadeUp:
    """A workspace that is the current directory, without Git and DVC."""

    ledger: Ledger
    params: Params

    @property
    def line(self) -> Line:
        line = self.ledger.line(APPLICATION)
        assert line is not None
        return line

    def learn(self, action: Action, salt: int = 0) -> None:
        """The next day, as `flows/daily.py` settles it."""
        line = standing_line(self.ledger, self.line)
        due = line.day + dt.timedelta(days=1)
        while (fate := self.ledger.fates(APPLICATION).get(due)) and fate.outcome == "quarantined":
            due += dt.timedelta(days=1)
        increment = _increment(line, due, salt)
        for version in (increment.parent, increment.predecessor, increment.anchor):
            bundle.load(workspace.BUNDLES, APPLICATION, version)  # as an attempt does
        where = fresh_folder(APPLICATION)
        _write_attempt(increment, action, where)
        with self.ledger.lease(APPLICATION) as lease:
            promote.promote(self.ledger, lease, increment, self.params, where)

    def set_aside(self) -> None:
        """The next day breaks the contract."""
        with self.ledger.lease(APPLICATION) as lease:
            day = self.line.day + dt.timedelta(days=1)
            self.ledger.quarantine(lease, day, f"content {day}", "broken")

    def go_back(self, version: str, fate: roll_back.Fate = "relearn") -> Line:
        """An operator takes the line back."""
        with self.ledger.lease(APPLICATION) as lease:
            return roll_back.roll_back(
                self.ledger, lease, APPLICATION, self.params, version, fate, "for the test"
            )

    def show(self) -> None:
        """All snapshots are made, as far as the ledger is concerned."""
        for snapshot in self.ledger.missing_snapshots(APPLICATION):
            self.ledger.snapshot_done(snapshot)

    def collect(self) -> collect.Collection:
        """The collection, under the lease."""
        with self.ledger.lease(APPLICATION) as lease:
            return collect.collect(self.ledger, lease, self.params)

    def targets(self) -> list[str]:
        """What the line promises, newest first."""
        found = promised(self.ledger, self.line, self.params.retention)
        return [
            known.version for known in self.ledger.lineage(self.line) if known.version in found
        ]

    def can_be_gone_back_to(self, version: str) -> bool:
        """Whether nothing that its snapshot shows was ever collected."""
        gone = self.ledger.collected(APPLICATION).keys()
        return not gone & made_from(self.ledger, APPLICATION, version)

    def needed(self) -> set[str]:
        """The bundles that must be there."""
        found = promised(self.ledger, self.line, self.params.retention)
        return needed(self.ledger, APPLICATION, found)

    def check_whole(self) -> None:
        """What is promised is there to the last byte, and what is not there is said to be gone."""
        gone = self.ledger.collected(APPLICATION).keys()
        assert not self.needed() & gone
        for version in self.ledger.versions(APPLICATION).keys() - gone:
            bundle.load(workspace.BUNDLES, APPLICATION, version)
        for version in self.targets():
            self.check_can_be_shown(version)

    def check_can_be_shown(self, version: str) -> None:
        """A snapshot of the version finds all that it shows."""
        for name in made_from(self.ledger, APPLICATION, version):
            bundle.load(workspace.BUNDLES, APPLICATION, name)
        for name, digest in self.ledger.attached(APPLICATION, version).items():
            file = workspace.ATTACHMENTS / APPLICATION / version / name
            assert hashlib.sha256(file.read_bytes()).hexdigest() == digest, file


def stored(shelf: Path = workspace.BUNDLES) -> set[str]:
    """The versions that have a folder there."""
    return {
        path.name
        for path in (shelf / APPLICATION).iterdir()
        if collect.VERSION.fullmatch(path.name)
    }


@contextmanager
def made_up_line(folder: Path, retention: RetentionParams) -> Iterator[MadeUp]:
    """A first champion in a fresh folder, which is the current directory within the block."""
    params = PARAMS.model_copy(update={"retention": retention})
    with (
        chdir(folder),
        mock.patch.object(promote, "build_version", _build),
        mock.patch.object(promote, "write_card"),
        mock.patch.object(learners, "learner_class", lambda section: Stub),
        mock.patch.object(collect, "objects", NoStore()),
    ):
        place = MadeUp(Ledger(f"sqlite:///{folder / 'ledger.db'}"), params)
        first = _store("first", FIRST_DAY, None, None, None)
        champion = Champion(
            version=first.version, day=FIRST_DAY, action="first", reason="", actor="bootstrap"
        )
        with place.ledger.lease(APPLICATION) as lease:
            place.ledger.start_line(
                lease, version_of(first), [_learned(FIRST_DAY, first.version)], champion
            )
        try:
            yield place
        finally:
            place.ledger.engine.dispose()


class NoStore:
    """Stands in for `tasks.objects` where there is no DVC; tests/tasks/test_objects.py has it."""

    def experiments(self, application: str) -> dict[str, str]:
        return {}

    def sweep(self, doomed: object, remote: bool, dry_run: bool) -> dict[str, int]:
        return {}


def _increment(line: Line, day: dt.date, salt: int) -> Increment:
    return Increment(
        application=APPLICATION,
        day=day,
        events="",
        items="",
        prices="",
        partitions={},
        parent=line.head,
        predecessor=line.predecessor or line.head,
        anchor=line.anchor,
        looks={},
        update=UpdateSettings(),
        seed=salt,
        code="code",
    )


def _write_attempt(increment: Increment, action: Action, where: Path) -> None:
    increment.write(where / PIN)
    Validation(day=increment.day, rows=9, users=1, items=1, closed=False).write(
        where / "validation.json"
    )
    told = {"reason": "for the test", "checks": (), "alarms": (), "plan": ""}
    Verdict(application=APPLICATION, day=increment.day, action=action, **told).write(
        where / "verdict.json"
    )
    (where / "challenger").mkdir()
    (where / "challenger" / "model.safetensors").write_bytes(b"refused or not")


def _build(increment: Increment, params: Params, where: Path) -> Bundle:
    action = Verdict.read(where / "verdict.json").action
    parent = bundle.read_manifest(workspace.BUNDLES / APPLICATION / increment.parent)
    predecessor = increment.parent if action == "promote" else parent.predecessor
    if action == "roll_back":
        past = bundle.load(workspace.BUNDLES, APPLICATION, increment.predecessor)
        predecessor = past.manifest.predecessor
    return _store(action, increment.day, increment, predecessor, where)


def _store(
    action: Action,
    day: dt.date,
    increment: Increment | None,
    predecessor: str | None,
    where: Path | None,
) -> Bundle:
    draft = (where or fresh_folder(APPLICATION)) / "next"
    draft.mkdir()
    (draft / "model.safetensors").write_bytes(
        f"{action} {day} {increment and increment.seed}".encode()
    )
    fields = ManifestFields(
        application=APPLICATION,
        day=day,
        kind=KINDS[action],
        parent=increment and increment.parent,
        predecessor=predecessor,
        anchor=increment and increment.anchor,
        settings={},
        partitions={},
        code="code",
    )
    stored = bundle.store(draft, fields, workspace.BUNDLES)
    (draft / "model.safetensors").unlink()
    draft.rmdir()
    return stored


def _learned(day: dt.date, version: str) -> Day:
    return Day(
        day=day,
        digest=f"content {day}",
        outcome="learned",
        version=version,
        action="first",
        reason="history",
    )

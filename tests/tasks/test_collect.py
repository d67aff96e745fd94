"""What is promised stays whole and can be gone back to; the rest goes, and nothing grows."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks import collect, workspace
from tasks.ledger import LeaseHeldError, LostLineError
from tasks.nights import beside
from tasks.records import Increment
from tasks.retention import UnreadablePinError
from tasks.rewind import NoWayBackError
from tasks.upkeep import RetentionParams
from tests.tasks.made_up_line import APPLICATION, MEMORY, MadeUp, made_up_line, stored

KEPT = RetentionParams(days=2, predecessors=1, grace_hours=0)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder on the fastest disk that there is."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def place(memory: Path) -> Iterator[MadeUp]:
    """Eight days: promoted, kept, promoted and so on."""
    with made_up_line(memory, KEPT) as place:
        for number in range(8):
            place.learn("keep" if number % 2 else "promote")
        place.show()
        yield place


def files(root: Path) -> set[str]:
    """All files but the ledger's."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path) for path in found if not path.name.startswith("ledger")}


@pytest.mark.fault(29)
def test_ten_times_the_days_are_no_more_versions(place: MadeUp) -> None:
    place.collect()
    there = len(stored())
    for number in range(40):
        place.learn("keep" if number % 2 else "promote")
        place.show()
        if number % 7 == 0:
            place.collect()
    place.collect()
    assert len(place.ledger.versions(APPLICATION)) == 49
    assert len(stored()) <= there
    heavy = {path for path in files(Path()) if not path.endswith(".json")}
    assert len([path for path in heavy if path.startswith("var/attachments")]) == there - 1


def test_the_records_of_the_steps_stay(place: MadeUp) -> None:
    place.collect()
    (gone, *_) = place.ledger.collected(APPLICATION)
    left = workspace.ATTACHMENTS / APPLICATION / gone
    assert files(left) == {"increment.json", "validation.json", "verdict.json"}


@pytest.mark.fault(28)
def test_to_what_was_collected_there_is_no_way_and_it_is_said_why(place: MadeUp) -> None:
    lineage = [known.version for known in place.ledger.lineage(place.line)]
    place.collect()
    truth = place.ledger.contents()
    with pytest.raises(NoWayBackError, match=r"was collected on .* its files are gone.*still: "):
        place.go_back(lineage[6])
    only_pinned = next(v for v in lineage if v in stored() and v not in place.targets())
    with pytest.raises(NoWayBackError, match=r"was collected on .*, of its files are gone"):
        place.go_back(only_pinned)  # it is there, and what it was made from is not
    assert place.ledger.contents() == truth


def test_a_preview_says_the_same_and_changes_nothing(place: MadeUp) -> None:
    before, truth = files(Path()), place.ledger.contents()
    said = collect.preview(place.ledger, APPLICATION, place.params)
    assert files(Path()) == before
    assert place.ledger.contents() == truth
    assert place.ledger.collected(APPLICATION) == {}
    assert place.collect() == said
    assert said.bytes["bundles"] > 0
    assert set(said.versions) == place.ledger.collected(APPLICATION).keys()
    assert place.collect().versions == ()


def test_nothing_younger_than_the_grace_goes(place: MadeUp) -> None:
    patient = RetentionParams(days=2, predecessors=1, grace_hours=1)
    before = files(Path())
    with place.ledger.lease(APPLICATION) as lease:
        params = place.params.model_copy(update={"retention": patient})
        assert collect.collect(place.ledger, lease, params).versions == ()
    assert files(Path()) == before


def test_while_a_run_is_at_work_nothing_goes(place: MadeUp) -> None:
    before = files(Path())
    with (
        place.ledger.lease(APPLICATION, owner="the night"),
        pytest.raises(LeaseHeldError, match="the night"),
    ):
        place.collect()
    assert files(Path()) == before


def test_a_run_that_lost_its_lease_removes_nothing(place: MadeUp) -> None:
    before = files(Path())
    with place.ledger.lease(APPLICATION) as lease:
        stale = replace(lease, fencing=lease.fencing - 1)
        with pytest.raises(LostLineError):
            collect.collect(place.ledger, stale, place.params)
    assert files(Path()) == before


def test_where_a_pin_cannot_be_read_nothing_goes(place: MadeUp) -> None:
    (workspace.ATTACHMENTS / APPLICATION / place.line.head / "increment.json").write_text("{")
    before = files(Path())
    with pytest.raises(UnreadablePinError, match="nothing was changed"):
        place.collect()
    assert files(Path()) == before


def test_a_collected_version_that_is_learned_again_is_whole_again(place: MadeUp) -> None:
    back = place.targets()[1]
    dropped = place.line.head
    place.go_back(back)
    place.collect()
    assert dropped in place.ledger.collected(APPLICATION)
    place.learn("keep")  # as before
    assert place.line.head == dropped
    assert dropped not in place.ledger.collected(APPLICATION)
    place.check_whole()


def test_pages_and_outputs_of_old_days_go(place: MadeUp) -> None:
    shelf = workspace.OUTPUTS / APPLICATION
    lineage = [known.version for known in place.ledger.lineage(place.line)]
    for version in lineage:
        (shelf / version).mkdir(parents=True)
    (shelf / "latest").symlink_to(lineage[5])  # score has not come to the head yet
    days = [known.day for known in place.ledger.lineage(place.line)]
    for day in days:
        (workspace.REPORTS / APPLICATION / str(day)).mkdir(parents=True)
    place.collect()
    assert stored(workspace.OUTPUTS) == place.needed() | {lineage[5]}
    pages = {path.name for path in (workspace.REPORTS / APPLICATION).iterdir()}
    assert pages == {str(day) for day in days[:2]}


OPERATIONS = ((Path, "rename"), (os, "unlink"), (os, "rmdir"), (os, "fsync"))


@pytest.mark.fault(29)
def test_killed_at_any_instant_the_next_one_ends_the_same(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child dies at its n-th rename, removal or sync; then it is done again."""
    (memory / "whole").mkdir()
    with made_up_line(memory / "whole", KEPT) as place:
        for number in range(7):
            place.learn("keep" if number % 2 else "promote")
        place.show()
        shutil.copytree(memory / "whole", memory / "copy")
        place.collect()
        expected = files(Path())
        for stop_at in itertools.count(1):
            shutil.rmtree(memory / "whole")
            shutil.copytree(memory / "copy", memory / "whole")
            os.chdir(memory / "whole")
            if not _killed_at(stop_at, place, monkeypatch):
                break
            place.check_whole()
            place.collect()
            place.check_whole()
            assert files(Path()) == expected
    assert stop_at > 12


def _killed_at(stop_at: int, place: MadeUp, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the child came that far."""
    child = os.fork()
    if child == 0:
        try:
            die_at(stop_at, OPERATIONS, monkeypatch)
            place.collect()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def die_at(
    stop_at: int, operations: Iterable[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From now on, the n-th of these calls is the last thing that this process does."""
    left = itertools.count(stop_at - 1, -1)

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for owner, name in operations:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))


@pytest.mark.fault(28, 29)
def test_what_was_only_pinned_is_not_promised_when_the_line_goes_back(place: MadeUp) -> None:
    place.collect()
    before = place.targets()
    place.go_back(before[1])
    assert place.targets() == before[1:]
    place.check_whole()


@pytest.mark.fault(28)
def test_a_predecessor_that_was_collected_is_as_none(place: MadeUp) -> None:
    """As after more roll backs in a row than champions are kept: nights go on."""
    before = place.line
    assert before.predecessor
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.note_collected(lease, [before.predecessor])
    place.learn("keep")
    pinned = Increment.read(beside(APPLICATION, place.line.head, "increment.json"))
    assert pinned.predecessor == pinned.parent == before.head

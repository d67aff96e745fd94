"""Random histories, collections at random times: what is promised is whole, nothing else stays."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rewind import NoWayBackError
from tasks.upkeep import RetentionParams
from tests.tasks.made_up_line import APPLICATION, MEMORY, MadeUp, made_up_line, stored

STEPS = st.one_of(
    st.tuples(st.sampled_from(["promote", "keep", "roll_back"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["set aside", "show", "refused", "collect"]), st.just(0)),
    st.tuples(st.sampled_from(["back", "back, aside"]), st.integers(0, 9)),
)


def said_to_be_kept(place: MadeUp) -> set[str]:
    """As docs/how-to/keep-and-collect.md has it, told from the ledger alone."""
    line, retention = place.line, place.params.retention
    versions = place.ledger.versions(APPLICATION)
    before: list[str | None] = [line.predecessor]
    for _ in range(retention.predecessors - 1):
        before.append(before[-1] and versions[before[-1]].predecessor)
    recent = {
        known.version
        for known in place.ledger.lineage(line)
        if (line.day - known.day).days < retention.days
    }
    awaiting = {snapshot.version for snapshot in place.ledger.missing_snapshots(APPLICATION)}
    on_line = {known.version for known in place.ledger.lineage(line)}
    roles = {line.head, line.champion, line.anchor, *before} - {None}
    return {name for name in roles | recent | awaiting if name in on_line}


def take(place: MadeUp, what: str, number: int) -> None:
    """One thing that happens to a line."""
    match what:
        case "promote" | "keep":
            place.learn("promote" if what == "promote" else "keep", number)
        case "roll_back":  # the gate has it only where there is something to fall back on
            line = place.line
            if line.predecessor and line.predecessor not in place.ledger.collected(APPLICATION):
                place.learn("roll_back", number)
        case "set aside":
            place.set_aside()
        case "show":
            place.show()
        case "refused":  # a run was killed between the bundle and the commit
            fate = place.ledger.commit_increment
            place.ledger.__dict__["commit_increment"] = _killed
            with pytest.raises(KilledError):
                place.learn("keep", 7)
            place.ledger.__dict__.pop("commit_increment")
            assert place.ledger.commit_increment == fate
        case "collect":
            due = {name for name in said_to_be_kept(place) if place.can_be_gone_back_to(name)}
            assert place.line.head in due
            place.collect()
            assert due <= set(place.targets())
            assert due <= stored()
        case _:
            there = place.targets()[1:]
            if there:
                target = there[number % len(there)]
                place.go_back(target, "relearn" if what == "back" else "quarantine")
                place.check_can_be_shown(target)


class KilledError(Exception):
    """Stands for the end of the process."""


def _killed(*arguments: object, **options: object) -> None:
    raise KilledError


HISTORY = {
    "history": st.lists(STEPS, max_size=24),
    "days": st.integers(1, 4),
    "predecessors": st.integers(1, 3),
}


def check_history(history: list[tuple[str, int]], days: int, predecessors: int) -> None:
    """Whatever happens, what is promised is whole, and in the end nothing else is there."""
    kept = RetentionParams(days=days, predecessors=predecessors, grace_hours=0)
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        made_up_line(Path(folder), kept) as place,
    ):
        for what, number in history:
            take(place, what, number)
            place.check_whole()
        place.show()
        place.collect()
        place.check_whole()
        targets = place.targets()
        assert stored() == place.needed()
        assert len(targets) <= days + predecessors + 3  # head, champion, anchor
        assert len(stored()) <= 5 * len(targets)
        line = place.line
        for version in place.ledger.versions(APPLICATION).keys() - stored():
            with pytest.raises(NoWayBackError):
                place.go_back(version)
        assert place.line == line
        for version in targets[1:]:
            line = place.go_back(version)
            assert line.head == version
            assert line.predecessor is None or line.predecessor in stored()
            place.check_can_be_shown(version)
            place.learn("keep")  # and the line goes on from there
            place.go_back(version)


@pytest.mark.fault(28, 29)
@settings(max_examples=8)
@given(**HISTORY)
def test_random_histories(**drawn: Any) -> None:
    check_history(**drawn)


@pytest.mark.slow
@pytest.mark.fault(28, 29)
@settings(max_examples=40)
@given(**HISTORY)
def test_many_random_histories(**drawn: Any) -> None:
    check_history(**drawn)

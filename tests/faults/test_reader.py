"""Who reads while a line moves sees it before or after: one champion, whole, never none or two."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks import bundle, roll_back, workspace
from tasks.attempt import fresh_folder
from tasks.ledger import Ledger, Line
from tests import line
from tests.faults import children
from tests.line import APPLICATION, Place, attempt

pytestmark = [pytest.mark.slow, pytest.mark.fault(2)]
ROUNDS = 6


def look(ledger: Ledger) -> Line:
    """The line as a reader has it; all that it says of itself fits together, and is there."""
    truth = ledger.contents()
    (row,) = truth["lines"]
    commits = [entry["sequence"] for entry in truth["snapshots"]]
    assert commits == list(range(1, row["sequence"] + 1))
    assert truth["champions"][-1]["version"] == row["champion"]
    assert truth["snapshots"][-1]["version"] == row["head"]
    seen = ledger.line(APPLICATION)
    assert seen is not None
    bundle.load(workspace.BUNDLES, APPLICATION, seen.champion)
    return seen


def poll(url: str, stop: Path) -> tuple[int, list[Line]]:
    """How often the reader looked, and what it saw, each change once, until it is told to stop."""
    ledger, looks, seen = Ledger(url), 0, list[Line]()
    while True:
        last = stop.exists()  # asked first: the end is looked at, too
        found = look(ledger)
        looks += 1
        if not seen or seen[-1] != found:
            seen.append(found)
        if last:
            return looks, seen


def move(place: Place, kept: Path) -> list[Line]:
    """Promote the same challenger and take it back, several times; where the line stood."""
    stood = [place.line]
    for _ in range(ROUNDS):
        where = fresh_folder(APPLICATION)
        shutil.copytree(kept, where, dirs_exist_ok=True)
        stood.append(line.settle(place, where, "promote"))
        with place.ledger.lease(APPLICATION) as lease:
            back = roll_back.roll_back(
                place.ledger,
                lease,
                APPLICATION,
                place.params,
                to_version=None,
                days_since="relearn",
                reason="a bad day",
            )
        stood.append(back)
    return stood


def test_a_reader_sees_one_champion_at_every_instant(
    url: str,
    evening: Place,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    here = evening.ledger.engine.url.render_as_string(hide_password=False)
    kept = attempt().rename(tmp_path / "attempt")
    stop = tmp_path / "stop"
    reader = children.fork("reader", lambda: poll(here, stop))
    try:
        stood = move(evening, kept)
    finally:
        stop.touch()
        ended = children.wait(reader)
    assert ended.status == 0, ended.said
    looks, seen = ended.answer
    assert looks > ROUNDS
    assert len(seen) > 2
    steps = iter(stood)
    assert all(found in steps for found in seen)  # in this order, and nothing in between
    assert seen[-1] == stood[-1]
    record_property("database", url.partition(":")[0].partition("+")[0])


def test_the_reader_would_notice(evening: Place) -> None:
    """A line that is a commit ahead of the tables beside it is not what it takes."""
    look(evening.ledger)
    with evening.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lines SET sequence = sequence + 1")
    with pytest.raises(AssertionError):
        look(evening.ledger)

"""A damaged ledger is refused by name with a cure that works; its copy is never the damage's."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tasks.ledger import Ledger, UnusableLedgerError
from tasks.ledger.backup import back_up, backup_of
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, SECOND, THIRD

pytestmark = pytest.mark.fault(34)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger of three versions, at rest: nothing is left in the write-ahead log."""
    made = tmp_path / "var" / "ledger.db"
    ledger = Ledger(f"sqlite:///{made}")
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)
        shop.keep(ledger, lease, THIRD, SECOND, 4)
    return made


def opened(file: Path) -> Ledger:
    return Ledger(f"sqlite:///{file}")


def _truncate(size: int) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(file.read_bytes()[:size])


def _overwrite(offset: int, raw: bytes) -> Callable[[Path], object]:
    def overwrite(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[offset : offset + len(raw)] = raw
        file.write_bytes(content)

    return overwrite


def _of_someone_else(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE orders (number INTEGER)")


def _lose_a_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM versions WHERE version = ?", (FIRST,))


DAMAGE = {
    "lost": Path.unlink,
    "emptied": _truncate(0),
    "cut in the header": _truncate(50),
    "cut after a page": _truncate(4096),
    "cut in a page": _truncate(3 * 4096 + 17),
    "another header": _overwrite(3, b"?"),
    "text": lambda file: file.write_text("no database at all\n" * 400),
    "a page of zeros": _overwrite(2 * 4096, bytes(4096)),
    "a page of ones": _overwrite(2 * 4096, b"\xff" * 4096),
    "someone else's": _of_someone_else,
    "a row gone": _lose_a_version,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_refused_and_mended_as_the_message_says(
    damage: Callable[[Path], object], file: Path, tmp_path: Path
) -> None:
    truth = opened(file).contents()
    damage(file)
    harmed = file.read_bytes() if file.exists() else None
    with pytest.raises(UnusableLedgerError, match="cannot be used") as said:
        opened(file)
    assert (file.read_bytes() if file.exists() else None) == harmed
    aside = tmp_path / "aside"
    aside.mkdir()
    cure = str(said.value).split("With no run at work: ")[1].replace("ELSEWHERE", str(aside))
    subprocess.run(cure, shell=True, check=False, capture_output=True)  # noqa: S602
    mended = opened(file)
    assert mended.contents() == truth
    with mended.lease(APPLICATION) as lease:
        shop.promote(mended, lease, "d" * 64, THIRD, 5)


def test_without_a_copy_the_way_is_named(file: Path) -> None:
    backup_of(file).unlink()
    _truncate(5000)(file)
    with pytest.raises(UnusableLedgerError, match="no copy of it: see 'The ledger is damaged'"):
        opened(file)


def test_each_flipped_bit_is_refused_or_changes_no_more_than_a_value(file: Path) -> None:
    """SQLite keeps no checksums: what a flip makes of a text or a number is not seen here."""
    sound, truth = file.read_bytes(), opened(file).contents()
    shape = {table: len(rows) for table, rows in truth.items()}
    refused = 0
    for place in range(0, len(sound), 307):
        flipped = bytearray(sound)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        for log in file.parent.glob("ledger.db-*"):
            log.unlink()
        try:
            rows = opened(file).contents()
        except (UnusableLedgerError, SQLAlchemyError, ValueError):  # the latter: names, dates
            refused += 1
        else:
            assert {table: len(found) for table, found in rows.items()} == shape, place
    assert refused > 10


def test_the_copy_is_of_the_last_commit_and_not_written_by_a_look(file: Path) -> None:
    copy = backup_of(file)
    before = copy.read_bytes()
    ledger = opened(file)
    ledger.history(APPLICATION)
    assert copy.read_bytes() == before
    assert opened(copy).contents() == ledger.contents()
    with ledger.lease(APPLICATION) as lease:
        shop.promote(ledger, lease, "d" * 64, THIRD, 5)
    assert opened(copy).contents() == ledger.contents()


def test_a_copy_of_damage_does_not_replace_a_good_one(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy, ledger = backup_of(file), opened(file)
    before = copy.read_bytes()
    _lose_a_version(file)
    back_up(ledger.engine)
    assert copy.read_bytes() == before
    assert "cannot write" in caplog.text
    assert "names a version that is not there" in caplog.text


def test_a_full_disk_does_not_hide_what_was_learned(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ledger = opened(file)
    with ledger.lease(APPLICATION) as lease:
        shop.promote(ledger, lease, "d" * 64, THIRD, 5)
    assert "No space left on device" in caplog.text
    line = ledger.line(APPLICATION)
    assert line is not None
    assert line.sequence == 4


def test_a_lease_given_back_leaves_nothing_but_ledger_and_copy(file: Path) -> None:
    shutil.rmtree(file.parent)
    ledger = opened(file)
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
    assert {path.name for path in file.parent.iterdir()} == {"ledger.db", "ledger-backup.db"}

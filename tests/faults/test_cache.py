"""DVC holds other bytes than those that are locked: said by name, and mendable."""

import os
from pathlib import Path
from unittest import mock

import pytest

from tasks import days, workspace
from tests.faults.journeys import learn
from tests.line import Place, nth

pytestmark = [pytest.mark.slow]
CACHE = Path(".dvc/cache/files/md5")
REMOTE = workspace.REGISTRY / ".remote/files/md5"


def object_of(store: Path, md5: str) -> Path:
    return store / md5[:2] / md5[2:]


def damage(path: Path, content: bytes) -> None:
    """Other content of the same size or a shorter one, with the times kept as they were."""
    times = path.stat()
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(times.st_mode)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def turned(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.fixture
def partition(place: Place) -> tuple[Path, str]:
    """The events of the next day: where they lie, and their md5."""
    name = workspace.partition("events", nth(1))
    return workspace.DATA / name, workspace.data_manifest()[name]


@pytest.mark.fault(11)
def test_a_bit_turned_in_cache_and_workspace_is_not_learned(
    place: Place, partition: tuple[Path, str]
) -> None:
    """With size and times kept, DVC need not see it: here it is asked nothing."""
    path, md5 = partition
    before, good = place.line, path.read_bytes()
    days._read.cache_clear()  # of another test of this process, with the same good bytes
    for copy in {path, object_of(CACHE, md5)}:
        damage(copy, turned(good))
    with (
        mock.patch.object(workspace, "update_data"),
        pytest.raises(workspace.DamagedPartitionError, match=f"{path} has md5 .*dvc pull"),
    ):
        learn(1)(place)
    assert place.line == before
    for copy in (path, object_of(CACHE, md5)):
        copy.unlink()
    learn(1)(place)  # the pull that every run begins with brings it back
    assert place.line.day == nth(1)


@pytest.mark.fault(12)
@pytest.mark.parametrize("damaged", ["cut off", "a bit turned", "gone"])
def test_a_damaged_object_of_the_registrys_remote_is_not_learned(
    damaged: str, place: Place, partition: tuple[Path, str]
) -> None:
    """It is the last copy: DVC would take one of the registry's own working tree, too."""
    path, md5 = partition
    before, good, stored = place.line, path.read_bytes(), object_of(REMOTE, md5)
    days._read.cache_clear()
    theirs = object_of(workspace.REGISTRY / CACHE, md5)
    for copy in (path, object_of(CACHE, md5), theirs, workspace.REGISTRY / path):
        copy.unlink(missing_ok=True)
    if damaged == "gone":
        stored.unlink()
    else:
        damage(stored, good[: len(good) // 2] if damaged == "cut off" else turned(good))
    with pytest.raises((workspace.DamagedPartitionError, FileNotFoundError), match=str(path)):
        learn(1)(place)
    assert place.line == before
    for copy in (path, object_of(CACHE, md5), theirs, stored):
        copy.unlink(missing_ok=True)
    stored.write_bytes(good)  # as whoever keeps the remote brings it back
    learn(1)(place)
    assert place.line.day == nth(1)
    assert path.read_bytes() == good

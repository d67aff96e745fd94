"""A disk that fills up, lies, loses its end or turns a bit; and what is synced before what."""

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation.learner import RecommendationLearner
from tasks import bundle, workspace
from tasks.bundle import CorruptBundleError
from tests import line
from tests.bundles import FIELDS, write_files
from tests.faults import children, journeys, operations
from tests.faults.journeys import learn
from tests.line import APPLICATION, Place, attempt, nth, settle

BLOCK = 4096


@pytest.mark.fault(3)
def test_a_version_is_on_the_disk_before_it_is_found(tmp_path: Path) -> None:
    """Each file is synced, then the folders, then comes the rename, then its folder's sync."""
    source, root = write_files(tmp_path / "attempt"), tmp_path / "bundles"

    def work() -> list[tuple[str, str]]:
        done: list[tuple[str, str]] = []
        operations.watch(lambda operation, target: done.append((operation, target)), tmp_path)
        bundle.store(source, FIELDS, root)
        return done

    done = children.answer("store", work)
    (found,) = (at for at, (operation, _) in enumerate(done) if operation == "os.rename")
    draft, final = (Path(name) for name in done[found][1].split(" "))
    synced = [name for operation, name in done[:found] if operation == "os.fsync"]
    names = ["model.safetensors", "memory/replay.safetensors", "memory", "", "manifest.json"]
    assert sorted(synced) == sorted(str(draft / name) for name in names)
    assert synced.index(f"{draft}/manifest.json") > synced.index(f"{draft}/model.safetensors")
    after = [name for operation, name in done[found:] if operation == "os.fsync"]
    assert after == [str(final.parent), str(root)]


@pytest.mark.fault(3)
def test_cut_off_at_every_block_and_with_any_bit_turned_it_is_refused(tmp_path: Path) -> None:
    made = bundle.store(write_files(tmp_path / "attempt"), FIELDS, tmp_path / "bundles")
    refused = 0
    for name in ("model.safetensors", "manifest.json"):
        file = made.path / name
        content = file.read_bytes()
        step = BLOCK if len(content) > BLOCK else 64
        file.chmod(0o644)
        for at in range(0, len(content), step):
            turned = bytearray(content)
            turned[at] ^= 1 << at // step % 8
            for damaged in (content[:at], bytes(turned)):
                file.write_bytes(damaged)
                with pytest.raises(CorruptBundleError, match="restore the version"):
                    bundle.load(tmp_path / "bundles", FIELDS.application, made.version)
                refused += 1
        file.write_bytes(content)
        assert bundle.verify(made.path) == made.manifest
    assert refused > 1000


@pytest.mark.fault(4)
def test_bytes_that_never_reached_the_disk_are_missed(
    evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system takes every byte and says so; there are none when they are read back."""
    truth, settled = evening.ledger.contents(), bundle._settle

    def lose(writer: Any) -> None:
        settled(writer)
        if writer.name.endswith("model.safetensors"):
            os.ftruncate(writer.fileno(), 0)

    with monkeypatch.context() as patched:
        patched.setattr(bundle, "_settle", lose)
        with pytest.raises(CorruptBundleError, match=r"model\.safetensors has 0 bytes") as refused:
            settle(evening, attempt(), "promote")
    assert evening.ledger.contents() == truth
    (broken,) = (p for p in (workspace.BUNDLES / APPLICATION).iterdir() if p != evening.head)
    assert f"{broken}: " in str(refused.value)
    broken.rename(evening.root / "moved away")  # as the message says
    assert line.learn(evening, "promote").day == nth(1)


@pytest.mark.fault(4)
@pytest.mark.parametrize("lost", ["all of it", "the weights"])
def test_a_learner_that_saved_nothing_does_not_serve(
    lost: str, evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, save = evening.ledger.contents(), RecommendationLearner.save

    def forget(learner: RecommendationLearner, folder: Path) -> None:
        if lost == "the weights":
            save(learner, folder)
            (folder / "model.safetensors").unlink()

    with monkeypatch.context() as patched:
        patched.setattr(RecommendationLearner, "save", forget)
        with pytest.raises((OSError, LearnerFileError), match="No such file"):
            settle(evening, attempt(), "promote")
    assert evening.ledger.contents() == truth
    assert line.learn(evening, "promote").day == nth(1)


@pytest.mark.fault(5)
def test_a_full_disk_is_an_error_and_no_more(place: Place, tmp_path: Path) -> None:
    """No file may grow beyond so many bytes: in the steps, in the bundle, in the ledger."""
    with line.open_copy(place.root, tmp_path / "unharmed") as unharmed:
        learn(1, "promote")(unharmed)
        expected = journeys.truth(unharmed)
    for limit in (100, 2_000, 20_000):
        with line.open_copy(place.root, tmp_path / f"full at {limit}") as full:
            truth = full.ledger.contents()

            def work(full: Place = full, limit: int = limit) -> None:
                everything = resource.RLIM_INFINITY
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, everything))
                try:
                    learn(1, "promote")(full)
                finally:  # its last words need room
                    resource.setrlimit(resource.RLIMIT_FSIZE, (everything, everything))

            ended = children.wait(children.fork(f"at most {limit} bytes", work))
            assert ended.status == 1, ended.said
            assert any(words in ended.said for words in ("too large", "disk is full", "disk I/O"))
            assert full.ledger.contents() == truth
            shelf = workspace.BUNDLES / APPLICATION
            assert [path.name for path in shelf.iterdir()] == [full.line.head]
            learn(1, "promote")(full)
            assert journeys.truth(full) == expected

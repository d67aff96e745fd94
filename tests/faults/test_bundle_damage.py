"""A bundle that is damaged, or whose maker was killed, is never taken for a good one."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.bundle import CorruptBundleError, load, store, verify
from tests.bundles import FIELDS, write_files


@pytest.fixture
def learner(tmp_path: Path) -> Path:
    return write_files(tmp_path / "attempt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bundles"


def _remove(path: Path) -> None:
    (path / "model.safetensors").unlink()


def _truncate(path: Path) -> None:
    (path / "model.safetensors").chmod(0o644)
    os.truncate(path / "model.safetensors", 1000)


def _flip(path: Path) -> None:
    file = path / "model.safetensors"
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[1234] ^= 1
    file.write_bytes(content)


def _add(path: Path) -> None:
    (path / "memory" / "extra.pkl").write_bytes(b"?")


def _rewrite(path: Path, **change: object) -> None:
    file = path / "manifest.json"
    content = json.loads(file.read_text()) | change
    file.unlink()
    file.write_text(json.dumps(content))


def _garble(path: Path) -> None:
    (path / "manifest.json").unlink()
    (path / "manifest.json").write_text('{"version": ')


def _lose_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


def _other_day(path: Path) -> None:
    _rewrite(path, day="2017-10-05")


def _other_application(path: Path) -> None:
    _rewrite(path, application="pricing")


def _more_fields(path: Path) -> None:
    _rewrite(path, trusted=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_remove, r"model\.safetensors is missing"),
        (_truncate, r"model\.safetensors has 1000 bytes instead of 2097152"),
        (_flip, r"model\.safetensors has sha256 [0-9a-f]{64} instead of"),
        (_add, r"memory/extra\.pkl does not belong"),
        (_garble, r"manifest\.json cannot be read"),
        (_lose_manifest, r"manifest\.json is missing"),
        (_more_fields, r"manifest\.json cannot be read"),
        (_other_day, r"manifest\.json does not hash to its version id"),
        (_other_application, r"manifest\.json is of application 'pricing', not 'recommendation'"),
        (shutil.rmtree, r"manifest\.json is missing"),
    ],
)
@pytest.mark.fault(3)
def test_damage_is_found_named_and_has_a_cure(
    damage: Callable[[Path], None], said: str, learner: Path, root: Path
) -> None:
    made = store(learner, FIELDS, root)
    damage(made.path)
    with pytest.raises(CorruptBundleError, match=said + r".*restore the version"):
        load(root, "recommendation", made.version)
    assert str(made.path) in str(_error(lambda: load(root, "recommendation", made.version)))


def _error(call: Callable[[], object]) -> BaseException:
    with pytest.raises(CorruptBundleError) as caught:
        call()
    return caught.value


@pytest.mark.fault(3)
def test_a_damaged_version_is_not_taken_for_the_same(learner: Path, root: Path) -> None:
    made = store(learner, FIELDS, root)
    _flip(made.path)
    with pytest.raises(CorruptBundleError, match="sha256"):
        store(learner, FIELDS, root)
    shutil.move(made.path, root / "aside")
    assert store(learner, FIELDS, root) == made


def test_a_bundle_under_another_name_is_refused(learner: Path, root: Path) -> None:
    made = store(learner, FIELDS, root)
    made.path.rename(made.path.with_name("f" * 64))
    with pytest.raises(CorruptBundleError, match=f"version '{made.version}', not 'f"):
        load(root, "recommendation", "f" * 64)


@pytest.mark.parametrize("stop_at", range(1, 14))
@pytest.mark.fault(1, 3)
def test_killed_anywhere_leaves_all_or_nothing(
    stop_at: int, learner: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child dies at its n-th write, sync or rename; the parent then stores the same."""
    child = os.fork()
    if child == 0:
        _die_at(stop_at, monkeypatch)
        store(learner, FIELDS, root)
        os._exit(0)
    os.waitpid(child, 0)
    shelf = root / "recommendation"
    for path in [path for path in shelf.iterdir() if not path.name.startswith(".draft-")]:
        verify(path, application="recommendation", version=path.name)
    made = store(learner, FIELDS, root)
    assert load(root, "recommendation", made.version) == made


def _die_at(stop_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal seen
            seen += 1
            if seen == stop_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(os, "fchmod", counted(os.fchmod))
    monkeypatch.setattr(Path, "rename", counted(Path.rename))

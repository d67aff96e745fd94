"""What an attacker may put into files runs nothing and leads nowhere."""

import json
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from pydantic import ValidationError
from safetensors.numpy import save_file

from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation.learner import RecommendationLearner
from tasks import bundle, learners
from tasks.bundle import CorruptBundleError
from tasks.manifest import Manifest
from tests.bundles import FIELDS
from tests.line import APPLICATION, Place

pytestmark = pytest.mark.fault(9)
MODEL = "model.safetensors"


class Trap:
    """Whoever unpickles it leaves a file behind."""

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (os.environ["WITNESS"], "w")


@pytest.fixture(autouse=True)
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that must not be there in the end; that the trap works is seen first."""
    place = tmp_path / "witness"
    monkeypatch.setenv("WITNESS", str(place))
    pickle.loads(pickle.dumps(Trap())).close()  # noqa: S301
    assert place.exists()
    place.unlink()
    yield place
    assert not place.exists()


def pickled(file: Path) -> None:
    file.write_bytes(pickle.dumps(Trap()))


def checkpoint(file: Path) -> None:
    """As Lightning would load it: a class to import, a function to call, and a pickle."""
    hostile = {"_class_path": "os.system", "_instantiator": "os.system", "trap": Trap()}
    torch.save({"state_dict": {}, "hyper_parameters": hostile} | hostile, file)


def header(size: int, told: dict[str, Any], data: bytes = b"") -> bytes:
    return struct.pack("<Q", size) + json.dumps(told).encode() + data


def endless_header(file: Path) -> None:
    file.write_bytes(header(2**63, {}))


def data_that_is_not_there(file: Path) -> None:
    told = {"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    file.write_bytes(header(len(json.dumps(told)), told))


def other_arrays(file: Path) -> None:
    save_file({"user_embedding": torch.zeros(3, 3).numpy()}, file)


def nested(file: Path) -> None:
    file.write_text("[" * 10**6)


FILES = (pickled, checkpoint, endless_header, data_that_is_not_there, other_arrays)


def replace(file: Path, write: Callable[[Path], None]) -> None:
    file.unlink()
    write(file)


@pytest.mark.parametrize("write", FILES)
def test_a_file_that_was_replaced_is_never_parsed(
    write: Callable[[Path], None], place: Place
) -> None:
    replace(place.head / MODEL, write)
    section = place.params.application(APPLICATION)
    with mock.patch.object(RecommendationLearner, "load") as parse:
        with pytest.raises(CorruptBundleError, match=MODEL):
            learners.open_learner(place.head, section, place.line.head)
        with pytest.raises(CorruptBundleError, match=MODEL):
            learners.with_version(parse, place.head, place.line.head)
    parse.assert_not_called()
    assert not parse.mock_calls


@pytest.mark.parametrize("write", FILES)
def test_a_bundle_that_is_hostile_throughout_is_another_version(
    write: Callable[[Path], None], place: Place, tmp_path: Path
) -> None:
    """Its digests fit, so only its name, which the ledger has, tells; and no file runs code."""
    copied = tmp_path / "copied"
    bundle.link(place.head, copied)
    (copied / bundle.MANIFEST).unlink()
    replace(copied / MODEL, write)
    made = bundle.store(copied, FIELDS, tmp_path / "shelf")
    section = place.params.application(APPLICATION)
    with pytest.raises(CorruptBundleError, match=f"version '{made.version}', not '"):
        learners.open_learner(made.path, section, place.line.head)
    with pytest.raises(LearnerFileError, match=r"model\.safetensors"):
        learners.open_learner(made.path, section)


def test_json_that_is_nested_without_end_is_refused(place: Place, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    bundle.link(place.head, copied)
    (copied / bundle.MANIFEST).unlink()
    replace(copied / "vocabulary.json", nested)
    made = bundle.store(copied, FIELDS, tmp_path / "shelf")
    with pytest.raises(LearnerFileError, match=r"vocabulary\.json"):
        learners.open_learner(made.path, place.params.application(APPLICATION))


def as_link(path: Path) -> None:
    (path / MODEL).rename(path.parent / "elsewhere")
    (path / MODEL).symlink_to(path.parent / "elsewhere")


def as_link_to_a_folder(path: Path) -> None:
    (path / "more").symlink_to(path.parent)


def as_manifest_link(path: Path) -> None:
    (path / bundle.MANIFEST).rename(path.parent / "elsewhere")
    (path / bundle.MANIFEST).symlink_to(path.parent / "elsewhere")


def as_pipe(path: Path) -> None:
    (path / MODEL).unlink()
    os.mkfifo(path / MODEL)  # to read it would wait for ever


def as_manifest_pipe(path: Path) -> None:
    (path / bundle.MANIFEST).unlink()
    os.mkfifo(path / bundle.MANIFEST)


def as_nested_manifest(path: Path) -> None:
    replace(path / bundle.MANIFEST, nested)


def huge(path: Path) -> None:
    (path / bundle.MANIFEST).chmod(0o644)
    os.truncate(path / bundle.MANIFEST, 1 << 40)  # takes no room on the disk


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (as_link, f"{MODEL} is not a plain file"),
        (as_link_to_a_folder, "more does not belong to the bundle"),
        (as_manifest_link, "manifest.json is not a plain file"),
        (as_pipe, f"{MODEL} is not a plain file"),
        (as_manifest_pipe, "manifest.json is not a plain file"),
        (as_nested_manifest, "manifest.json cannot be read"),
        (huge, "manifest.json has 1099511627776 bytes"),
    ],
)
def test_what_is_no_plain_file_is_not_read(
    harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    source = tmp_path / "files"
    source.mkdir()
    (source / MODEL).write_bytes(b"weights")
    made = bundle.store(source, FIELDS, tmp_path / "shelf")
    harm(made.path)
    with pytest.raises(CorruptBundleError, match=said):
        bundle.load(tmp_path / "shelf", APPLICATION, made.version)


OUTSIDE = ("../secret", "/etc/passwd", "memory/../../secret", "a//b", "./a", "", ".")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_names_no_file_outside_its_bundle(name: str, tmp_path: Path) -> None:
    source = tmp_path / "files"
    source.mkdir()
    (source / MODEL).write_bytes(b"weights")
    made = bundle.store(source, FIELDS, tmp_path / "shelf")
    told = json.loads((made.path / bundle.MANIFEST).read_text())
    told["files"] = {name: told["files"][MODEL]}
    with pytest.raises(ValidationError, match="is no path below the bundle"):
        Manifest.model_validate(told)
    (made.path / bundle.MANIFEST).unlink()
    (made.path / bundle.MANIFEST).write_text(json.dumps(told))
    with pytest.raises(CorruptBundleError, match=r"manifest\.json cannot be read"):
        bundle.verify(made.path)

"""Bundles appear whole, are named by their content, and say what is wrong with them."""

import datetime as dt
import hashlib
import os
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks import bundle
from tasks.bundle import CorruptBundleError, link, load, location, store, verify
from tasks.manifest import ManifestFields
from tests.bundles import FIELDS, write_files


@pytest.fixture
def learner(tmp_path: Path) -> Path:
    return write_files(tmp_path / "attempt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bundles"


def test_what_was_stored_reads_back(learner: Path, root: Path) -> None:
    made = store(learner, FIELDS, root)
    assert made.path == root / "recommendation" / made.version
    model = (learner / "model.safetensors").read_bytes()
    assert (made.path / "model.safetensors").read_bytes() == model
    digest = made.manifest.files["model.safetensors"]
    assert (digest.sha256, digest.size) == (hashlib.sha256(model).hexdigest(), len(model))
    assert load(root, "recommendation", made.version) == made
    files = [path for path in made.path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o444}
    assert [path.name for path in made.path.parent.iterdir()] == [made.version]


def test_the_same_content_is_the_same_version_kept_as_it_lies(learner: Path, root: Path) -> None:
    first = store(learner, FIELDS, root)
    before = (first.path / "manifest.json").stat()
    os.utime(learner / "model.safetensors", (0, 0))
    assert store(learner, FIELDS, root) == first
    after = (first.path / "manifest.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "change",
    [
        {"day": dt.date(2017, 10, 3)},
        {"kind": "state only"},
        {"parent": "e" * 64},
        {"predecessor": "a" * 64},
        {"anchor": None},
        {"settings": {"rate": 0.2, "layers": [8, 4]}},
        {"partitions": {}},
        {"code": "e" * 40},
        {"application": "pricing"},
    ],
)
def test_any_other_field_is_another_version(
    change: dict[str, object], learner: Path, root: Path
) -> None:
    other = ManifestFields.model_validate(FIELDS.model_dump() | change)
    assert store(learner, FIELDS, root).version != store(learner, other, root).version


def test_one_other_byte_or_name_is_another_version(learner: Path, root: Path) -> None:
    first = store(learner, FIELDS, root).version
    (learner / "memory" / "replay.safetensors").write_bytes(b"x")
    second = store(learner, FIELDS, root).version
    (learner / "memory" / "replay.safetensors").rename(learner / "replay.safetensors")
    assert len({first, second, store(learner, FIELDS, root).version}) == 3


def test_the_version_id_has_not_drifted(tmp_path: Path, root: Path) -> None:
    """A changed canonical form would orphan every bundle that teams have."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "model.safetensors").write_bytes(b"weights")
    version = store(tmp_path / "one", FIELDS, root).version
    digest = hashlib.sha256(b"weights").hexdigest()
    canonical = (
        f'{{"anchor":"{"b" * 64}","application":"recommendation","code":"{"d" * 40}",'
        f'"day":"2017-10-02","files":{{"model.safetensors":"{digest}"}},"kind":"promoted",'
        f'"parent":"{"a" * 64}","partitions":{{"events/date=2017-10-02/part-0.parquet":'
        f'"{"c" * 32}"}},"predecessor":null,"settings":{{"layers":[8,4],"rate":0.1}}}}'
    )
    assert version == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    ("application", "version"),
    [
        ("..", "a" * 64),
        ("a/b", "a" * 64),
        ("", "a" * 64),
        ("Recommendation", "a" * 64),
        ("recommendation\n", "a" * 64),
        ("recommendation", "../" + "a" * 61),
        ("recommendation", "A" * 64),
        ("recommendation", "a" * 64 + "\n"),
        ("recommendation", "a" * 63),
    ],
)
def test_names_that_are_none_never_become_paths(application: str, version: str) -> None:
    with pytest.raises(ValidationError):
        location(Path("bundles"), application, version)


def test_nothing_to_store_is_an_error(tmp_path: Path, root: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty must hold the learner's files"):
        store(tmp_path / "empty", FIELDS, root)
    assert not root.exists()


def test_a_manifest_among_the_files_is_an_error(learner: Path, root: Path) -> None:
    (learner / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        store(learner, FIELDS, root)


def test_settings_without_json_form_are_refused(learner: Path, root: Path) -> None:
    bad = FIELDS.model_copy(update={"settings": {"rate": float("nan")}})
    with pytest.raises(ValueError, match="not JSON compliant"):
        store(learner, bad, root)
    assert list((root / "recommendation").iterdir()) == []


def test_old_drafts_are_swept_and_young_ones_left(learner: Path, root: Path) -> None:
    old, young = (root / "recommendation" / name for name in (".draft-old", ".draft-young"))
    old.mkdir(parents=True)
    young.mkdir()
    long_ago = time.time() - 2 * bundle.STALE_SECONDS
    os.utime(old, (long_ago, long_ago))
    store(learner, FIELDS, root)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_link_is_the_bundle_and_replaces_what_was_there(
    learner: Path, root: Path, tmp_path: Path
) -> None:
    made = store(learner, FIELDS, root)
    into = tmp_path / "increments" / "recommendation" / "parent"
    into.mkdir(parents=True)
    (into / "stale.json").write_text("{}")
    link(made.path, into)
    assert verify(into, application="recommendation", version=made.version) == made.manifest
    assert (into / "model.safetensors").samefile(made.path / "model.safetensors")
    assert [path.name for path in into.parent.iterdir()] == ["parent"]


def test_a_link_cut_short_is_made_good(learner: Path, root: Path, tmp_path: Path) -> None:
    made = store(learner, FIELDS, root)
    for leftover in (".parent.draft", ".parent.old"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "half").write_text("")
    link(made.path, tmp_path / "parent")
    verify(tmp_path / "parent", version=made.version)
    assert not list(tmp_path.glob(".parent.*"))


def test_on_another_disk_a_link_is_a_copy(
    learner: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(source: str, target: str) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    made = store(learner, FIELDS, root)
    link(made.path, tmp_path / "parent")
    verify(tmp_path / "parent", version=made.version)
    copied = tmp_path / "parent" / "model.safetensors"
    assert not copied.samefile(made.path / "model.safetensors")


def test_there_is_nothing_to_link_where_no_bundle_is(tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    with pytest.raises(CorruptBundleError, match="missing"):
        link(tmp_path / "nowhere", tmp_path / "parent")
    assert (tmp_path / "parent").is_dir()

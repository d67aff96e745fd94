"""Bundles: all that one version is made of, immutable, named by what is in it.

A bundle is a directory `<root>/<application>/<version>/` of the learner's files and a
`manifest.json`, written last. It appears by one rename, so a reader sees all of it or nothing.
The version id covers the files, the ancestry, the settings, the data and the code, and no clock,
host or run: who learns the same again gets the same name.
"""

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from tasks.manifest import FileDigest, Manifest, ManifestFields, version_id
from tasks.records import ApplicationName, VersionId

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
STALE_SECONDS = 3600
MOST_MANIFEST_BYTES = 1 << 24  # one of ten years of history has a tenth of that

_APPLICATION = TypeAdapter[str](ApplicationName)
_VERSION = TypeAdapter[str](VersionId)


@dataclass(frozen=True)
class Bundle:
    """A bundle in the store, verified when this record was made."""

    path: Path
    manifest: Manifest

    @property
    def version(self) -> str:
        """The version id, 64 hexadecimal digits."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """The sha256 of the manifest file: what the ledger keeps of the bundle."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()


class CorruptBundleError(RuntimeError):
    """A bundle is not what its name and manifest say."""


def store(source_dir: Path, fields: ManifestFields, root: Path) -> Bundle:
    """Copy the files of `source_dir` into the store as one version; it may be there already.

    Returns when all of it is on the disk. Raises ValueError when there is nothing to store or a
    file is called `manifest.json`, CorruptBundleError when the version is there but damaged.
    """
    names = _files(source_dir)
    if not names or MANIFEST in names:
        raise ValueError(f"{source_dir} must hold the learner's files and no {MANIFEST}: {names}")
    shelf = root / fields.application
    shelf.mkdir(parents=True, exist_ok=True)
    _sweep(shelf)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=shelf))
    try:
        files = {name: _copy(source_dir / name, draft / name) for name in names}
        manifest = Manifest(**fields.model_dump(), version=version_id(fields, files), files=files)
        _write_manifest(manifest, draft)
        return _publish(draft, manifest, shelf / manifest.version)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def location(root: Path, application: str, version: str) -> Path:
    """Where a version lies; raises pydantic's ValidationError for a name that is none."""
    return root / _APPLICATION.validate_python(application) / _VERSION.validate_python(version)


def load(root: Path, application: str, version: str) -> Bundle:
    """Read a version of the store back, all of it; raises CorruptBundleError."""
    path = location(root, application, version)
    return Bundle(path, verify(path, application=application, version=version))


def verify(path: Path, *, application: str = "", version: str = "") -> Manifest:
    """Read every byte of a bundle, in the store or linked elsewhere, against its manifest.

    Where `application` or `version` are given, the bundle must be of that name too. Raises
    CorruptBundleError that names the file, what is wrong and the cure.
    """
    manifest = read_manifest(path)
    for name in _files(path):
        if name not in manifest.files and name != MANIFEST:
            raise corrupt(path, name, "does not belong to the bundle")
        _check_plain(path, name)
    for name, expected in manifest.files.items():
        _check_file(path, name, expected)
    for field, wanted in (("application", application), ("version", version)):
        if wanted and (found := getattr(manifest, field)) != wanted:
            raise corrupt(path, MANIFEST, f"is of {field} '{found}', not '{wanted}'")
    if manifest.version != version_id(manifest, manifest.files):
        raise corrupt(path, MANIFEST, "does not hash to its version id")
    return manifest


def link(bundle_path: Path, into: Path) -> None:
    """Materialise a bundle at `into`: hard links, or copies where the disk is another one.

    An older content is replaced whole: at every instant `into` is the old, absent or the new one;
    a call that was cut short is made good by the next. Raises CorruptBundleError if there is none.
    """
    read_manifest(bundle_path)
    draft = into.with_name(f".{into.name}.draft")
    old = into.with_name(f".{into.name}.old")
    for leftover in (draft, old):
        shutil.rmtree(leftover, ignore_errors=True)
    into.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(bundle_path, draft, copy_function=_link_or_copy)
    if into.exists():
        into.rename(old)
    draft.rename(into)
    shutil.rmtree(old, ignore_errors=True)


def _files(directory: Path) -> list[str]:
    """Names of all files and links below, relative, with slashes, sorted."""
    found = (path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(directory).as_posix() for path in found)


def _copy(source: Path, target: Path) -> FileDigest:
    """Copy and hash in one pass, so that what was hashed is what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            sha256.update(chunk)
            size += writer.write(chunk)
        _settle(writer)
    return FileDigest(sha256=sha256.hexdigest(), size=size)


def _write_manifest(manifest: Manifest, draft: Path) -> None:
    text = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=2, allow_nan=False)
    with (draft / MANIFEST).open("xb") as writer:
        writer.write(text.encode() + b"\n")
        _settle(writer)
    for directory in [path for path in draft.rglob("*") if path.is_dir()] + [draft]:
        directory.chmod(0o755)
        sync_directory(directory)


def _publish(draft: Path, manifest: Manifest, final: Path) -> Bundle:
    try:
        draft.rename(final)
    except OSError:
        if not final.is_dir():
            raise
        logger.info("version %s is in the store already", manifest.version[:12])
        verify(final, application=manifest.application, version=manifest.version)
    for directory in (final.parent, final.parent.parent):
        sync_directory(directory)
    return Bundle(final, manifest)


def _settle(writer: BinaryIO) -> None:
    writer.flush()
    os.fchmod(writer.fileno(), 0o444)
    os.fsync(writer.fileno())


def sync_directory(directory: Path) -> None:
    """A rename is on the disk when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(shelf: Path) -> None:
    """Remove what killed runs left half-written; a young draft may be another run's."""
    for draft in shelf.glob(".draft-*"):
        if time.time() - draft.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(draft, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def read_manifest(path: Path) -> Manifest:
    """The manifest alone, its files unread; raises CorruptBundleError."""
    _check_plain(path, MANIFEST)
    try:
        if (size := (path / MANIFEST).stat().st_size) > MOST_MANIFEST_BYTES:
            raise corrupt(path, MANIFEST, f"has {size} bytes, no manifest is so large")
        return Manifest.read(path / MANIFEST)
    except FileNotFoundError:
        raise corrupt(path, MANIFEST, "is missing") from None
    except (ValidationError, OSError) as problem:
        said = " ".join(str(problem).split())
        raise corrupt(path, MANIFEST, f"cannot be read ({said})") from problem


def _check_plain(path: Path, name: str) -> None:
    """A link may point elsewhere after the check; to read a pipe may never end."""
    file = path / name
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise corrupt(path, name, "is not a plain file")


def _check_file(path: Path, name: str, expected: FileDigest) -> None:
    try:
        with (path / name).open("rb") as reader:
            size = os.fstat(reader.fileno()).st_size
            digest = hashlib.file_digest(reader, "sha256").hexdigest()
    except OSError as problem:
        raise corrupt(path, name, f"is missing or unreadable ({problem.strerror})") from problem
    if size != expected.size:
        raise corrupt(path, name, f"has {size} bytes instead of {expected.size}")
    if digest != expected.sha256:
        raise corrupt(path, name, f"has sha256 {digest} instead of {expected.sha256}")


def corrupt(path: Path, name: str, problem: str) -> CorruptBundleError:
    """The error that names the bundle, its file, what is wrong and the cure."""
    return CorruptBundleError(
        f"bundle {path}: {name} {problem}. Move this directory away and restore the version "
        "(docs/how-to/run-it.md says how), or go back to an earlier one with the rollback flow"
    )

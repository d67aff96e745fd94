"""What a version is, as a record: the content of a bundle's `manifest.json` and its name."""

import datetime as dt
import hashlib
import json
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from tasks.record import Record
from tasks.records import ApplicationName, VersionId


def _below(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or str(path) != name:
        raise ValueError(f"{name!r} is no path below the bundle")
    return name


FileName = Annotated[str, AfterValidator(_below)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["first", "promoted", "state only", "rolled back"]


class FileDigest(Record):
    """What a file must look like; size in bytes."""

    sha256: Sha256
    size: int = Field(ge=0)


class ManifestFields(Record):
    """What a version is besides its files."""

    application: ApplicationName
    day: dt.date
    kind: Kind
    parent: VersionId | None
    predecessor: VersionId | None
    anchor: VersionId | None
    settings: dict[str, Any]
    partitions: dict[str, str] = Field(description="Digest of each partition read, by path.")
    code: str = Field(description="Revision of the code that made it.")


class Manifest(ManifestFields):
    """The whole of `manifest.json`."""

    version: VersionId
    files: dict[FileName, FileDigest]


def version_id(fields: ManifestFields, files: dict[str, FileDigest]) -> str:
    """The sha256 over the canonical JSON of the fields and the files' digests.

    Raises ValueError for NaN or infinity in the settings, TypeError for what is not JSON.
    """
    content = fields.model_dump(mode="json", include=set(ManifestFields.model_fields))
    content["settings"] = fields.settings  # pydantic would turn NaN into null, another meaning
    content["files"] = {name: digest.sha256 for name, digest in files.items()}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()

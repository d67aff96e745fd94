"""What a small version is made of, for tests that store, damage and read back bundles."""

import datetime as dt
from pathlib import Path

from tasks.manifest import ManifestFields

FIELDS = ManifestFields(
    application="recommendation",
    day=dt.date(2017, 10, 2),
    kind="promoted",
    parent="a" * 64,
    predecessor=None,
    anchor="b" * 64,
    settings={"rate": 0.1, "layers": [8, 4]},
    partitions={"events/date=2017-10-02/part-0.parquet": "c" * 32},
    code="d" * 40,
)


def write_files(directory: Path) -> Path:
    """Two files of a learner, one of them empty and in a folder; returns the directory."""
    (directory / "memory").mkdir(parents=True)
    (directory / "model.safetensors").write_bytes(bytes(range(256)) * 8192)
    (directory / "memory" / "replay.safetensors").write_bytes(b"")
    return directory

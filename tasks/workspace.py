"""Where things live in a workspace, and the only door to DVC.

Every path is relative: a process runs with its workspace (a clone of the project) as the current
directory. DVC is imported when first needed, since that costs a quarter of a second.
"""

import functools
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks import git
from tasks.interrupted import mend_locks, restorable

if TYPE_CHECKING:
    import pandas as pd

DATA = Path("data")
DATA_DVC = Path("data.dvc")
REGISTRY = Path("registry")
INCREMENTS_FILE = Path("increments.json")
INCREMENTS = Path("increments")
DVC_YAML = Path("dvc.yaml")
DVC_LOCK = Path("dvc.lock")
VAR = Path("var")
JOURNAL = VAR / "interrupted.json"
LANDING = VAR / "landing.lock"
LEDGER = VAR / "ledger.db"
BUNDLES = VAR / "bundles"
ATTACHMENTS = VAR / "attachments"
ATTEMPTS = VAR / "attempts"
REPORTS = VAR / "reports"
OUTPUTS = VAR / "outputs"

# The cache may hold the same damage, and DVC would hand it out again.
CURE = "Remove it and its copy under .dvc/cache/files/md5, then run `dvc pull data.dvc --force`"
CODE = ("flows", "tasks", "lightning_modules")


class MissingRegistryError(RuntimeError):
    """There is no data registry; the message says how to get one."""


class DamagedPartitionError(RuntimeError):
    """A partition is missing, or its bytes are not those that the revision locks."""


def partition(table: str, day: date) -> str:
    """The path of a day's partition inside `data/`, as the manifests name it."""
    return f"{table}/date={day}/part-0.parquet"


def heal() -> None:
    """Put back what a killed DVC command left half-written; nothing else."""
    with restorable(JOURNAL, []):
        pass


def ledger_url() -> str:
    """Where the ledger is: DAYSHIFT_LEDGER_URL for a team's own database, else a file in var/."""
    return os.environ.get("DAYSHIFT_LEDGER_URL", f"sqlite:///{LEDGER}")


def check_registry() -> None:
    """Raise MissingRegistryError if `data.dvc` imports from a local registry that is not there."""
    if _import()["url"] == str(REGISTRY) and not (REGISTRY / DATA_DVC).exists():
        raise MissingRegistryError(
            f"there is no data registry at {REGISTRY.resolve()}. Run `make registry` to build it"
        )


def own_registry() -> Path:
    """The registry beside us, to land days in.

    Raises MissingRegistryError if it is not there or `data.dvc` imports from somewhere else.
    """
    url = _import()["url"]
    if url != str(REGISTRY):
        raise MissingRegistryError(
            f"{DATA_DVC} imports from {url}: land days in that registry; here they are only pulled"
        )
    check_registry()
    return REGISTRY


def update_data(rev: str | None = None) -> None:
    """`dvc update data.dvc`: the data of the registry's newest commit, or of `rev`.

    Raises:
        MissingRegistryError: there is no registry yet.
    """
    check_registry()
    with restorable(JOURNAL, [DATA_DVC]):
        if rev is None:  # otherwise DVC stays at a commit that was once asked for
            DATA_DVC.write_text(re.sub(r"(?m)^ *rev: .*\n", "", DATA_DVC.read_text()))
        with open_dvc(Path()) as repo:
            repo.update([str(DATA_DVC)], rev=rev)
            # DVC skips a revision that it is already at, even when its files are gone.
            if any(not (DATA / path).exists() for path in data_manifest()):
                repo.pull([str(DATA_DVC)], force=True)


def data_manifest() -> dict[str, str]:
    """Path inside `data/` -> md5, of the data that `data.dvc` locks."""
    return locked_files(Path())


def data_revision() -> str:
    """The registry's commit that `data.dvc` locks: the data version."""
    return str(_import()["rev_lock"])


def registry_manifest() -> dict[str, str]:
    """Path inside `data/` -> md5, of the registry's newest commit; nothing is changed.

    Raises:
        MissingRegistryError: there is no registry yet.
    """
    heal()
    check_registry()
    if _import()["url"] == str(REGISTRY):
        return locked_files(REGISTRY, git.git(REGISTRY, "show", f"HEAD:{DATA_DVC}"))
    found = _registry_files().find(str(DATA), detail=True)
    return {path.removeprefix(f"{DATA}/"): info["dvc_info"]["md5"] for path, info in found.items()}


def registry_days() -> list[date]:
    """The days that are landed in the registry, ascending."""
    landed = (path for path in registry_manifest() if path.startswith("events/date="))
    return sorted({date.fromisoformat(path.split("=")[1].split("/")[0]) for path in landed})


def fetch_from_registry(paths: Iterable[str], into: Path) -> None:
    """Copy partitions of the registry's newest commit to `into`, for a look without a pull."""
    check_registry()
    files = _registry_files()
    for path in paths:
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        files.get_file(f"{DATA}/{path}", str(into / path))


def read_partition(path: str, md5: str, folder: Path = DATA) -> "pd.DataFrame":
    """A partition's rows, after its bytes were compared with the digest that is locked.

    DVC does not compare them when it hands a file out.

    Raises:
        DamagedPartitionError: the file is missing, or its bytes are others.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = folder / path
    try:
        raw = place.read_bytes()
    except FileNotFoundError as error:
        raise DamagedPartitionError(f"{place} is missing. {CURE}") from error
    found = hashlib.md5(raw).hexdigest()
    if found != md5:
        raise DamagedPartitionError(
            f"{place} has md5 {found}, but the data version locks {md5}. {CURE}"
        )
    table = pq.read_table(pa.BufferReader(raw), use_threads=False)
    rows: pd.DataFrame = table.to_pandas(use_threads=False)
    return rows


def code_revision() -> str:
    """The commit of the code; with a digest of the changes when the working tree differs.

    Asked once: it is the code that this process has loaded, whatever becomes of the files.
    """
    return _code_revision(Path.cwd())


@functools.cache
def _code_revision(place: Path) -> str:
    revision = git.head(place)
    changes = git.git(place, "diff", "HEAD", "--", *CODE)
    if not changes:
        return revision
    return f"{revision}+{hashlib.sha256(changes.encode()).hexdigest()[:12]}"


@contextmanager
def recording(application: str, day: date, tracked: list[Path]) -> Iterator[None]:
    """Record the workspace, as the block leaves it, as the experiment `<application>-<day>`.

    `tracked` are the directories of versions, pushed with the rest before the experiment names
    them. One block at a time: the applications share pins and lock. Repeating changes nothing.
    """
    pointers = [path.with_name(f"{path.name}.dvc") for path in tracked]
    with restorable(JOURNAL, [DVC_LOCK, *pointers]), open_dvc(Path()) as repo:
        yield
        repo.add([str(path) for path in tracked])
        repo.commit(str(DVC_YAML), force=True)  # not data/ too, whose size is that of history
        repo.push()
        name = f"{application}-{day}"
        git.experiment(Path(), name, f"increment {name}", [DVC_LOCK, *pointers])


def track(repository: Path, paths: list[Path]) -> None:
    """`dvc add` and `dvc push` in a repository of its own; `paths` are relative to it."""
    with open_dvc(repository) as repo:
        repo.add([str((repository / path).resolve()) for path in paths])
        repo.push()


def locked_files(repository: Path, pointer: str | None = None) -> dict[str, str]:
    """Path -> md5 of the files that a repository's `data.dvc` (or its text, `pointer`) locks."""
    text = (repository / DATA_DVC).read_text() if pointer is None else pointer
    digest = _yaml(text)["outs"][0]["md5"]
    with open_dvc(repository) as repo:
        listing = Path(repo.cache.local.oid_to_path(digest))
        if not listing.exists():
            repo.fetch([str((repository / DATA_DVC).resolve())])
    return {entry["relpath"]: entry["md5"] for entry in json.loads(listing.read_bytes())}


def open_dvc(where: Path) -> Any:
    """DVC's repository object, to be closed after use. Opening costs 10 ms after the first."""
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.WARNING)  # its hints are for people at a prompt
    mend_locks(where / ".dvc" / "tmp")
    return Repo(str(where.resolve()))


def _yaml(text: str) -> dict[str, Any]:
    import yaml

    return dict(yaml.safe_load(text))


def _import() -> dict[str, Any]:
    """Where `data.dvc` imports from: `url` and `rev_lock`."""
    return dict(_yaml(DATA_DVC.read_text())["deps"][0]["repo"])


def _registry_files() -> Any:
    from dvc.api import DVCFileSystem

    return DVCFileSystem(_import()["url"])

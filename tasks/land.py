"""Step: one day of a source becomes a revision of the data registry, or the registry is built.

`python -m tasks.land registry` builds it; `python -m tasks.land 2017-10-02` adds a day.
"""

import hashlib
import logging
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import git, workspace
from tasks.interrupted import alone
from tasks.sources import TABLES, DayFrames, Source, SourceError, key_check, open_source
from tasks.sources.canonical import COLUMNS

log = logging.getLogger(__name__)

PROGRESS_DAYS = 30
KEY_CHECK = "user-key.check"  # in the registry: which key its people are hidden by
ALWAYS = ("events", "items")  # written for every landed day, with zero rows if need be
ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "instant": pa.timestamp("us", tz="UTC"),
    "day": pa.timestamp("us"),
}
FILES = {  # the registry's first commit: its remote must be known from there on
    ".dvc/config": (
        "[core]\n    remote = store\n    analytics = false\n    check_update = false\n"
        "    autostage = false\n"
        "['remote \"store\"']\n    url = ../.remote\n    verify = true\n"
    ),
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvcignore": "",
    ".gitignore": "/.remote\n/data\n",
}


@dataclass(frozen=True)
class Landing:
    """What came of landing a day. `revision` is the registry's commit that holds it."""

    day: date
    rows: int
    status: Literal["landed", "unchanged", "corrected"]
    revision: str


def land_day(source: Source, day: date) -> Landing:
    """Bring the registry's partitions of `day` to what the source says, as one commit at most.

    The same bytes change nothing; other bytes are a new revision. What an interrupted landing
    left behind is discarded first, so that a killed run is healed by the next one.

    Raises:
        MissingRegistryError: there is no registry yet, or it is not this workspace's own.
        SourceError: the source cannot be read, or hides people otherwise than before.
    """
    registry = workspace.own_registry()
    with alone(workspace.LANDING):  # two at once would commit each other's files
        _discard_leftovers(registry)
        _check_key(registry, source)
        known = workspace.locked_files(registry)
        frames = source.read_day(day)
        return land_frames(day, frames, known)


def land_frames(day: date, frames: DayFrames, known: dict[str, str] | None = None) -> Landing:
    """Land frames already read; `known` is the registry's manifest, asked for unless given."""
    registry = workspace.REGISTRY
    known = workspace.locked_files(registry) if known is None else known
    files = dict(_partitions(day, frames, known))
    changed = {p: raw for p, raw in files.items() if known.get(p) != hashlib.md5(raw).hexdigest()}
    rows = len(frames.events)
    if not changed:
        return Landing(day, rows, "unchanged", git.head(registry))
    corrected = workspace.partition("events", day) in known
    for path, raw in changed.items():
        _write(registry / workspace.DATA / path, raw)
    workspace.track(registry, [workspace.DATA / path for path in changed])
    verb = "correct" if corrected else "land"
    revision = git.commit_as_of(registry, f"data: {verb} {day}, {rows} events", day)
    return Landing(day, rows, "corrected" if corrected else "landed", revision)


def build_registry(source: Source, history_until: date) -> str:
    """Build the registry from the days before `history_until`, as one commit; its revision.

    The commit depends on the data and the pinned Parquet writer alone: the same on every machine.
    A registry that is already there stays as it is. Raises SourceError when there is no such day.
    """
    registry = workspace.REGISTRY
    if registry.exists():
        _check_key(registry, source)
        log.info("the registry is already there: %s", registry)
        return git.head(registry)
    draft = workspace.VAR / "registry.draft"
    shutil.rmtree(draft, ignore_errors=True)
    there = source.days()
    days = [day for day in there if day < history_until]
    if not days:
        known = f"has {there[0]} to {there[-1]}" if there else "has no days"
        raise SourceError(
            f"no day of the source is before shop.history_until = {history_until} in params.yaml; "
            f"the source {known}. Move shop.history_until into that range"
        )
    hidden_by = key_check(source)
    for path, text in (FILES | ({KEY_CHECK: f"{hidden_by}\n"} if hidden_by else {})).items():
        _write(draft / path, text.encode())
    rows = _write_history(source, days, draft / workspace.DATA)
    git.start(draft)
    log.info("%d events of %d days written; handing them to DVC", rows, len(days))
    workspace.track(draft, [workspace.DATA])
    message = f"data: {days[0]} to {days[-1]}, {rows} events"
    revision = git.commit_as_of(draft, message, days[-1])
    draft.rename(registry)  # whole or not at all
    return revision


def _check_key(registry: Path, source: Source) -> None:
    """Under another key, or none, every user would be a stranger from now on."""
    file = registry / KEY_CHECK
    there, given = file.read_text().strip() if file.exists() else None, key_check(source)
    if there == given:
        return
    if there and given:
        cure = "set DAYSHIFT_USER_KEY to the key that the registry was built with"
    elif there:
        cure = "set shop.source.pseudonymise in params.yaml: the registry has pseudonyms"
    else:
        cure = "the registry has people's own ids: build another one, in a workspace of its own"
    raise SourceError(f"{registry}: every user would be a stranger, nothing was landed; {cure}")


def _discard_leftovers(registry: Path) -> None:
    """Take the registry back to its last commit, and remove partitions that no commit knows."""
    git.discard_changes(registry)
    known = workspace.locked_files(registry)
    folder = registry / workspace.DATA
    for path in list(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in known:
            path.unlink()


def _write_history(source: Source, days: list[date], folder: Path) -> int:
    rows = 0
    for number, (day, frames) in enumerate(source.read_days(days), 1):
        for path, raw in _partitions(day, frames, {}):
            _write(folder / path, raw)
        rows += len(frames.events)
        if number % PROGRESS_DAYS == 0 or number == len(days):
            log.info("%d of %d days, %d events", number, len(days), rows)
    return rows


def _partitions(
    day: date, frames: DayFrames, known: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each of the day's partitions."""
    for table in TABLES:
        path = workspace.partition(table, day)
        # A partition that became empty is emptied, not removed: removal would ask DVC to look at
        # every file of the registry again.
        if table in ALWAYS or path in known or len(frames.table(table)):
            yield path, _parquet(table, frames)


def _parquet(table: str, frames: DayFrames) -> bytes:
    """The table as Parquet, the same bytes for the same rows under the pinned pyarrow."""
    frame = frames.table(table)
    columns = COLUMNS[table]
    arrays = []
    for name in frame.columns:
        array = pa.Array.from_pandas(frame[name])
        kind = ARROW[columns.get(name, "text")]
        encoded = pa.types.is_dictionary(array.type)
        wanted = pa.dictionary(array.type.index_type, kind) if encoded else kind
        try:
            arrays.append(array.cast(wanted))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
            raise SourceError(
                f"{table}: column '{name}' is not of type {kind} ({problem}). Correct the source; "
                "nothing was landed"
            ) from problem
    sink = BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, names=list(frame.columns)),
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        store_schema=False,  # no pandas or Arrow metadata: it changes with their versions
    )
    return sink.getvalue()


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(raw)
    draft.replace(path)


def main(what: str) -> None:
    """`registry`, or a day such as 2017-10-02, from the shop that params.yaml names."""
    from tasks.params import load_params

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    shop = load_params().shop
    source = open_source(shop.source)
    if what == "registry":
        log.info("registry at %s", build_registry(source, shop.history_until))
        return
    landing = land_day(source, date.fromisoformat(what))
    log.info("%s: %s, %d events, %s", what, landing.status, landing.rows, landing.revision)


if __name__ == "__main__":
    main(sys.argv[1])

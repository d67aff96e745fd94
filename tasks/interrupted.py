"""What a killed process left half-written is put back before the next one goes on."""

import fcntl
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SETTLE_S = 0.2  # longer than DVC takes to write its file of locks


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Within the block no other process is in a block of the same lock; others wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def restorable(journal: Path, files: Iterable[Path]) -> Iterator[None]:
    """Within the block, `files` (small, text) may be left in any state by a kill.

    DVC does not write its files in one step. Their content before is in `journal` until the block
    ends well; otherwise the next block, of any process, begins by putting it back. One block at a
    time: others wait.
    """
    with alone(journal.with_suffix(".lock")):
        if journal.exists():
            for name, text in json.loads(journal.read_text()).items():
                _put(Path(name), text)
        before = {str(path): path.read_text() if path.exists() else None for path in files}
        _put(journal, json.dumps(before))
        yield
        journal.unlink()


def mend_locks(folder: Path) -> None:
    """Remove DVC's file of locks from `folder` when a kill cut its writing short.

    DVC forgets the locks of dead processes by itself, but refuses to go on with half a file.
    """
    file = folder / "rwlock"
    if _is_half(file):
        time.sleep(SETTLE_S)  # a living process may be writing it just now
        if _is_half(file):
            file.unlink(missing_ok=True)


def _is_half(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def _put(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text)
    draft.replace(path)

"""The durable operations of this process, each told of before it happens.

Python has audit events for opening, renaming and the like, and none for `fsync` or for a database
commit: these two are wrapped. A hook cannot be taken away again: it belongs into a forked child.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
OPERATIONS = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.utime", "sqlite3.connect", "subprocess.Popen"),
}
Look = Callable[[str, str], None]


def watch(look: Look, root: Path) -> None:
    """Call `look` before each durable operation of this process, for good; `root` is its place.

    One at a time: other threads wait, as they do not while a process dies; what they would have
    done next is a point of its own. What `look` itself does is not looked at.
    """
    lock, busy = threading.RLock(), threading.local()

    def passing(operation: str, target: str) -> None:
        if getattr(busy, "now", False):
            return
        with lock:
            busy.now = True
            try:
                look(operation, target)
            finally:
                busy.now = False

    def heard(name: str, arguments: tuple[Any, ...]) -> None:
        if name in OPERATIONS:
            passing(name, " ".join(map(str, arguments[:2])))
        elif name == "open" and _writes(*arguments):
            passing(name, str(root / os.fsdecode(arguments[0])))

    sys.addaudithook(heard)
    _watch_ledger(passing)
    sync = os.fsync

    def synced(fd: Any) -> None:
        descriptor = fd if isinstance(fd, int) else fd.fileno()
        passing("os.fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(fd)

    os.fsync = synced


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    """Whether a file is opened by its name, to be written."""
    return not isinstance(path, int) and isinstance(flags, int) and bool(flags & WRITING)


def _watch_ledger(look: Look) -> None:
    """Before each statement that writes, before each commit and after it."""
    commit: Callable[[Any, Any], None] = DefaultDialect.do_commit

    def committed(dialect: Any, connection: Any) -> None:
        look("before commit", "the ledger")
        commit(dialect, connection)
        look("after commit", "the ledger")

    def stated(*arguments: Any) -> None:
        verb = str(arguments[2]).split(" ", 1)[0]
        if verb in {"INSERT", "UPDATE", "DELETE"}:
            look(verb, "the ledger")

    DefaultDialect.do_commit = committed  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", stated)


def kill_at(number: int, root: Path) -> None:
    """From here on this process kills itself before its n-th durable operation."""
    seen = 0

    def look(operation: str, target: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    watch(look, root)

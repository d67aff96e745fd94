"""Forked children: born warm, with every import done, and never let back into pytest."""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any, NamedTuple

AT_ONCE = 2
Work = Callable[[], Any]


class Child(NamedTuple):
    """A process of our own, what it answers, and the file of what it says besides."""

    name: str
    pid: int
    answers: "Connection[Any, Any]"
    said: IO[bytes]


class Ended(NamedTuple):
    """How a child ended: its exit status, negative for a signal, its answer and its last words."""

    name: str
    status: int
    answer: Any
    said: str


def fork(name: str, work: Work) -> Child:
    """Do `work` in a child; an exception there is status 1 and its traceback the last words."""
    said = tempfile.TemporaryFile()  # noqa: SIM115  read when the child has ended
    ours, theirs = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # whoever of the two comes first; it may be over
            os.setpgid(pid, pid)
        theirs.close()
        return Child(name, pid, ours, said)
    try:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        os.setpgid(0, 0)  # what the child starts can be killed with it
        theirs.send(work())
        os._exit(0)
    except BaseException:  # noqa: BLE001  a forked child must never return into pytest
        said.write(traceback.format_exc().encode())
        said.flush()
        os._exit(1)


def wait(child: Child) -> Ended:
    """Wait for the child's end."""
    try:
        answer = child.answers.recv()
    except EOFError:
        answer = None
    _, status = os.waitpid(child.pid, 0)
    child.said.seek(0)
    said = child.said.read().decode()
    child.said.close()
    child.answers.close()
    return Ended(child.name, os.waitstatus_to_exitcode(status), answer, said)


def answer(name: str, work: Work) -> Any:
    """What `work`, which must end well, answers in a child."""
    ended = wait(fork(name, work))
    assert ended.status == 0, f"{name}: {ended.said}"
    return ended.answer


def ended(works: Iterable[tuple[str, Work]]) -> Iterator[Ended]:
    """Do all of the works, a few at once; each as it ends, in their order."""
    running: list[Child] = []
    for name, work in works:
        if len(running) == AT_ONCE:
            yield wait(running.pop(0))
        running.append(fork(name, work))
    yield from map(wait, running)

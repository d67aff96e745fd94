"""Past days, learned by the real flow in a workspace of its own."""

import contextlib
import datetime as dt
import shutil
from pathlib import Path

from flows.server import free_port, running_server
from tasks.carry import make_workspace

APPLICATION = "recommendation"
FIRST = dt.date(2017, 10, 1)


def replay(directory: Path, last: dt.date) -> None:
    """Learn FIRST..last from nothing; `directory` is made anew.

    What an older commit learned there would else pass for this one's.
    """
    directory = directory.resolve()
    shutil.rmtree(directory, ignore_errors=True)
    make_workspace(directory)
    with contextlib.ExitStack() as stack:
        with contextlib.chdir(directory):  # the server's files are the workspace's too
            stack.enter_context(running_server(free_port()))
        from flows.backfill import backfill  # Prefect looks for its server when it is imported

        backfill(FIRST, last, APPLICATION, directory)

"""Past days, learned by the real flow in a workspace of its own."""

import contextlib
import datetime as dt
import shutil
import time
from pathlib import Path

from flows.server import free_port, running_server
from tasks.carry import make_workspace

APPLICATION = "recommendation"
FIRST = dt.date(2017, 10, 1)


def replay(directory: Path, last: dt.date) -> float:
    """Learn FIRST..last from nothing; CPU seconds of this process. `directory` is made anew.

    What an older commit learned there would else pass for this one's.
    """
    directory = directory.resolve()
    shutil.rmtree(directory, ignore_errors=True)
    make_workspace(directory)
    with contextlib.ExitStack() as stack:
        with contextlib.chdir(directory):  # the server's files are the workspace's too
            stack.enter_context(running_server(free_port()))
        from flows.backfill import backfill  # Prefect looks for its server when it is imported

        start = time.process_time()
        backfill(FIRST, last, APPLICATION, directory)
        return time.process_time() - start

"""Evidently's own UI over every night's drift: `make drift-ui`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks import drift_ui
from tasks.ledger import open_ledger
from tasks.params import load_params


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the workspace, and become Evidently's server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of Evidently's UI")
    port = str(parser.parse_args(arguments).port)
    runs = drift_ui.write_workspace(open_ledger(), list(load_params().applications))
    if not runs:
        raise SystemExit("no night has a snapshot of its drift yet: learn a day first")
    print(f"{runs} nights. Evidently's UI: http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    evidently = str(Path(sys.executable).with_name("evidently"))
    given = ["ui", "--workspace", str(drift_ui.WORKSPACE), "--host", "127.0.0.1", "--port", port]
    os.execv(evidently, [evidently, *given])


if __name__ == "__main__":
    main()

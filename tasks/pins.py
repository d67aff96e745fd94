"""increments.json: what each application's increment is made of, pinned for `dvc repro`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks import workspace
from tasks.params import Params, load_params
from tasks.record import write_json
from tasks.records import Increment

Step = Callable[[Increment, Params, Path], Any]


def read_pin(application: str) -> Increment:
    """The pinned increment; raises NothingPinnedError before the first one."""
    pins = json.loads(workspace.INCREMENTS_FILE.read_text())["increments"]
    if application not in pins:
        raise NothingPinnedError(
            f"{workspace.INCREMENTS_FILE} pins no increment of '{application}' yet: "
            "run the daily flow first"
        )
    return Increment.model_validate(pins[application])


def write_pin(increment: Increment) -> None:
    """Pin one application's increment and leave the others' as they are."""
    pins = json.loads(workspace.INCREMENTS_FILE.read_text())["increments"]
    pins[increment.application] = increment.model_dump(mode="json")
    write_json(workspace.INCREMENTS_FILE, {"increments": pins})


def run_as_stage(step: Step) -> None:
    """`python -m tasks.<step> <application>`: the flow's own call, on the pinned increment."""
    application = sys.argv[1]
    step(read_pin(application), load_params(), workspace.INCREMENTS / application)


class NothingPinnedError(LookupError):
    """No increment has been made for this application."""

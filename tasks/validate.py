"""Step: the day keeps the contract and its limits, or it is set aside."""

import logging
from pathlib import Path

from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Increment, Validation
from tasks.screen import screen

log = logging.getLogger(__name__)
FILE = "validation.json"


def validate(increment: Increment, params: Params, where: Path) -> Validation:
    """Check the day's files against the contract and the limits; raises InvalidDayError."""
    found = screen(increment, params, where / "parent")
    log.info("%s: %d rows keep the contract", increment.day, found.rows)
    return found.write(where / FILE)


if __name__ == "__main__":  # the `validate` stage of dvc.yaml
    run_as_stage(validate)

"""cursor.json of a bundle: how far it has learned, and how often it has been on trial."""

import datetime as dt
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from tasks.bundle import corrupt
from tasks.record import Record

FILE = "cursor.json"


class Cursor(Record):
    """The last day in the state, and the looks spent in its window, on whom (`predecessor`...)."""

    day: dt.date
    looks: dict[str, int]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The cursor of a bundle; raises CorruptBundleError."""
        try:
            return super().read(directory / FILE)
        except (OSError, ValidationError) as problem:
            said = " ".join(str(problem).split())
            raise corrupt(directory, FILE, f"cannot be read ({said})") from problem

    def write(self, directory: Path) -> Self:
        """Put the cursor into a bundle in the making."""
        return super().write(directory / FILE)

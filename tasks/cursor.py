"""cursor.json of a bundle: how far it has learned, how often it was on trial, what is usual."""

import datetime as dt
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from tasks.bundle import corrupt
from tasks.record import Record

FILE = "cursor.json"


class PastDay(Record):
    """What is remembered of a day to know what is usual."""

    day: dt.date
    rows: int
    metric: float | None = Field(
        default=None, description="Mean of the champion's deciding metric, before it learned."
    )
    alarm: bool = False


class Cursor(Record):
    """The last day in the state, and the looks spent in its window, on whom (`predecessor`...).

    `past` are the last days learned, as many as drift's reference has; an older release has left
    none. `fitted` is the last day on which all was to be fitted anew, whatever came of it: what
    fails is not tried every night.
    """

    day: dt.date
    looks: dict[str, int]
    past: tuple[PastDay, ...] = ()
    fitted: dt.date | None = None

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

"""What is wrong with a day that is set aside: a file beside the ledger, shown in the report."""

import datetime as dt

from pydantic import Field

from tasks.record import Record


class Fault(Record):
    """One rule that the day breaks. No values: they may be a person's."""

    column: str | None = Field(description="None where the fault is not a column's.")
    rule: str
    count: int = Field(description="How many rows break it; 0 where it is not a row's.")
    rows: tuple[int, ...] = Field(default=(), description="The first of them, from 0.")


class Faults(Record):
    """All that a day with this content breaks."""

    application: str
    day: dt.date
    digest: str = Field(description="Of the day's content, as the ledger has it.")
    faults: tuple[Fault, ...]

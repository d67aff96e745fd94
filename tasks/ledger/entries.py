"""What is written into the ledger and read from it: frozen records."""

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.bundle import Bundle
from tasks.manifest import Kind
from tasks.record import Record
from tasks.records import Action, VersionId

# Released: quarantined, to be learned as it is after all. Given up: quarantined, and no later day
# is to wait for it. Ignored: came again with other content, which was not learned; not a fate.
# Awaiting: a person is asked for its challenger. Approved, rejected: they answered, and it is due.
Outcome = Literal[
    "learned",
    "quarantined",
    "rewound",
    "released",
    "given_up",
    "ignored",
    "awaiting",
    "approved",
    "rejected",
]
DUE_AGAIN = ("rewound", "released", "approved", "rejected")
ASKED = ("awaiting", "approved", "rejected")


class Line(Record):
    """Where an application stands."""

    application: str
    head: str = Field(description="The newest version: parameters and state.")
    champion: str = Field(description="The version at which the head's parameters came to serve.")
    predecessor: str | None = Field(description="The last champion with other parameters.")
    anchor: str = Field(description="The pinned old version that slow decay is measured against.")
    day: dt.date = Field(description="The day that the head learned last.")
    sequence: int = Field(description="How many commits the line has seen.")


class Version(Record):
    """One version; `manifest` is the sha256 of its bundle's manifest file."""

    version: VersionId
    parent: VersionId | None
    predecessor: VersionId | None
    anchor: VersionId | None
    day: dt.date
    kind: Kind
    manifest: str


class Day(Record):
    """What became of one day with this content; the latest entry is the day's fate."""

    day: dt.date
    digest: str
    outcome: Outcome
    version: VersionId | None = None
    action: Action | None = None
    reason: str
    rows: int = 0
    challenger: str | None = Field(
        default=None, description="What a person is asked for, or has answered: its digest."
    )

    @model_validator(mode="after")
    def _learned_by_someone(self) -> Self:
        if (self.outcome == "learned") != (self.version is not None and self.action is not None):
            raise ValueError("a learned day, and no other, names its version and action")
        if (self.outcome in ASKED) != (self.challenger is not None):
            raise ValueError(
                "a day that a person is asked about, and no other, names a challenger"
            )
        return self

    def is_due(self, digest: str) -> bool:
        """Whether the day, with this fate, is to be learned now that its content has `digest`."""
        if self.outcome in DUE_AGAIN:
            return True
        return self.outcome != "learned" and self.digest != digest


class DayEntry(Day):
    """A day as the ledger has it; `sequence` is the number of the commit."""

    sequence: int
    at: dt.datetime


class Champion(Record):
    """Parameters coming to serve: at which version, since which day, why and by whom."""

    version: VersionId
    day: dt.date
    action: Action
    reason: str
    actor: str


class ChampionEntry(Champion):
    """A champion as the ledger has it."""

    sequence: int
    at: dt.datetime


class Snapshot(Record):
    """A committed version that the workspace's DVC experiment is to show."""

    application: str
    sequence: int
    version: str
    experiment: str


class Attempt(Record):
    """One run at a day; `seconds` by step. No outcome: it was killed, or is at work."""

    attempt: str
    application: str
    day: dt.date
    fencing: int
    started: dt.datetime
    ended: dt.datetime | None
    outcome: str | None
    seconds: dict[str, float] | None


def version_of(bundle: Bundle) -> Version:
    """The ledger's row of a stored bundle."""
    shared = set(Version.model_fields) - {"manifest"}
    return Version(**bundle.manifest.model_dump(include=shared), manifest=bundle.digest)

"""The records that steps hand over."""

import datetime as dt
import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from tasks.limits import Limits
from tasks.record import Record
from tasks.update import UpdateSettings, laid_over

ApplicationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]  # a folder's, too
VersionId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Action = Literal["first", "promote", "keep", "roll_back"]
Learn = Literal["skip", "fine_tune", "full_retrain"]
ApprovalDecision = Literal["approve", "reject"]
Start = Literal["parent", "predecessor", "anchor"]
Metrics = dict[str, float]


class History(Record):
    """The days that the line has taken in: all from `first` to `last` but those left out."""

    first: dt.date
    last: dt.date
    left_out: tuple[dt.date, ...] = Field(description="Set aside, or never landed.")
    digest: str = Field(description="Over MD5 and path of all their files.")


class Approval(Record):
    """What a person answered when a challenger was shown to them."""

    challenger: str = Field(description="The digest of all that was shown.")
    decision: ApprovalDecision
    reason: str


class Increment(Record):
    """All that a stage may know about the day, so that it asks neither ledger nor clock."""

    application: ApplicationName
    day: dt.date
    events: str = Field(description="The day's evidence: its event file, or the calendar.")
    items: str = Field(description="The day's item file, or the calendar.")
    prices: str = Field(description="The day's file of offers, or the calendar.")
    partitions: dict[str, str] = Field(description="MD5 of each file read, by path under data/.")
    parent: str
    predecessor: str
    anchor: str
    looks: dict[str, int] = Field(
        description="Looks spent in this window at the `predecessor` and the `anchor`."
    )
    update: UpdateSettings
    learn: Learn | None = Field(
        default=None, description="What an operator chose instead of tonight's plan."
    )
    history: History | None = Field(
        default=None, description="What a full retrain reads; an older release has pinned none."
    )
    limits: Limits | None = Field(
        default=None, description="None where an operator released the day."
    )
    approval: Approval | None = Field(
        default=None, description="The last answer for a challenger of the day, if there is one."
    )
    seed: int
    code: str


class Validation(Record):
    """The day keeps the contract."""

    day: dt.date
    rows: int
    users: int
    items: int
    closed: bool


class IdCount(Record):
    """How many of a day's ids the learner had met before, and how many it knows."""

    known: int = Field(description="All that had a row before the day.")
    today: int = Field(description="Distinct ids of the day's events.")
    new: int = Field(description="Of these, the ones without a row.")


class Prequential(Record):
    """How the champion did on a day that it has not learned, beside its rivals, same units."""

    day: dt.date
    units: int
    unit: str = Field(description="The event column that names a unit: user_id or item_id.")
    metric: str
    higher_is_better: bool
    shown: tuple[str, ...] = Field(description="The metrics that a person looks at first.")
    champion: Metrics
    predecessor: Metrics
    anchor: Metrics
    naive: Metrics
    ids: dict[str, IdCount] = Field(default={}, description="By column, where there are rows.")


class ColumnDrift(Record):
    """Population stability index of a column, and whether it passes the threshold.

    The other three are of equally large samples of today and of each past day, see `alarms`.
    """

    psi: float
    drifted: bool
    today: float | None = Field(default=None, description="The index of today's sample.")
    usual: float | None = Field(default=None, description="That of a day like the past ones.")
    p: float | None = Field(
        default=None, description="Chance of so high an index, were today a day like those."
    )


class Drift(Record):
    """How far the day lies from the reference; not evaluated means fail closed."""

    day: dt.date
    evaluated: bool
    reason: str
    columns: dict[str, ColumnDrift]
    share: float
    detected: bool


class Signal(Record):
    """One thing that is watched from day to day, and how unusual it is today."""

    name: str
    today: float
    usual: float
    p: float = Field(description="Chance of one so far out, were today a day like the past ones.")
    adjusted: float = Field(description="The same, paid for all that is watched tonight (Holm).")
    unusual: bool = Field(description="Whether that is at most the night's level.")


class Plan(Record):
    """What tonight does with the parameters, and why."""

    action: Learn
    reasons: tuple[str, ...]
    start: Start = Field(default="parent", description="Whose parameters are taught.")
    changes: dict[str, Any] = Field(
        default={}, description="What is laid over tonight's update settings."
    )
    level: float | None = Field(default=None, description="Chance of a false alarm tonight.")
    signals: tuple[Signal, ...] = ()

    @property
    def alarm(self) -> bool:
        """Whether anything is unusual."""
        return any(signal.unusual for signal in self.signals)

    def update(self, usual: UpdateSettings) -> UpdateSettings:
        """Tonight's settings, with what the plan changes."""
        if not self.changes:
            return usual
        return UpdateSettings.model_validate(laid_over(self.changes, usual.model_dump()))

    @property
    def told(self) -> str:
        """What and why, in one line."""
        return f"{self.action.replace('_', ' ')}: {'; '.join(self.reasons)}"


class Fit(Record):
    """The learning curve of the challenger, or why there is none."""

    learned: bool
    diverged: bool
    reason: str
    lists: int = Field(description="Examples of today that it was fitted on.")
    again: int = Field(default=0, description="And of past days, in a full retrain.")
    curve: tuple[dict[str, float], ...]


class Evaluation(Record):
    """Champion, challenger and anchor on the same held-out units of the day."""

    day: dt.date
    units: int
    unit: str
    metric: str
    higher_is_better: bool
    champion: Metrics
    challenger: Metrics | None
    anchor: Metrics
    reason: str


class Check(Record):
    """One question that the gate asked, with all that is needed to judge its answer."""

    name: str
    passed: bool
    why: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    units: int = 0
    looks: int = 1
    power: float | None = Field(
        default=None,
        description="Chance to pass where both are equal; of a check on the champion, chance to "
        "catch one that is worse by twice the margin.",
    )


class Verdict(Record):
    """What becomes of the night, and why."""

    application: str
    day: dt.date
    action: Action
    reason: str
    checks: tuple[Check, ...]
    alarms: tuple[str, ...] = Field(description="What a person must look at, verdict or not.")
    plan: str = Field(default="", description="How the night learned, and why.")
    awaits: str | None = Field(
        default=None, description="The challenger that a person must approve first: its digest."
    )
    approval: Approval | None = Field(default=None, description="The answer that it follows.")

    @property
    def outcome(self) -> str:
        """How an attempt ends that has reached it."""
        return "awaiting approval" if self.awaits else self.action


class Alert(Record):
    """Something that a person should look at, open until it is mended or over."""

    kind: Literal[
        "approval", "stale champion", "late data", "kept nights", "quarantine", "rollback"
    ]
    day: dt.date = Field(description="The shop's day that it is about.")
    reason: str
    cure: str


def seed_of(*parts: str) -> int:
    """A seed below 2**31 that depends on the parts alone."""
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:4], "big") >> 1

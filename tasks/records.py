"""The records that steps hand over: frozen, checked, one JSON file each."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Action = Literal["first", "promote", "keep", "roll_back"]
Metrics = dict[str, float]


class Record(BaseModel):
    """A frozen value that is also a file; unknown fields and NaN are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in the file; raises pydantic's ValidationError where it does not fit."""
        return cls.model_validate_json(path.read_bytes())

    def write(self, path: Path) -> Self:
        """Write as sorted JSON in one atomic replacement; the same record is the same bytes."""
        write_json(path, self.model_dump(mode="json"))
        return self


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as sorted, indented JSON; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n")
    draft.replace(path)


def _leave_empty(schema: dict[str, Any]) -> None:
    """A form that fills in our defaults would overrule those of params.yaml unasked."""
    for field in schema["properties"].values():
        field.pop("default", None)


class UpdateSettings(Record):
    """How one increment is learned."""

    model_config = ConfigDict(json_schema_extra=_leave_empty)

    epochs: int = Field(default=1, ge=1, le=50, description="Passes over the new day.")
    learning_rate: float = Field(
        default=1e-4, gt=0, le=0.1, description="The optimizer's step for the network."
    )
    embedding_learning_rate: float = Field(
        default=3e-4, gt=0, le=0.1, description="Its step for the rows of users and items."
    )
    batch_size: int = Field(
        default=16, ge=1, description="Examples in one step, as the application counts them."
    )
    replay: int = Field(
        default=256, ge=0, description="Old examples mixed in, drawn from the replay memory."
    )
    optimizer: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop"] = Field(
        default="adam", description="The update rule; another one than before starts anew."
    )
    max_steps: int | None = Field(default=None, ge=1, description="Stop after so many steps.")
    target_loss: float | None = Field(
        default=None, description="Stop when the mean loss of 50 steps is at it."
    )
    patience: int | None = Field(
        default=None, ge=1, description="Stop when that mean has not fallen for so many steps."
    )
    precision: Literal["32-true", "bf16-mixed"] = Field(
        default="32-true", description="Of the arithmetic; bf16-mixed is for a GPU."
    )

    def over(self, usual: Self) -> Self:
        """`usual`, with what was set here."""
        return usual.model_copy(update=self.model_dump(exclude_unset=True))


class Increment(Record):
    """All that a stage may know about the day, so that it asks neither ledger nor clock."""

    application: str
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
    seed: int
    code: str


class Validation(Record):
    """The day keeps the contract."""

    day: dt.date
    rows: int
    users: int
    items: int
    closed: bool


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


class ColumnDrift(Record):
    """Population stability index of a column, and whether it passes the threshold."""

    psi: float
    drifted: bool


class Drift(Record):
    """How far the day lies from the reference; not evaluated means fail closed."""

    day: dt.date
    evaluated: bool
    reason: str
    columns: dict[str, ColumnDrift]
    share: float
    detected: bool


class Plan(Record):
    """What tonight does with the parameters, and why."""

    action: Literal["skip", "fine_tune"]
    reasons: tuple[str, ...]


class Fit(Record):
    """The learning curve of the challenger, or why there is none."""

    learned: bool
    diverged: bool
    reason: str
    lists: int
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


def seed_of(*parts: str) -> int:
    """A seed below 2**31 that depends on the parts alone."""
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:4], "big") >> 1

"""params.yaml, typed: every number a person may turn, read in one place."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, Field

from tasks.records import Record, UpdateSettings

PARAMS = Path("params.yaml")


def _known_zone(name: str) -> str:
    ZoneInfo(name)
    return name


class ShopParams(Record):
    """The shop's calendar and where its data comes from."""

    time_zone: Annotated[str, AfterValidator(_known_zone)]
    closed_days: tuple[dt.date, ...]
    lateness_days: int = Field(ge=0)
    history_until: dt.date
    source: dict[str, Any]


class DriftParams(Record):
    """When the day counts as drifted from the reference (population stability index)."""

    psi_threshold: float = Field(gt=0)
    share_threshold: float = Field(gt=0, le=1)
    reference_days: int = Field(ge=1)
    reference_rows_per_day: int = Field(ge=1)


class PlanParams(Record):
    """When the parameters are left alone."""

    min_rows: int = Field(ge=1)
    only_on_drift: bool


class GateParams(Record):
    """What the challenger must show. Margins are shares of the champion's own value."""

    alpha: float = Field(gt=0, lt=0.5)
    margin: float = Field(gt=0)
    anchor_margin: float = Field(gt=0)
    forgetting_margin: float = Field(gt=0)
    rollback_margin: float = Field(ge=0)
    min_households: int = Field(ge=2)
    draws: int = Field(ge=100)


class BootstrapParams(Record):
    """How the first champion is made from history."""

    days: int = Field(ge=1)
    check_days: int = Field(ge=1)
    fit: dict[str, Any]


class ApplicationParams(Record):
    """One application: its learner and how it learns, night by night."""

    learner: str = Field(pattern=r"^[\w.]+:\w+$")
    holdout_share: float = Field(gt=0, lt=1)
    settings: dict[str, Any]
    bootstrap: BootstrapParams
    fine_tune: UpdateSettings
    drift: DriftParams
    plan: PlanParams
    gate: GateParams


class Params(Record):
    """The whole file."""

    shop: ShopParams
    applications: dict[str, ApplicationParams]

    def application(self, name: str) -> ApplicationParams:
        """The section of one application; raises UnknownApplicationError."""
        if name not in self.applications:
            known = ", ".join(sorted(self.applications))
            raise UnknownApplicationError(f"{PARAMS} has no application '{name}'; it has: {known}")
        return self.applications[name]

    def starting(self, day: dt.date) -> Self:
        """The same, with `day` as the first one after history."""
        return self.model_copy(
            update={"shop": self.shop.model_copy(update={"history_until": day})}
        )


class UnknownApplicationError(ValueError):
    """No such application in params.yaml."""


def load_params(path: Path = PARAMS) -> Params:
    """Read the file; pydantic's ValidationError names the field that does not fit."""
    return Params.model_validate(yaml.safe_load(path.read_text()))

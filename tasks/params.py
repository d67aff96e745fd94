"""params.yaml, typed: each setting with its meaning and bounds, read in one place."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, Field, model_validator

from tasks.limits import Limits
from tasks.record import Record
from tasks.records import ApplicationName
from tasks.update import UpdateSettings, laid_over
from tasks.upkeep import AlertParams, RetentionParams

PARAMS = Path("params.yaml")
DEFAULT = "default"  # the preset that changes nothing
ALL = "all"  # instead of an application's name


def _known_zone(name: str) -> str:
    ZoneInfo(name)
    return name


class ShopParams(Record):
    """The shop's calendar and where its data comes from."""

    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        description="IANA name; a day is the shop's own calendar day."
    )
    closed_days: tuple[dt.date, ...] = Field(
        description="Days without events that are learned as empty days."
    )
    lateness_days: int = Field(
        ge=0,
        description="An empty or missing day holds up the days after it until the newest landed "
        "day is more than this many days later; then it is set aside.",
    )
    history_until: dt.date = Field(
        description="The first day to be learned as an increment; those before it are history."
    )
    source: dict[str, Any] = Field(description="Where days come from: tasks/sources.")
    on_quarantine: Literal["go_on", "wait"] = Field(
        default="go_on",
        description="When a day was set aside: later days are learned without it, or they wait "
        "until it is corrected, released or given up.",
    )
    on_correction: Literal["ignore", "relearn"] = Field(
        default="ignore",
        description="When a settled day was landed again with other content: note it and go on, "
        "or go back before it and learn it and the days since, in order.",
    )
    limits: Limits = Field(
        default=Limits(), description="A day beyond one of them is set aside: tasks/limits.py."
    )


class DriftParams(Record):
    """When the day counts as drifted from the reference (population stability index)."""

    event_types: tuple[str, ...] = Field(
        default=(), description="Events that are compared; none named is all of them."
    )
    psi_threshold: float = Field(gt=0, description="A column with a higher index has moved.")
    share_threshold: float = Field(
        gt=0, le=1, description="Share of moved columns from which on the day has drifted."
    )
    reference_days: int = Field(ge=1, description="Length of the reference window.")
    reference_rows_per_day: int = Field(
        ge=1, description="Rows kept of each of its days, drawn at random."
    )


class AlarmParams(Record):
    """What an unusual night changes: a factor of one changes nothing."""

    rate: float = Field(
        default=1.0,
        ge=1,
        le=10,
        description="The strongest alarm of a column or the loss multiplies the rates by it, a "
        "weaker one by less.",
    )
    replay: float = Field(
        default=1.0, ge=1, le=10, description="So does any alarm with the replayed examples."
    )


class PlanParams(Record):
    """When the parameters are left alone, and how an unusual night is answered.

    The answers are off unless they are set: alarms are then only recorded and shown.
    """

    min_rows: int = Field(ge=1, description="A day with fewer events is not learned from.")
    only_on_drift: bool = Field(description="Leave the parameters alone on a day without drift.")
    false_alarms: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="Chance that any of gate.window_days nights in a row calls something unusual "
        "that is not, over all that is watched.",
    )
    on_alarm: AlarmParams = Field(
        default=AlarmParams(), description="How an unusual night is learned instead."
    )
    recall: bool = Field(
        default=False,
        description="Teach the predecessor's or the anchor's parameters tonight if they are shown "
        "to do better on today's rows than the champion's.",
    )
    full_retrain_days: int | None = Field(
        default=None, ge=1, description="Fit all anew when the last such fit is so many days old."
    )
    full_retrain_alarms: int | None = Field(
        default=None,
        ge=1,
        description="Fit all anew after so many alarms since, of drift.reference_days nights.",
    )


class GateParams(Record):
    """What the challenger must show. Margins are shares of the champion's own value."""

    alpha: float = Field(
        gt=0, lt=0.5, description="One-sided error of each interval, before looks are paid for."
    )
    window_days: int = Field(
        ge=1, description="Nights pooled to judge the champion; its looks are paid for in each."
    )
    margin: float = Field(
        gt=0,
        description="How much worse on tonight's held-out units the challenger might be, at the "
        "interval's worst, and still be promoted. Lower is stricter, and needs more units.",
    )
    anchor_margin: float = Field(
        gt=0,
        description="How far below the anchor, over the pooled days, the champion may be shown "
        "to be before promotions stop and a person is called.",
    )
    forgetting_margin: float = Field(
        gt=0, description="How much the loss on past held-out lists may rise, at worst."
    )
    rollback_margin: float = Field(
        ge=0,
        description="How far below its predecessor, over the pooled days since it came to serve, "
        "the champion may be shown to be before it is taken back.",
    )
    min_units: int = Field(
        ge=2,
        description="Fewer held-out units (users or items) than this prove nothing: it is a keep.",
    )
    draws: int = Field(ge=100, description="Bootstrap resamples of an interval's error.")
    approval: Literal["none", "wait", "go_on"] = Field(
        default="none",
        description="Whether a person must approve each promotion; until then its day is not "
        "learned. Later days wait for it, or they go on and are learned again after it.",
    )


class BootstrapParams(Record):
    """How the first champion is made from history."""

    days: int = Field(ge=1, description="The last days of history, on which it is fitted.")
    check_days: int = Field(
        ge=1, description="The last ones of them: held-out units there must beat the naive rival."
    )
    fit: dict[str, Any] = Field(description="Of the learner's `fit`: epochs, rates and so on.")


class ApplicationParams(Record):
    """One application: its learner and how it learns, night by night.

    In the file, `preset` names one of `presets`, whose values stand over the section's own;
    "default" is the section as it is.
    """

    learner: str = Field(pattern=r"^[\w.]+:\w+$", description="The class, as `module:Class`.")
    holdout_share: float = Field(
        gt=0, lt=1, description="Share of the day's units that tonight's parameters do not see."
    )
    settings: dict[str, Any] = Field(description="Of the learner: network, state and memory.")
    bootstrap: BootstrapParams
    fine_tune: UpdateSettings
    drift: DriftParams
    plan: PlanParams
    gate: GateParams

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, section: Any) -> Any:
        if not isinstance(section, dict):
            return section
        rest = {name: value for name, value in section.items() if name != "presets"}
        name, presets = rest.pop("preset", DEFAULT), section.get("presets", {})
        if name != DEFAULT and name not in presets:
            raise ValueError(f"no preset '{name}'; there are: {', '.join([DEFAULT, *presets])}")
        return laid_over(presets.get(name, {}), rest)


class Params(Record):
    """The whole file."""

    shop: ShopParams
    alerts: AlertParams = AlertParams()
    retention: RetentionParams = RetentionParams()
    applications: dict[ApplicationName, ApplicationParams]

    @model_validator(mode="after")
    def _none_is_all(self) -> Self:
        if ALL in self.applications:
            raise ValueError(f"an application cannot be called '{ALL}': that names all of them")
        return self

    def application(self, name: str) -> ApplicationParams:
        """The section of one application; raises UnknownApplicationError."""
        if name not in self.applications:
            known = ", ".join(sorted(self.applications))
            raise UnknownApplicationError(f"{PARAMS} has no application '{name}'; it has: {known}")
        return self.applications[name]

    def starting(self, day: dt.date) -> Self:
        """For a replay: the same with `day` as the first one after history, and nobody to ask."""
        unasked = {
            name: one.model_copy(update={"gate": one.gate.model_copy(update={"approval": "none"})})
            for name, one in self.applications.items()
        }
        shop = self.shop.model_copy(update={"history_until": day})
        return self.model_copy(update={"shop": shop, "applications": unasked})


class UnknownApplicationError(ValueError):
    """No such application in params.yaml."""


def load_params(path: Path = PARAMS) -> Params:
    """Read the file; pydantic's ValidationError names the field that does not fit."""
    return Params.model_validate(yaml.safe_load(path.read_text()))

"""Where an application stands, and what keeps it from being well."""

import datetime as dt

from pydantic import Field

from tasks import days, workspace
from tasks.ahead import ahead
from tasks.alerts import open_alerts
from tasks.due import line_of
from tasks.ledger import Ledger
from tasks.nights import awaiting, nights
from tasks.params import Params
from tasks.record import Record


class SetAside(Record):
    """A day that is not learned, and why."""

    day: dt.date
    reason: str


class Standing(Record):
    """One application, as the ledger and the registry have it now."""

    application: str
    champion: str = Field(description="The version whose parameters serve.")
    since: dt.date = Field(description="The first day that it had learned when it came to serve.")
    action: str
    reason: str
    head: str = Field(description="The newest version: parameters and state.")
    anchor: str
    learned_through: dt.date
    learned: int = Field(description="Days learned since the first champion.")
    landed_through: dt.date | None
    due: tuple[dt.date, ...] = Field(description="Landed and not yet learned, oldest first.")
    missing: tuple[dt.date, ...] = Field(
        description="Neither landed nor closed, after the last day learned; newer days are there."
    )
    set_aside: tuple[SetAside, ...]
    awaiting: tuple[dt.date, ...] = Field(description="A person is asked for their challengers.")
    unsaved: tuple[str, ...] = Field(
        description="Increments without a DVC experiment; the next run makes it."
    )
    attention: tuple[str, ...] = Field(description="What a person must look at; empty is well.")


def standing(ledger: Ledger, application: str, params: Params) -> Standing:
    """Read where the application stands; nothing is pulled or changed.

    Raises NoChampionError before the bootstrap, MissingRegistryError without a registry.
    """
    line = line_of(ledger, application)
    files = days.by_day(workspace.registry_manifest())
    newest = max(files, default=None)
    coming = ahead(ledger, line, params.shop, files)
    fates = ledger.fates(application)
    serving = ledger.champions(application)[-1]
    known = nights(ledger, application)
    found = Standing(
        application=application,
        champion=line.champion,
        since=serving.day,
        action=serving.action,
        reason=serving.reason,
        head=line.head,
        anchor=line.anchor,
        learned_through=line.day,
        learned=sum(night.fate.outcome == "learned" for night in known),
        landed_through=newest,
        due=coming.due,
        missing=coming.missing,
        set_aside=tuple(
            SetAside(day=day, reason=fate.reason)
            for day, fate in fates.items()
            if fate.outcome == "quarantined"
        ),
        awaiting=tuple(fate.day for fate in awaiting(ledger, application)),
        unsaved=tuple(s.experiment for s in ledger.missing_snapshots(application)),
        attention=(),
    )
    alerts = open_alerts(ledger, application, params)
    said = [f"{one.kind}: {one.reason}. {one.cure}" for one in alerts]
    if found.missing and not any(one.kind == "late data" for one in alerts):
        said += [f"late data: {day} was not landed, later days are" for day in found.missing]
    alarms = known[-1].verdict.alarms if known and known[-1].verdict else ()
    return found.model_copy(update={"attention": (*said, *alarms)})

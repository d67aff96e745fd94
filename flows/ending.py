"""How a run that may have moved a line ends, also where it failed."""

from prefect.events import emit_event

from flows.alerts import tell_of_alerts
from flows.names import NEW_HEAD, resource
from tasks.alerts import open_alerts
from tasks.ledger import Ledger
from tasks.params import Params
from tasks.report import write_report
from tasks.score import scored_version


def show_line(ledger: Ledger, application: str, params: Params) -> None:
    """The report's page, the outputs of a new head set going, and each open alert."""
    alerts = open_alerts(ledger, application, params)
    write_report(ledger, application, params)
    tell_of_new_head(ledger, application)
    tell_of_alerts(application, alerts)


def tell_of_new_head(ledger: Ledger, application: str) -> None:
    """Say so if the newest outputs are not the head's: parameters or state are other ones."""
    line = ledger.line(application)
    if line is not None and line.head != scored_version(application):
        emit_event(
            event=NEW_HEAD,
            resource=resource(application),
            payload={"day": line.day.isoformat(), "version": line.head},
        )

"""How a run that may have moved a line ends, also where it failed."""

from collections.abc import Sequence
from typing import cast

from prefect import State
from prefect.events import emit_event
from prefect.states import Completed

from flows.alerts import tell_of_alerts
from flows.names import NEW_HEAD, resource
from tasks.alerts import open_alerts
from tasks.due import how_to_answer
from tasks.ledger import Ledger
from tasks.nights import awaiting
from tasks.params import Params
from tasks.records import Verdict
from tasks.report import write_report
from tasks.score import scored_version

AWAITING_APPROVAL = "AwaitingApproval"  # a state of runs that have ended: none is held open


def show_line(ledger: Ledger, application: str, params: Params) -> None:
    """The report's page, the outputs of a new head set going, and each open alert."""
    alerts = open_alerts(ledger, application, params)
    write_report(ledger, application, params)
    tell_of_new_head(ledger, application)
    tell_of_alerts(application, alerts)


def told_of_waiting(verdicts: list[Verdict], said: Sequence[str]) -> list[Verdict]:
    """The flow's result; where a day awaits approval the run has ended well, and is called so.

    A flow that returns a state ends in it, and Prefect hands the state's data to the caller.
    """
    if not said:
        return verdicts
    ended: State[list[Verdict]] = Completed(
        name=AWAITING_APPROVAL, message=" ".join(said), data=verdicts
    )
    return cast("list[Verdict]", ended)


def questions(ledger: Ledger, application: str) -> list[str]:
    """What a person is asked, a line for each day that awaits approval."""
    return [
        f"{application}, {asked.day}: awaiting approval. {how_to_answer(application, asked.day)}."
        for asked in awaiting(ledger, application)
    ]


def tell_of_new_head(ledger: Ledger, application: str) -> None:
    """Say so if the newest outputs are not the head's: parameters or state are other ones."""
    line = ledger.line(application)
    if line is not None and line.head != scored_version(application):
        emit_event(
            event=NEW_HEAD,
            resource=resource(application),
            payload={"day": line.day.isoformat(), "version": line.head},
        )

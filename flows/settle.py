"""An operator settles a day that was set aside, with a reason."""

from datetime import date

from prefect import flow

from flows import steps
from flows.command_line import run_command
from flows.ending import show_line
from tasks.ledger import Line, open_ledger
from tasks.params import load_params
from tasks.settle import Decision


@flow(name="settle", flow_run_name="{application} {day}: {decision}")
def settle(day: date, decision: Decision, reason: str, application: str) -> Line:
    """Say what becomes of a day that was set aside.

    Args:
        day: The day.
        decision: "release" makes it due as it is, without shop.limits; were later days learned,
            the line goes back before it. The next daily run learns it and them, in order. With
            "give_up" no later day waits for it any more. In Prefect's form the list opens by ↓.
        reason: Why; kept in the ledger.
        application: The application whose day it is.
    """
    params = load_params()
    params.application(application)
    ledger = open_ledger()
    with ledger.lease(application) as lease:
        line = steps.settle_day(ledger, lease, params, day, decision, reason)
        steps.finish_snapshots(ledger, application)
    show_line(ledger, application, params)
    return line


if __name__ == "__main__":
    run_command(settle)

"""An operator takes the champion back, with a reason."""

from typing import Literal

from prefect import flow

from flows import steps
from flows.command_line import run_command
from flows.ending import show_line
from tasks.ledger import Line, open_ledger
from tasks.params import load_params


@flow(name="rollback", flow_run_name="{application}-rollback")
def rollback(
    reason: str,
    days_since: Literal["relearn", "keep", "quarantine"],
    application: str,
    to_version: str | None = None,
) -> Line:
    """Take the line back to an earlier version: parameters, optimizer, state, memory and cursor.

    Args:
        reason: Why; kept in the ledger.
        days_since: What becomes of the days since: learn them again, those that were set aside
            too (the same data and settings end in the same champion); keep those learned in the
            state only; or set them aside. In Prefect's form the list opens by ↓.
        application: The application to take back.
        to_version: A version id or its beginning; without it, the champion before this one. The
            head itself only releases days that were set aside after it, or sets aside days due.
    """
    params = load_params()
    params.application(application)
    ledger = open_ledger()
    with ledger.lease(application) as lease:
        line = steps.go_back(ledger, lease, application, params, to_version, days_since, reason)
        steps.finish_snapshots(ledger, application)
    show_line(ledger, application, params)
    return line


if __name__ == "__main__":
    run_command(rollback)

"""A person approves or rejects the challenger of a day, with a reason."""

from datetime import date

from prefect import flow

from flows import artifacts, steps
from flows.command_line import run_command
from flows.ending import show_line
from tasks.approve import asked_for
from tasks.ledger import Line, open_ledger
from tasks.params import load_params
from tasks.records import ApprovalDecision


@flow(name="approve", flow_run_name="{application}: {decision}")
def approve(
    decision: ApprovalDecision, reason: str, application: str, day: date | None = None
) -> Line:
    """Answer for a challenger that awaits approval; the next daily run does as you say.

    The verdict that you answer to is the artifact of the run that asked, and of this one; it is on
    the report's page, too, and in `dayshift explain`.

    Args:
        decision: "approve" promotes the very challenger that was shown; one that is another by
            then awaits approval anew. With "reject" the day is learned by the state alone, and the
            parameters stay. Were later days learned, the line goes back before the day, and the
            next daily run learns it and them, in order. In Prefect's form the list opens by ↓.
        reason: Why; kept in the ledger.
        application: The application whose challenger it is.
        day: The day that awaits approval; needed only if several do.
    """
    params = load_params()
    params.application(application)
    ledger = open_ledger()
    with ledger.lease(application) as lease:
        asked = asked_for(ledger, application, day)
        artifacts.show_question(application, asked)
        line = steps.take_answer(ledger, lease, params, asked, decision, reason)
        steps.finish_snapshots(ledger, application)
    show_line(ledger, application, params)
    return line


if __name__ == "__main__":
    run_command(approve)

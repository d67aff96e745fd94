"""The champion's batch outputs, made anew whenever an increment has ended in a new head."""

from pathlib import Path

from prefect import flow
from prefect.events import emit_event

from flows import steps
from flows.command_line import run_command
from tasks.ledger import Ledger, open_ledger
from tasks.params import ALL, load_params
from tasks.score import scored_version

NEW_HEAD = "dayshift.new-head"  # the deployments of `score` wait for it


@flow(name="score", flow_run_name="{application}-score")
def score(application: str = ALL) -> list[Path]:
    """Write what the champion predicts for the next day, as Parquet files of this version.

    Args:
        application: The application whose champion is asked, or all of them.
    """
    params = load_params()
    if application == ALL:
        runs = [score(name, return_state=True) for name in params.applications]
        return [path for run in runs for path in run.result()]
    return steps.write_outputs(open_ledger(), application, params)


def tell_of_new_head(ledger: Ledger, application: str) -> None:
    """Say so if the newest outputs are not the head's: parameters or state are other ones.

    Asked at the end of every flow that may have moved the line, also where it failed.
    """
    line = ledger.line(application)
    if line is not None and line.head != scored_version(application):
        emit_event(
            event=NEW_HEAD,
            resource={"prefect.resource.id": f"dayshift.{application}"},
            payload={"day": line.day.isoformat(), "version": line.head},
        )


if __name__ == "__main__":
    run_command(score)

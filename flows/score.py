"""The champion's batch outputs, made anew whenever an increment has ended in a new head."""

from pathlib import Path

from prefect import flow

from flows import steps
from flows.command_line import run_command
from tasks.ledger import open_ledger
from tasks.params import ALL, load_params


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


if __name__ == "__main__":
    run_command(score)

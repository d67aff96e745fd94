"""Replay past days in a workspace of its own: what would have been learned."""

import contextlib
from datetime import date, timedelta
from pathlib import Path

from prefect import flow

from flows import steps
from flows.bootstrap import start_line
from flows.command_line import run_command
from flows.daily import learn_due_days, raise_alarms
from tasks import land as landing
from tasks import workspace
from tasks.carry import make_workspace
from tasks.ledger import Ledger
from tasks.nights import untold
from tasks.params import ALL, Params, load_params
from tasks.records import Verdict
from tasks.report import write_report
from tasks.sources import open_source
from tasks.update import UpdateSettings


@flow(name="backfill", flow_run_name="{application} {from_day} to {through_day}")
def backfill(
    from_day: date,
    through_day: date,
    application: str = ALL,
    directory: Path = Path(".workspaces/backfill"),
    update: UpdateSettings | None = None,
) -> list[Verdict]:
    """Learn a range of days in order, from a first champion fitted on the days before it.

    Nothing live changes: registry, ledger, bundles and reports are those of `directory`. A
    backfill that was stopped goes on where it stood.

    Args:
        from_day: The first day to learn; the first champion knows only the days before it.
        through_day: The last day to learn.
        application: The application to replay, or all of them.
        directory: The workspace of the replay, made if it is not there.
        update: How to learn each day; what is left empty stays as params.yaml says.
    """
    if application == ALL:
        runs = [
            backfill(from_day, through_day, name, directory, update, return_state=True)
            for name in load_params().applications
        ]
        return [verdict for run in runs for verdict in run.result()]
    make_workspace(directory)
    with contextlib.chdir(directory):
        params = load_params().starting(from_day)
        params.application(application)
        _land(params, through_day)
        ledger = Ledger(f"sqlite:///{workspace.LEDGER}")  # its own, whatever a team's is
        with ledger.lease(application) as lease:
            steps.finish_snapshots(ledger, application)
            steps.pull_data()
            if ledger.line(application) is None:
                start_line(ledger, lease, application, params)
            _refuse_another_range(ledger, application, from_day, directory)
            verdicts = learn_due_days(ledger, lease, application, params, through_day, update)
        write_report(ledger, application, params)
        raise_alarms(untold(ledger, application))
    return verdicts


def _refuse_another_range(
    ledger: Ledger, application: str, from_day: date, directory: Path
) -> None:
    """A line begins once: what was replayed from another day cannot go on from this one."""
    first = ledger.champions(application)[0].day
    between = [day for day in workspace.registry_days() if first < day < from_day]
    if first >= from_day or between:
        raise ValueError(
            f"{directory} replays the days after {first}, not those from {from_day} on. "
            "Give the other replay a directory of its own"
        )


def _land(params: Params, through_day: date) -> None:
    """A registry of the replay's own, with all its days."""
    source = open_source(params.shop.source)
    landing.build_registry(source, through_day + timedelta(days=1))
    there = set(workspace.registry_days())
    for day in source.days():
        if day <= through_day and day not in there:
            landing.land_day(source, day)


if __name__ == "__main__":
    run_command(backfill)

"""Once a week: what no one can ask for any more is removed, and what can be stays."""

import logging

from prefect import flow

from flows import artifacts, steps
from flows.command_line import run_command
from flows.names import run_name
from tasks.collect import Collection, preview
from tasks.ledger import open_ledger
from tasks.params import ALL, load_params
from tasks.report import write_report

log = logging.getLogger("flows.collect")  # of that name when run with `python -m`, too


@flow(name="collect", flow_run_name=run_name("", "collection"))
def collect(application: str = ALL, dry_run: bool = False) -> list[Collection]:
    """Remove the versions that can no longer be gone back to, and all that only they needed.

    Args:
        application: The application whose line is cleared, as named in params.yaml, or all of
            them, each in a run of its own below this one.
        dry_run: Only say what would be removed and what stays; nothing is changed.
    """
    params = load_params()
    if application == ALL:  # one application's trouble is not the others'
        runs = [collect(name, dry_run, return_state=True) for name in params.applications]
        return [found for run in runs for found in run.result()]
    params.application(application)
    ledger = open_ledger()
    if dry_run:
        found = preview(ledger, application, params)
    else:
        with ledger.lease(application) as lease:
            found = steps.collect_versions(ledger, lease, params)
        write_report(ledger, application, params)
    log.info("%s", artifacts.show_collection(found, dry_run))
    return [found]


if __name__ == "__main__":
    run_command(collect)

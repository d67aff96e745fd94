"""The first champion of an application, from history."""

from prefect import flow

from flows import steps
from flows.command_line import run_command
from flows.ending import show_line
from tasks.attempt import fresh_folder
from tasks.ledger import Lease, Ledger, Line, open_ledger
from tasks.params import ALL, Params, load_params


@flow(name="bootstrap", flow_run_name="{application}-bootstrap")
def bootstrap(application: str = ALL) -> list[Line]:
    """Fit the first champion on the days before shop.history_until and start its line.

    Args:
        application: The application to start, as named in params.yaml, or all of them. One that
            has a champion stays as it is.
    """
    params = load_params()
    if application == ALL:
        runs = [bootstrap(name, return_state=True) for name in params.applications]
        return [line for run in runs for line in run.result()]
    params.application(application)
    ledger = open_ledger()
    with ledger.lease(application) as lease:
        steps.pull_data()
        line = ledger.line(application)
        if line is None:
            line = start_line(ledger, lease, application, params)
    show_line(ledger, application, params)
    return [line]


def start_line(ledger: Ledger, lease: Lease, application: str, params: Params) -> Line:
    """The first champion; what it took is kept beside the seconds of the nights."""
    steps.seconds.clear()
    where = fresh_folder(application)
    line = steps.fit_first_champion(ledger, lease, application, params, where)
    attempt = ledger.begin_attempt(lease, line.day)
    ledger.end_attempt(attempt, "first", steps.seconds)
    return line


if __name__ == "__main__":
    run_command(bootstrap)

"""One increment a day: the whole project, read from top to bottom."""

import logging
from datetime import date

from prefect import flow

from flows import artifacts, steps
from flows.command_line import run_command
from flows.ending import AWAITING_APPROVAL, questions, show_line, told_of_waiting
from flows.names import run_name
from flows.tonight import describe, look_at_tonight
from tasks.attempt import open_attempt
from tasks.contract import InvalidDayError
from tasks.due import AwaitingApprovalError, LateDayError, content, next_increment
from tasks.ledger import Lease, Ledger, open_ledger
from tasks.nights import UNTOLD, untold
from tasks.params import ALL, Params, load_params
from tasks.records import Increment, Learn, Verdict
from tasks.update import UpdateSettings

log = logging.getLogger("flows.daily")  # of that name when run with `python -m`, too


class AlarmError(RuntimeError):
    """Every day was settled, but a person must look at one of them."""


@flow(name="daily-increment", flow_run_name=run_name("through_day", "all days due"))
def daily_increment(
    application: str = ALL,
    through_day: date | None = None,
    update: UpdateSettings | None = None,
    dry_run: bool = False,
    learn: Learn | None = None,
) -> list[Verdict]:
    """Learn every landed day that was not learned yet, oldest first, each once.

    With `gate.approval` a promotion awaits a person's answer: the run ends as AwaitingApproval.

    Args:
        application: The application to teach, as named in params.yaml, or all of them, each in
            a run of its own below this one.
        through_day: The last day to learn; without it, every day that has landed.
        update: How to learn tonight; what is left empty stays as params.yaml says.
        dry_run: Only say what tonight would do and why; nothing is pulled, learned or changed.
        learn: What to do with every day that this run learns, whatever its plan would be: leave
            the parameters alone, fine-tune them, or fit all anew. Left empty, as planned. In
            Prefect's form the list opens by ↓.
    """
    params = load_params()
    if application == ALL:  # one application's trouble is not the others'
        runs = [
            daily_increment(name, through_day, update, dry_run, learn, return_state=True)
            for name in params.applications
        ]
        said = [run.message or "" for run in runs if run.name == AWAITING_APPROVAL]
        return told_of_waiting([verdict for run in runs for verdict in run.result()], said)
    params.application(application)
    ledger = open_ledger()
    if dry_run:
        plan = describe(look_at_tonight(ledger, application, params, through_day, update, learn))
        log.info("%s", plan)
        artifacts.show_plan(application, plan)
        return []
    with ledger.lease(application) as lease:
        steps.finish_snapshots(ledger, application)  # before the data moves on: they show this one
        steps.pull_data()
        steps.take_up_corrections(ledger, lease, application, params, through_day or date.max)
        try:
            verdicts = learn_due_days(
                ledger, lease, application, params, through_day, update, learn
            )
        finally:
            show_line(ledger, application, params)
        raise_alarms(untold(ledger, application))
    return told_of_waiting(verdicts, questions(ledger, application))


def learn_due_days(
    ledger: Ledger,
    lease: Lease,
    application: str,
    params: Params,
    through_day: date | None = None,
    update: UpdateSettings | None = None,
    learn: Learn | None = None,
) -> list[Verdict]:
    """Day after day in one process: imports cost more than what a day teaches."""
    verdicts = []
    through = through_day or date.max
    try:
        while increment := next_increment(ledger, application, params, through, update, learn):
            verdicts.append(learn_day(ledger, lease, increment, params))
    except AwaitingApprovalError as problem:
        log.info("%s: %s", application, problem)
    except LateDayError as problem:
        steps.set_aside(ledger, lease, problem.day, problem.digest, problem)
        raise
    return verdicts


def learn_day(ledger: Ledger, lease: Lease, increment: Increment, params: Params) -> Verdict:
    """Pull is done; the day is learned, kept out of the parameters, set aside or asked about."""
    steps.seconds.clear()
    attempt = ledger.begin_attempt(lease, increment.day)
    where = open_attempt(increment)
    try:
        steps.validate_day(increment, params, where)
        steps.score_before_learning(increment, params, where)
    except InvalidDayError as problem:
        known = content(increment.day, increment.partitions, params.shop)
        steps.set_aside(ledger, lease, increment.day, known, problem)
        ledger.end_attempt(attempt, "quarantined", steps.seconds)
        raise
    steps.detect_drift(increment, params, where)
    steps.plan_night(increment, params, where)
    steps.fine_tune_challenger(increment, params, where)
    steps.evaluate_challenger(increment, params, where)
    verdict = steps.reach_verdict(increment, params, where)
    if verdict.awaits:
        asked = steps.ask_for_approval(ledger, lease, increment, params, where)
        artifacts.show_question(increment.application, asked)
    else:
        line = steps.promote_or_keep(ledger, lease, increment, params, where)
        steps.finish_snapshots(ledger, increment.application)
        artifacts.show_increment(increment, line.head)
    ledger.end_attempt(attempt, UNTOLD if verdict.alarms else verdict.outcome, steps.seconds)
    for alarm in verdict.alarms:
        log.error("%s: %s", verdict.day, alarm)
    return verdict


def raise_alarms(verdicts: list[Verdict]) -> None:
    """A night that no one need look at ends green; any other one does not."""
    alarms = [f"{verdict.day}: {alarm}" for verdict in verdicts for alarm in verdict.alarms]
    if alarms:
        raise AlarmError("; ".join(alarms) + ". See the verdict of the day.")


if __name__ == "__main__":
    run_command(daily_increment)

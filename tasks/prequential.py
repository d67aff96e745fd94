"""Step: score the day before learning it, champion beside its rivals, on the same lists."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.ids import known_ids
from lightning_modules.learner import Examples, Learner
from tasks import learners, reference
from tasks.days import read_events
from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import IdCount, Increment, Prequential
from tasks.screen import check_score

FILE = "prequential.json"
UNITS = "prequential.parquet"
METHODS = ("champion", "predecessor", "anchor", "naive")


def prequential(increment: Increment, params: Params, where: Path) -> Prequential:
    """Test, then train: every unit of the day (a user's or an item's), unlearned yet.

    Champion, predecessor and anchor are scored with the champion's state, so that only what was
    learned is compared; the naive rival is the learner's own. Writes the means and, beside them,
    one row per unit and method (day, held_out, unit, metrics, method, score): what is held out
    tonight is for the verdict and must not choose what is learned. Raises InvalidDayError for a
    day that all of them foretell far worse than any other: see `check_score`.
    """
    section = params.application(increment.application)
    learner = learners.champion(increment, params, where)
    seen = learners.examples(increment, params, where)
    past = {
        role: learners.with_version(learner, where / role, getattr(increment, role))
        for role in ("predecessor", "anchor")
    }
    scores: dict[str, NDArray[np.float32]] = {
        "champion": learner.scores(seen),
        "predecessor": past["predecessor"].scores(seen),
        "anchor": past["anchor"].scores(seen),
        "naive": learner.naive_scores(seen),
    }
    quality = {method: learner.quality(seen, scores[method]) for method in METHODS}
    judged = {
        method: quality[method].assign(
            method=method, score=_scores_of(learner, seen, scores[method], quality[method])
        )
        for method in METHODS
    }
    table = pd.concat(judged.values(), ignore_index=True)
    held_out = seen.unit_ids[learners.held_out(seen, section.holdout_share)].astype(str)
    table.insert(1, "held_out", table["unit"].isin(held_out))
    table.insert(0, "day", increment.day.isoformat())
    reference.write_frame(table, where / UNITS)
    means = {method: learners.mean_quality(quality[method]) for method in METHODS}
    scored = Prequential(
        day=increment.day,
        units=len(quality["champion"]),
        unit=learner.unit,
        metric=learner.metric,
        higher_is_better=learner.higher_is_better,
        shown=learner.shown,
        ids=_ids(read_events(increment), where / "parent"),
        **means,
    )
    check_score(increment, scored, where / "parent")
    return scored.write(where / FILE)


def _scores_of(
    learner: Learner, seen: Examples, scores: NDArray[np.float32], quality: pd.DataFrame
) -> pd.Series:
    """The watched number of each judged unit; some units may have nothing to be judged by."""
    watched = pd.Series(learner.unit_scores(seen, scores), index=seen.unit_ids.astype(str))
    return quality["unit"].map(watched)


def _ids(events: pd.DataFrame, parent: Path) -> dict[str, IdCount]:
    """By column how many of the day's ids the parent has no row for, and how many it knows."""
    counts = {}
    for column, known in sorted(known_ids(parent).items()):
        today = set(events[column].dropna().astype(str))
        counts[column] = IdCount(known=len(known), today=len(today), new=len(today - known))
    return counts


if __name__ == "__main__":  # the `prequential` stage of dvc.yaml
    run_as_stage(prequential)

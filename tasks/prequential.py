"""Step: score the day before learning it, champion beside its rivals, on the same lists."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.learner import Examples
from tasks import learners, reference
from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Increment, Prequential

FILE = "prequential.json"
HOUSEHOLDS = "prequential.parquet"
METHODS = ("champion", "predecessor", "anchor", "naive")


def prequential(increment: Increment, params: Params, where: Path) -> Prequential:
    """Test, then train: every household of the day, none of whose rows has been learned.

    Champion, predecessor and anchor are scored with the champion's state, so that only what was
    learned is compared; the naive rival ranks by personal frequency. Writes the means and, beside
    them, one row per household and method (day, user_id, method, metrics, score).
    """
    learner = learners.champion(increment, params, where)
    seen = learners.examples(increment, params, where)
    scores: dict[str, NDArray[np.float32]] = {
        "champion": learner.scores(seen),
        "predecessor": learners.with_parameters(learner, where / "predecessor").scores(seen),
        "anchor": learners.with_parameters(learner, where / "anchor").scores(seen),
        "naive": learner.naive_scores(seen),
    }
    quality = {method: learner.quality(seen, scores[method]) for method in METHODS}
    reference.write_frame(_table(increment, seen, scores, quality), where / HOUSEHOLDS)
    means = {method: learners.mean_quality(quality[method]) for method in METHODS}
    return Prequential(
        day=increment.day, households=len(quality["champion"]), metric=learner.metric, **means
    ).write(where / FILE)


def _table(
    increment: Increment,
    seen: Examples,
    scores: dict[str, NDArray[np.float32]],
    quality: dict[str, pd.DataFrame],
) -> pd.DataFrame:
    tables = [
        quality[method].assign(method=method, score=learners.top_scores(seen, scores[method]))
        for method in METHODS
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "day", increment.day.isoformat())
    return table


if __name__ == "__main__":  # the `prequential` stage of dvc.yaml
    run_as_stage(prequential)

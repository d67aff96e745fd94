"""Step: champion, challenger and anchor on the same held-out units, and on some long past."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lightning_modules.hashing import days_of
from lightning_modules.learner import Examples, Learner
from tasks import learners, reference
from tasks.params import Params
from tasks.pins import run_as_stage
from tasks.records import Evaluation, Fit, History, Increment

FILE = "evaluation.json"
UNITS = "evaluation.parquet"
PAST = "forgetting.parquet"
LOOK_BACK = 91  # days


def evaluate(increment: Increment, params: Params, where: Path) -> Evaluation:
    """Score the units that the update did not see, and the frozen sample of past ones.

    Writes the means; per held-out unit and method the metrics; and per frozen unit its day and
    the loss of champion and challenger, the rise of which is forgetting.
    """
    section = params.application(increment.application)
    champion = learners.champion(increment, params, where)
    fit = Fit.read(where / "challenger" / "fit.json")
    versions = {
        "champion": champion,
        "anchor": learners.with_version(champion, where / "anchor", increment.anchor),
    }
    if fit.learned:
        versions["challenger"] = learners.with_parameters(champion, where / "challenger")
    seen = learners.examples(increment, params, where)
    held_out = seen.take(learners.held_out(seen, section.holdout_share))
    quality = {name: who.quality(held_out, who.scores(held_out)) for name, who in versions.items()}
    tables = [table.assign(method=name) for name, table in sorted(quality.items())]
    reference.write_frame(pd.concat(tables, ignore_index=True), where / UNITS)
    reference.write_frame(_past(versions, increment.history), where / PAST)
    means = {name: learners.mean_quality(table) for name, table in quality.items()}
    return Evaluation(
        day=increment.day,
        units=len(quality["champion"]),
        unit=champion.unit,
        metric=champion.metric,
        higher_is_better=champion.higher_is_better,
        champion=means["champion"],
        challenger=means.get("challenger"),
        anchor=means["anchor"],
        reason=fit.reason,
    ).write(where / FILE)


def _past(versions: dict[str, Learner], history: History | None) -> pd.DataFrame:
    frozen: Examples = versions["champion"].frozen()
    losses = {
        name: versions[name].loss(frozen).astype("float64")
        for name in ("champion", "challenger")
        if name in versions
    }
    days = days_of(frozen.keys, frozen.unit_ids, _backwards(history))
    dates = pd.Series([str(day) if day else None for day in days], dtype="object")
    table = pd.DataFrame(losses).assign(unit=frozen.unit_ids.astype(str), day=dates)
    return table[table["champion"].notna()]  # where there is nothing to learn there is no loss


def _backwards(history: History | None) -> Iterator[dt.date]:
    """The learned days of the last LOOK_BACK, the newest first.

    Each takes a hash of every unit that is not found yet, so a night would cost more for every day
    of history.
    """
    if history is not None:
        for number in range(min((history.last - history.first).days + 1, LOOK_BACK)):
            yield history.last - dt.timedelta(days=number)


if __name__ == "__main__":  # the `evaluate` stage of dvc.yaml
    run_as_stage(evaluate)

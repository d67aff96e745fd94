"""Made-up records for steps that need no workspace."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tasks import gate, reference
from tasks.decide import EVIDENCE, decide
from tasks.params import Params
from tasks.prequential import METHODS
from tasks.records import (
    Drift,
    Evaluation,
    Fit,
    Increment,
    Metrics,
    Plan,
    Prequential,
    Verdict,
)
from tasks.update import UpdateSettings

APPLICATION = "recommendation"
DAY = dt.date(2024, 2, 1)
METRIC = "ndcg@20"
USERS = [f"u{user:03d}" for user in range(60)]
PARENT, PREDECESSOR, ANCHOR = "a" * 64, "b" * 64, "c" * 64


def params(**sections: dict[str, Any]) -> Params:
    """This project's params.yaml, with some settings of the application changed."""
    content = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
    for section, values in sections.items():
        content["applications"][APPLICATION][section] |= values
    return Params.model_validate(content)


def increment(**fields: Any) -> Increment:
    """A day after three versions of different parameters."""
    made: dict[str, Any] = {
        "application": APPLICATION,
        "day": DAY,
        "events": f"data/events/date={DAY}",
        "items": f"data/items/date={DAY}",
        "prices": f"data/prices/date={DAY}",
        "partitions": {f"events/date={DAY}/part-0.parquet": "0" * 32},
        "parent": PARENT,
        "predecessor": PREDECESSOR,
        "anchor": ANCHOR,
        "looks": {},
        "update": UpdateSettings(),
        "seed": 5,
        "code": "made-up",
    }
    return Increment.model_validate(made | fields)


SETTINGS = params(gate={"min_units": 30, "draws": 400, "margin": 0.05})


class Night:
    """What the steps before `decide` left, all equal unless told otherwise."""

    def __init__(self, where: Path) -> None:
        self.where = where
        generator = np.random.default_rng(4)
        self.base = pd.Series(generator.beta(3, 7, len(USERS)) + 0.05, index=USERS)
        self.noise = pd.Series(generator.normal(0, 0.004, len(USERS)), index=USERS)
        for folder in ("parent", "challenger"):
            (where / folder).mkdir()
        self.remembers(gate.no_evidence())
        self.scored(champion=1.0, predecessor=1.0, anchor=1.0)
        self.evaluated(challenger=1.0)
        self.forgot(0.0)
        self.drifted(evaluated=True)
        Plan(action="fine_tune", reasons=("as ever",)).write(where / "plan.json")

    def values(self, factor: float, rank: int) -> pd.Series:
        return self.base * factor + self.noise * rank

    def remembers(self, evidence: pd.DataFrame) -> None:
        reference.write_frame(evidence, self.where / "parent" / EVIDENCE)

    def scored(self, **factors: float) -> None:
        tables = [
            pd.DataFrame({"unit": USERS, "method": method, METRIC: self.values(factor, rank)})
            for rank, (method, factor) in enumerate(factors.items())
        ]
        nobody = pd.DataFrame(columns=["unit", "method", METRIC])
        table = pd.concat(tables) if tables else nobody
        reference.write_frame(table, self.where / "prequential.parquet")
        means: dict[str, Metrics] = {method: {METRIC: 0.3} for method in factors}
        Prequential(
            day=DAY,
            units=len(USERS) if tables else 0,
            unit="user_id",
            metric=METRIC,
            higher_is_better=True,
            shown=(METRIC,),
            **{method: means.get(method, {}) for method in METHODS},
        ).write(self.where / "prequential.json")

    def evaluated(
        self, challenger: float | None, users: int = 60, hole: bool = False, why: str = ""
    ) -> None:
        factors = {"champion": 1.0} | ({} if challenger is None else {"challenger": challenger})
        tables = [
            pd.DataFrame({"unit": USERS, "method": method, METRIC: self.values(factor, rank)})
            for rank, (method, factor) in enumerate(factors.items())
        ]
        if hole:
            tables[1].iloc[3, 2] = math.nan
        table = pd.concat([table.head(users) for table in tables])
        reference.write_frame(table, self.where / "evaluation.parquet")
        means = {METRIC: 0.3}
        Evaluation(
            day=DAY,
            units=users,
            unit="user_id",
            metric=METRIC,
            higher_is_better=True,
            champion=means,
            challenger=None if challenger is None else means,
            anchor=means,
            reason=why,
        ).write(self.where / "evaluation.json")
        fitted = challenger is not None
        Fit(
            learned=fitted, diverged=why.startswith("diverged"), reason=why, lists=1, curve=()
        ).write(self.where / "challenger" / "fit.json")

    def forgot(self, rise: float, lists: int = 40) -> None:
        losses = np.linspace(2.0, 3.0, lists)
        past = pd.DataFrame(
            {"champion": losses, "challenger": losses + rise, "unit": USERS[:lists]}
        )
        reference.write_frame(past, self.where / "forgetting.parquet")

    def drifted(self, evaluated: bool) -> None:
        Drift(
            day=DAY, evaluated=evaluated, reason="so", columns={}, share=0.0, detected=False
        ).write(self.where / "drift.json")

    def verdict(self, **fields: Any) -> Verdict:
        found = decide(self.increment(**fields), SETTINGS, self.where)
        assert Verdict.read(self.where / "verdict.json") == found
        return found

    def increment(self, **fields: Any) -> Increment:
        return increment(**fields)

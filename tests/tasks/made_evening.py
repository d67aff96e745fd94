"""What the steps before the plan leave, made up."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tasks import reference
from tasks.cursor import Cursor, PastDay
from tasks.params import Params
from tasks.plan import plan
from tasks.prequential import METHODS
from tasks.records import ColumnDrift, Drift, Metrics, Plan, Prequential, Validation
from tests.tasks.made import DAY, METRIC, USERS, increment, params

USUAL = 500


def before(number: int) -> dt.date:
    """So many days before the day that is planned."""
    return DAY - dt.timedelta(days=number)


def days(*alarms: int) -> tuple[PastDay, ...]:
    """Four weeks in which rows and metric waver a little; `alarms` are days ago."""
    return tuple(
        PastDay(day=before(n), rows=USUAL + 7 * (n % 5), metric=0.3 + 0.004 * (n % 3 - 1))
        if n not in alarms
        else PastDay(day=before(n), rows=USUAL, metric=0.3, alarm=True)
        for n in range(28, 0, -1)
    )


class Evening:
    """What the steps before `plan` left: a day like the others, unless told otherwise."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.validated(USUAL)
        self.drifted("still")
        self.scored(0.3)
        self.remembers(days())

    def validated(self, rows: int, *, closed: bool = False) -> None:
        found = Validation(day=DAY, rows=rows, users=1, items=1, closed=closed)
        found.write(self.where / "validation.json")

    def drifted(self, how: str, **p: float) -> None:
        columns = {
            name: ColumnDrift(psi=0.3, drifted=False, today=0.3, usual=0.02, p=value)
            for name, value in p.items()
        }
        Drift(
            day=DAY,
            evaluated=how != "unknown",
            reason=f"it is {how}",
            columns=columns,
            share=0.0,
            detected=how == "moved",
        ).write(self.where / "drift.json")

    def scored(self, champion: float, *, higher: bool = True, **gains: float) -> None:
        """`gains`: of other versions on the units not held out; on the others they lose more."""
        rng = np.random.default_rng(2)
        held_out = np.arange(len(USERS)) % 5 == 0
        base = rng.beta(3, 7, len(USERS))
        tables = [
            pd.DataFrame({"unit": USERS, "held_out": held_out, "method": method}).assign(
                **{METRIC: base + np.where(held_out, -9, 1) * gains.get(method, 0.0) * noise}
            )
            for method in METHODS
            for noise in [rng.normal(1, 0.3, len(USERS))]
        ]
        reference.write_frame(pd.concat(tables), self.where / "prequential.parquet")
        means: dict[str, Metrics] = {method: {METRIC: champion} for method in METHODS}
        Prequential(
            day=DAY,
            units=len(USERS),
            unit="user_id",
            metric=METRIC,
            higher_is_better=higher,
            shown=(METRIC,),
            **means,
        ).write(self.where / "prequential.json")

    def remembers(self, past: tuple[PastDay, ...], fitted: dt.date | None = None) -> None:
        cursor = Cursor(day=before(1), looks={}, past=past, fitted=fitted)
        (self.where / "parent").mkdir(exist_ok=True)
        cursor.write(self.where / "parent")

    def plan(self, settings: Params | None = None, **fields: Any) -> Plan:
        made = plan(increment(**fields), settings or params(), self.where)
        assert Plan.read(self.where / "plan.json") == made
        return made

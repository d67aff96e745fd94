"""An older version is recalled where it is shown to do better, and seldom by chance."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks import reference
from tasks.prequential import METHODS
from tests.tasks.made import METRIC, PARENT, PREDECESSOR, USERS, params
from tests.tasks.made_evening import Evening


@pytest.fixture
def night(tmp_path: Path) -> Evening:
    return Evening(tmp_path)


def test_an_older_version_that_does_better_today_is_recalled(night: Evening) -> None:
    on = params(plan={"recall": True})
    night.scored(0.3, predecessor=0.05, anchor=0.1)
    assert night.plan().start == "parent"
    made = night.plan(on)
    assert (made.action, made.start) == ("fine_tune", "anchor")
    assert "the anchor's parameters are recalled: ndcg@20 of 48 users" in made.reasons[-1]
    assert night.plan(on, anchor=PARENT).start == "predecessor"
    night.scored(0.3, predecessor=-0.05, anchor=-0.1)
    assert night.plan(on).start == "parent"
    night.scored(0.3, higher=False, predecessor=-0.05)
    assert night.plan(on).start == "predecessor"


def test_what_is_held_out_does_not_choose_the_start(night: Evening) -> None:
    night.scored(0.3, predecessor=-0.1, anchor=-0.1)  # far better on those held out
    assert night.plan(params(plan={"recall": True})).start == "parent"


@pytest.mark.parametrize("gate", [{"min_units": 49}, {}])
def test_a_recall_needs_units_and_a_clear_gain(night: Evening, gate: dict[str, Any]) -> None:
    night.scored(0.3, predecessor=0.05 if gate else 0.0)
    assert night.plan(params(plan={"recall": True}, gate=gate)).start == "parent"


def test_chance_seldom_recalls_anyone(tmp_path: Path) -> None:
    on = params(plan={"recall": True, "false_alarms": 0.49}, gate={"window_days": 2, "draws": 200})
    night, recalled = Evening(tmp_path), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        table = pd.concat(
            pd.DataFrame(
                {"unit": USERS, "held_out": False, "method": m, METRIC: rng.normal(0, 1, 60)}
            )
            for m in METHODS
        )
        reference.write_frame(table, tmp_path / "prequential.parquet")
        recalled += night.plan(on, seed=seed).start != "parent"
    level = 0.49 / 2
    assert 200 * level / 4 < recalled <= 200 * level + 2.6 * np.sqrt(200 * level * (1 - level))


def test_the_predecessor_is_no_rival_of_itself(night: Evening) -> None:
    night.scored(0.3, predecessor=0.1, anchor=0.1)
    on = params(plan={"recall": True})
    assert night.plan(on, predecessor=PARENT, anchor=PARENT).start == "parent"
    assert night.plan(on, predecessor=PREDECESSOR, anchor=PARENT).start == "predecessor"

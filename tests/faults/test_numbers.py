"""One number that is none, wherever it is: nothing of that night's learning is kept."""

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.events import Events
from lightning_modules.learner import DivergedError
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.features import FEATURES
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.network import Ranker, initial, to_ranker
from lightning_modules.recommendation.sources import InMemory
from lightning_modules.schedule import Schedule
from lightning_modules.training import Training, train
from tasks.decide import decide
from tasks.evaluate import evaluate
from tasks.fine_tune import fine_tune
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
    with_rows,
)
from tests.line import Place, attempt, settle

pytestmark = pytest.mark.fault(6)
SCHEDULE = Schedule(learning_rate=0.01, embedding_learning_rate=0.01, batch_size=4, clip=5)
NONE = (float("nan"), float("inf"))
UNSEEN = 59  # an item's row that no list of the day has


@pytest.fixture(scope="module")
def lists() -> Lists:
    day = FIRST.replace(day=5)
    found = seasoned(4).examples(shop_day(day_of_trade(day), no_items(), day), whole=False)
    return found.take(found.hit)


def learned(lists: Lists) -> Parameters:
    """After one night."""
    start = with_rows(initial([len(FEATURES), 8], 2, seed=1), 12, 60)
    return teach(start, lists)


def teach(before: Parameters, lists: Lists) -> Parameters:
    return train(to_ranker(before), before, Events(InMemory(lists), 4, 1), SCHEDULE)[0]


@pytest.mark.parametrize("value", NONE)
@pytest.mark.parametrize("row", [0, UNSEEN])
def test_in_one_weight(value: float, row: int, lists: Lists) -> None:
    before = learned(lists)
    before.weights["item.weight"][row, 0] = value
    with pytest.raises(DivergedError, match="nothing was learned"):
        teach(before, lists)


@pytest.mark.parametrize("value", NONE)
@pytest.mark.parametrize("moment", ["exp_avg", "exp_avg_sq"])
@pytest.mark.parametrize("row", [0, UNSEEN])
def test_in_one_moment(value: float, moment: str, row: int, lists: Lists) -> None:
    """Infinity under the root would leave its weight for ever as it is, and finite."""
    before = learned(lists)
    before.optimizer[f"{moment}/item.weight"][row, 0] = value
    said = "nothing was learned" if moment == "exp_avg" or np.isnan(value) else "weight or moment"
    with pytest.raises(DivergedError, match=said):
        teach(before, lists)


def test_in_one_feature_of_one_candidate(lists: Lists) -> None:
    features = lists.features.copy()
    features[7, 3] = np.nan
    before = learned(lists)
    with pytest.raises(DivergedError, match="the loss of step"):
        teach(before, replace(lists, features=features))


def test_in_the_loss_of_the_third_batch(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Training.training_step

    def third(self: Training, batch: Any, batch_idx: int) -> torch.Tensor:
        if batch_idx == 2:
            monkeypatch.setattr(Ranker, "loss", lambda self, batch: torch.tensor(torch.inf))
        return step(self, batch, batch_idx)

    before = learned(lists)
    monkeypatch.setattr(Training, "training_step", third)
    with pytest.raises(DivergedError, match="the loss of step 2 is inf"):
        teach(before, lists)


def test_in_one_gradient(lists: Lists) -> None:
    """The loss is finite, its slope is not."""
    before = learned(lists)
    network = to_ranker(before)
    weight = network.get_parameter("mlp.0.weight")
    weight.register_hook(lambda grad: grad * torch.nan)  # type: ignore[no-untyped-call]
    with pytest.raises(DivergedError, match="the gradient of step 0 is nan"):
        train(network, before, Events(InMemory(lists), 4, 1), SCHEDULE)


def test_the_class_of_refusal_is_diverged_and_the_champion_stays(
    evening: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ranker, "loss", lambda self, batch: torch.tensor(torch.nan))
    increment, where = evening.due(), attempt()
    shutil.rmtree(where / "challenger")
    assert fine_tune(increment, evening.params, where).diverged
    assert [path.name for path in (where / "challenger").iterdir()] == ["fit.json"]
    evaluate(increment, evening.params, where)
    verdict = decide(increment, evening.params, where)
    assert verdict.action == "keep"
    assert verdict.alarms == (f"the fit {verdict.checks[-1].why}",)
    champion = evening.line.champion
    assert settle(evening, where).champion == champion

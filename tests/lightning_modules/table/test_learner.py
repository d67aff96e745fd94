"""A learner from a LightningModule and a table, by the class of docs/how-to/your-model.md."""

import datetime as dt
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional

from lightning_modules.learner import LearnerFileError, ShopDay
from lightning_modules.table.learner import TableLearner
from lightning_modules.table.rows import Rows

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "your-model.md"
FIRST = dt.date(2024, 3, 1)
UPDATE = {"learning_rate": 0.01, "batch_size": 8, "replay": 16}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The page's code as a module."""
    path = tmp_path_factory.mktemp("page") / "returning.py"
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("returning", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kind(page: Any) -> type[TableLearner]:
    """The page's learner."""
    found: type[TableLearner] = page.ReturningLearner
    return found


def shop_day(number: int, users: int = 40) -> ShopDay:
    """Every n-th customer comes every n-th day, so that who comes can be learned."""
    came = [f"u{user:02d}" for user in range(users) if number % (user % 5 + 1) == 0]
    none = pd.DataFrame()
    events = pd.DataFrame({"user_id": came})
    return ShopDay(FIRST + dt.timedelta(days=number), events, none, none)


def live(learner: TableLearner, numbers: range) -> None:
    """See each day, learn it, take it in."""
    for number in numbers:
        rows = learner.examples(shop_day(number))
        held = np.arange(len(rows)) % 4 == 0
        learner.fine_tune(rows, held, update=UPDATE, seed=number)
        learner.absorb(shop_day(number), rows, held)


@pytest.fixture
def learner(kind: type[TableLearner], tmp_path: Path) -> TableLearner:
    """Twenty days spooled and fitted."""
    learner = kind.new({"replay_size": 60, "frozen_size": 20, "frozen_a_day": 3})
    spool = tmp_path / "spool"
    spool.mkdir()
    for number in range(20):
        rows = learner.examples(shop_day(number))
        held = np.arange(len(rows)) % 4 == 0
        learner.spool(rows.take(~held), spool / f"{number:02d}.safetensors")
        learner.absorb(shop_day(number), rows, held)
    learner.fit(spool, settings={"batch_size": 16, "epochs": 8}, seed=1)
    return learner


def files(learner: TableLearner, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    learner.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_it_has_learned_beats_the_simple_rule(learner: TableLearner) -> None:
    ours: list[float] = []
    naive: list[float] = []
    for number in range(20, 30):
        rows = learner.examples(shop_day(number))
        for losses, scores in ((ours, learner.scores(rows)), (naive, learner.naive_scores(rows))):
            losses.append(learner.quality(rows, scores)["log_loss"].mean())
        learner.absorb(shop_day(number), rows, None)
    assert np.mean(ours) < np.mean(naive)


def test_learned_on_in_another_process_it_has_the_same_bytes(
    learner: TableLearner, tmp_path: Path
) -> None:
    files(learner, tmp_path / "before")
    live(learner, range(20, 24))
    other = type(learner).load(tmp_path / "before", learner.settings)
    live(other, range(20, 24))
    assert files(learner, tmp_path / "one") == files(other, tmp_path / "other")


def test_dropout_draws_by_the_night_s_seed_alone(
    page: Any, learner: TableLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dropping(page.Chance):  # type: ignore[misc]
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            said: torch.Tensor = super().forward(functional.dropout(features, 0.5, self.training))
            return said

    monkeypatch.setattr(type(learner), "network", lambda self: Dropping())
    rows, before = learner.examples(shop_day(20)), learner.parameters
    learned = []
    for seed in (1, 1, 2):
        learner.parameters = before
        learner.fine_tune(
            rows, np.zeros(len(rows), bool), update=UPDATE | {"replay": 0}, seed=seed
        )
        learned.append(learner.parameters.weights["module.layer.weight"].tobytes())
    assert learned[0] == learned[1]
    assert learned[0] != learned[2]
    assert (learner.scores(rows) == learner.scores(rows)).all()


def test_no_frozen_unit_is_learned_or_replayed(learner: TableLearner) -> None:
    live(learner, range(20, 30))
    assert len(learner.frozen()) == 20
    assert len(learner.replay) == 60
    assert not set(learner.frozen().keys) & set(learner.replay.keys)
    losses = learner.loss(learner.frozen())
    assert losses.shape == (20,)
    assert np.isfinite(losses).all()


def test_a_closed_day_has_no_unit_and_teaches_nothing(learner: TableLearner) -> None:
    day = shop_day(20)
    closed = ShopDay(day.day, day.events.iloc[:0], day.items, day.prices)
    rows, before = learner.examples(closed), learner.parameters
    assert len(rows) == 0
    assert learner.fine_tune(rows, np.zeros(0, bool), update=UPDATE, seed=1) == []
    assert learner.parameters is before
    learner.absorb(closed, rows, None)
    with pytest.raises(ValueError, match="taken in already"):
        learner.examples(closed)


def test_its_outputs_are_of_every_unit(learner: TableLearner) -> None:
    table = learner.outputs(FIRST + dt.timedelta(days=20))["predictions"]
    assert list(table.columns) == ["user_id", "predicted"]
    assert set(table["user_id"]) == set(learner.state.index)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2.0]}, index=["u", "u"]), "more than one row of 'u'"),
        (pd.DataFrame({"a": [1.0, np.nan]}, index=["u", "v"]), "a of 'v' is no finite number"),
    ],
)
def test_rows_that_cannot_be_are_refused(
    learner: TableLearner, monkeypatch: pytest.MonkeyPatch, features: pd.DataFrame, message: str
) -> None:
    monkeypatch.setattr(learner, "features", lambda state, day: features)
    with pytest.raises(ValueError, match=message):
        learner.examples(shop_day(20))


def test_a_state_with_a_hole_is_refused(
    learner: TableLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = learner.state
    for wrong, message in (
        (before.reindex([*before.index, "new"]), "a null"),
        (before.assign(more=1), "the state has .*more"),
    ):
        monkeypatch.setattr(learner, "count", lambda state, day, wrong=wrong: wrong)
        with pytest.raises(ValueError, match=message):
            learner.absorb(shop_day(20), None, None)
        assert learner.state is before


def test_an_unknown_setting_is_named(kind: type[TableLearner]) -> None:
    with pytest.raises(ValueError, match="unknown setting 'replays'"):
        kind.new({"replays": 3})


@pytest.mark.parametrize(
    ("name", "layer", "message"),
    [
        ("layer", nn.Linear(3, 1), "are not the model's"),
        ("norm", nn.BatchNorm1d(2), "Chance has buffers"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    page: Any,
    learner: TableLearner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    layer: nn.Module,
    message: str,
) -> None:
    files(learner, tmp_path / "before")
    chance = page.Chance()
    setattr(chance, name, layer)
    monkeypatch.setattr(learner.__class__, "network", lambda self: chance)
    with pytest.raises(ValueError, match=message):
        type(learner).load(tmp_path / "before", learner.settings)


def test_a_damaged_file_is_named(learner: TableLearner, tmp_path: Path) -> None:
    for name in sorted(files(learner, tmp_path / "whole")):
        place = tmp_path / "damaged" / name
        place.mkdir(parents=True)
        learner.save(place)
        (place / name).write_bytes(b"")
        with pytest.raises(LearnerFileError, match="restore the bundle"):
            type(learner).load(place, learner.settings)


def test_rows_are_taken_by_mask_or_position(learner: TableLearner) -> None:
    rows: Rows = learner.examples(shop_day(20))
    mask = np.arange(len(rows)) % 2 == 1
    assert list(rows.take(mask).keys) == list(rows.take(np.flatnonzero(mask)).keys)

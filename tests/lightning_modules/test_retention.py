"""What keeps old knowledge: each method alone, on a line whose points move."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules.events import Events
from lightning_modules.parameters import Parameters
from lightning_modules.retention import within
from lightning_modules.schedule import Retention, Schedule
from lightning_modules.training import train
from tests.lightning_modules.lines import Line, Points

SCHEDULE = Schedule(learning_rate=0.1, embedding_learning_rate=0.1, batch_size=20, optimizer="sgd")


def line(parameters: Parameters) -> Line:
    network = Line()
    network.load_state_dict({n: torch.tensor(a) for n, a in parameters.weights.items()})
    return network


def taught(before: Parameters, source: Points, schedule: Schedule) -> Parameters:
    return train(line(before), before, Events(source, schedule.batch_size, 1), schedule)[0]


def old() -> Points:
    """Points far from zero, where w counts more than b."""
    source = Points(400)
    source.x = source.x + 4
    source.y = source.y + 8
    return source


def moved() -> Points:
    """Another day: all of them lie three higher."""
    source = Points(400)
    source.y = source.y + 3
    return source


def start(**retention: float) -> Parameters:
    zero = Parameters({"w": np.zeros(1, np.float32), "b": np.zeros(1, np.float32)})
    rule = replace(SCHEDULE, learning_rate=0.01, retention=Retention(**retention), epochs=5)
    return taught(zero, old(), rule)


def loss_on(source: Points, parameters: Parameters) -> float:
    with torch.no_grad():
        return float(line(parameters).loss((source.x, source.y)))


@pytest.mark.parametrize(
    "retention", [{"ewc": 2.0}, {"distill": 3.0}, {"average": 0.99}, {"trust": 0.2}]
)
def test_each_method_forgets_less_than_none_and_still_learns(retention: dict[str, float]) -> None:
    parent = start(ewc=retention.get("ewc", 0.0))
    naive = taught(parent, moved(), SCHEDULE)
    kept = taught(parent, moved(), replace(SCHEDULE, retention=Retention(**retention)))
    assert loss_on(old(), kept) < 0.7 * loss_on(old(), naive)
    assert loss_on(moved(), kept) < loss_on(moved(), parent)


def test_they_go_together_and_through_files(tmp_path: Path) -> None:
    every = Retention(ewc=0.05, distill=0.5, average=0.5, trust=0.5)
    rule = replace(SCHEDULE, retention=every)
    once = taught(start(ewc=0.05), moved(), rule)
    assert {key.split("/")[0] for key in once.optimizer} == {"fisher", "raw"}
    once.save(tmp_path)
    resumed = taught(Parameters.load(tmp_path), old(), rule)
    straight = taught(once, old(), rule)
    for name, array in straight.weights.items():
        assert np.array_equal(resumed.weights[name], array)


def test_what_past_days_depended_on_fades() -> None:
    rule = replace(SCHEDULE, retention=Retention(ewc=1e-9, ewc_decay=0.5))
    first = taught(start(), moved(), rule)
    second = taught(first, moved(), rule)
    alone = taught(Parameters(first.weights), moved(), rule)
    was, now, fresh = (each.part("fisher")["w"] for each in (first, second, alone))
    assert now == pytest.approx(fresh + 0.5 * was, rel=1e-4)


def test_the_average_is_served_and_the_raw_weights_learn_on() -> None:
    rule = replace(SCHEDULE, retention=Retention(average=0.9))
    parent = start()
    served = taught(parent, moved(), rule)
    plain = taught(parent, moved(), SCHEDULE)
    assert np.array_equal(served.part("raw")["w"], plain.weights["w"])
    two = taught(plain, old(), SCHEDULE)
    assert np.array_equal(taught(served, old(), rule).part("raw")["w"], two.weights["w"])


def test_rows_that_are_new_have_raw_weights_like_theirs() -> None:
    table = np.ones((2, 3), np.float32)
    parts = {"raw/user.weight": table, "fisher/user.weight": table}
    wider = Parameters({"user.weight": table}, parts, 5).grown({"user.weight": 4})
    fresh = wider.weights["user.weight"][2:]
    assert fresh.any()
    assert np.array_equal(wider.part("raw")["user.weight"][2:], fresh)
    assert not wider.part("fisher")["user.weight"][2:].any()
    assert wider.online_steps == 5


def test_no_way_is_longer_than_what_is_trusted() -> None:
    before = {"a": np.array([3.0, 0.0], np.float32), "b": np.array([4.0], np.float32)}
    after = {"a": np.array([3.0, 3.0], np.float32), "b": np.array([8.0], np.float32)}
    near = within(before, after, 0.1)  # half of a way of five
    assert near["a"] == pytest.approx([3.0, 0.3])
    assert near["b"] == pytest.approx([4.4])
    assert within(before, after, 1.0) is after
    fixed = {"place": np.array([900.0], np.float32)}
    assert within(before | fixed, after | fixed, 0.1)["a"] == pytest.approx(near["a"])


def test_a_network_that_says_nothing_cannot_be_distilled(monkeypatch: Any) -> None:
    monkeypatch.delattr(Line, "predictions")
    monkeypatch.setattr(Line, "loss", lambda self, batch: (self.w * batch[0] + self.b).mean())
    with pytest.raises(ValueError, match=r"retention\.distill asks Line"):
        taught(start(), moved(), replace(SCHEDULE, retention=Retention(distill=1.0)))


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown retention setting 'ewcc'"):
        Schedule.read(
            {
                "learning_rate": 0.1,
                "embedding_learning_rate": 0.1,
                "batch_size": 4,
                "retention": {"ewcc": 1},
            }
        )

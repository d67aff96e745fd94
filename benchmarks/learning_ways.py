"""The ways to learn a day that are compared, and what becomes of each."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.parameters import Parameters
from tasks.update import UpdateSettings

FROZEN, NAIVE, DEFAULT, GATED, RETRAIN = "frozen", "naive", "default", "gated", "full retrain"
Settings = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """Changes of an increment's settings (None: nothing is learned), from so many first fits.

    A gated way only serves what the gate's two checks of a challenger let pass.
    """

    name: str
    update: Settings | None
    seeds: int = 1
    gated: bool = False


@dataclass
class Course:
    """What became of a way from one first fit: its parameters, and what was measured.

    `losses[week, past]` are those, after a week, of the units of that or a past week that nobody
    learns; `promoted` says of each day that something was learned whether it came to serve.
    """

    way: Way
    seed: int
    parameters: Parameters
    quality: dict[dt.date, float] = field(default_factory=dict)
    losses: dict[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)
    promoted: dict[dt.date, bool] = field(default_factory=dict)
    seconds: float = 0.0
    visits: int = 0
    peak_mb: float | None = None


def main_ways(seeds: int) -> list[Way]:
    """What every shop is lived through with."""
    return [
        Way(FROZEN, None, seeds),
        Way(RETRAIN, None, seeds),
        Way(NAIVE, {"replay": 0}, seeds),
        Way(DEFAULT, {}, seeds),
        Way(GATED, {}, gated=True),
    ]


def faster(usual: UpdateSettings) -> Settings:
    """Ten times the rates."""
    names = ("learning_rate", "embedding_learning_rate")
    return {name: 10 * getattr(usual, name) for name in names}


def rules(usual: UpdateSettings) -> list[Way]:
    """Update rules and optimizers, at the usual rates and ten times as fast."""
    fast = faster(usual)
    part = {"cache": 4, "batch_size": max(usual.batch_size // 4, 1)}
    return [
        Way("ten times the rate", fast),
        Way("ten times the rate, naive", {**fast, "replay": 0}),
        Way("synchronous, 4 in cache", part),
        Way("asynchronous, 4 in cache", {**part, "rule": "asynchronous"}),
        Way("online", {"rule": "online", "tau": 500.0}),
        Way("online, ten times the rate", {"rule": "online", "tau": 500.0, **fast}),
        Way("sgd, online, ten times the rate", _sgd(fast)),
        Way("adagrad, ten times the rate", {"optimizer": "adagrad", **fast}),
    ]


def _sgd(fast: Settings) -> Settings:
    return {"rule": "online", "tau": 500.0, "optimizer": "sgd", **fast}


RETENTION: dict[str, Settings] = {
    "EWC": {"ewc": 30.0},
    "distillation": {"distill": 0.1},
    "EMA": {"average": 0.98},
    "trust region": {"trust": 0.002},
}
TOGETHER = {**RETENTION["EWC"], **RETENTION["distillation"], **RETENTION["EMA"]}


def ablation(fast: Settings) -> list[Way]:
    """What keeps old knowledge: each alone, with replay, and together, at a rate that forgets."""
    ways = []
    for name, kept in {**RETENTION, "EWC, distillation and EMA": TOGETHER}.items():
        ways.append(Way(f"{name} alone", {**fast, "replay": 0, "retention": kept}))
        ways.append(Way(f"{name} and replay", {**fast, "retention": kept}))
    return ways

"""A fourth application as a team would write it: will a known customer shop today?

One class, no flow and no step: a logistic regression on the days since the last visit and the
number of visits, learned by gradient steps in numpy.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lightning_modules.hashing import list_keys
from lightning_modules.learner import Curve, ShopDay

FEATURES = 3
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Customers:
    """Known customers on a day: features (L, 3) from before it, and whether they came (L,)."""

    unit_ids: NDArray[np.object_]
    keys: NDArray[np.uint64]
    features: NDArray[np.float32]
    came: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.unit_ids)

    def take(self, units: NDArray[Any]) -> "Customers":
        """Some of them."""
        return Customers(*(getattr(self, name)[units] for name in self.__dataclass_fields__))


class ReturningLearner:
    """Who comes back today. See `lightning_modules.learner.Learner`."""

    unit: ClassVar[str] = "user_id"
    metric: ClassVar[str] = "log_loss"
    higher_is_better: ClassVar[bool] = False
    shown: ClassVar[tuple[str, ...]] = ("log_loss",)

    def __init__(self) -> None:
        self.weights = np.zeros(FEATURES, np.float32)
        self.visits: dict[str, list[int]] = {}  # last day and number of visits by customer
        self.day = 0

    @classmethod
    def new(cls, settings: dict[str, Any]) -> Self:
        return cls()

    @classmethod
    def load(cls, directory: Path, settings: dict[str, Any]) -> Self:
        learner = cls()
        learner.load_parameters(directory)
        state = json.loads((directory / "state.json").read_text())
        learner.visits, learner.day = state["visits"], state["day"]
        return learner

    def save(self, directory: Path) -> None:
        self.save_parameters(directory)
        state = {"visits": self.visits, "day": self.day}
        (directory / "state.json").write_text(json.dumps(state, sort_keys=True))

    def load_parameters(self, directory: Path) -> None:
        self.weights = load_file(directory / "model.safetensors")["weights"]

    def save_parameters(self, directory: Path) -> None:
        save_file({"weights": self.weights}, directory / "model.safetensors")

    def examples(self, day: ShopDay) -> Customers:
        users = sorted(self.visits) if len(day.events) else []
        return self._customers(users, set(day.events["user_id"]), day.day)

    def scores(self, examples: Customers) -> NDArray[np.float32]:
        chance: NDArray[np.float32] = 1 / (1 + np.exp(-examples.features @ self.weights))
        return chance

    def naive_scores(self, examples: Customers) -> NDArray[np.float32]:
        return np.full(len(examples), 0.5, np.float32)

    def quality(self, examples: Customers, scores: NDArray[np.float32]) -> pd.DataFrame:
        chance = np.where(examples.came, scores, 1 - scores)
        return pd.DataFrame({"unit": examples.unit_ids.astype(str), "log_loss": -np.log(chance)})

    def unit_scores(self, examples: Customers, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        return scores.astype(np.float64)

    def loss(self, examples: Customers) -> NDArray[np.float32]:
        losses = self.quality(examples, self.scores(examples))["log_loss"]
        return losses.to_numpy(np.float32)

    def frozen(self) -> Customers:
        """The customers as they are now, taken to come: a past that never changes its mind."""
        return self._customers(sorted(self.visits)[:40], set(self.visits), self._today())

    def fine_tune(
        self, new: Customers, holdout: NDArray[np.bool_], *, update: dict[str, Any], seed: int
    ) -> Curve:
        return self._descend(new.take(~holdout), steps=3, rate=0.01)

    def absorb(
        self, day: ShopDay, examples: Customers | None, holdout: NDArray[np.bool_] | None
    ) -> None:
        number = (day.day - EPOCH).days
        if number <= self.day:
            raise ValueError(f"{day.day} was taken in already: each day counts once")
        self.day = number
        for user in sorted(set(day.events["user_id"])):
            self.visits[user] = [number, self.visits.get(user, [0, 0])[1] + 1]

    def spool(self, examples: Customers, path: Path) -> None:
        save_file({"features": examples.features, "came": examples.came.astype(np.uint8)}, path)

    def fit(self, spool: Path, *, settings: dict[str, Any], seed: int) -> Curve:
        days = [load_file(path) for path in sorted(spool.iterdir())]
        features = np.concatenate([day["features"] for day in days])
        came = np.concatenate([day["came"] for day in days]).astype(bool)
        nameless = np.zeros(len(came), np.uint64)
        past = Customers(nameless.astype(object), nameless, features, came)
        return self._descend(past, steps=300, rate=0.5)

    def outputs(self, day: date) -> dict[str, pd.DataFrame]:
        users = self._customers(sorted(self.visits), set(), day)
        table = {"user_id": users.unit_ids.astype(str), "chance": self.scores(users)}
        return {"returning": pd.DataFrame(table)}

    def _today(self) -> date:
        return date.fromordinal(EPOCH.toordinal() + self.day + 1)

    def _customers(self, users: list[str], came: set[str], day: date) -> Customers:
        number = (day - EPOCH).days
        known = np.array([self.visits[user] for user in users], np.float32).reshape(-1, 2)
        since = np.log1p(number - known[:, 0])
        features = np.stack([np.ones(len(users)), since, np.log1p(known[:, 1])], axis=1)
        return Customers(
            unit_ids=np.array(users, object),
            keys=list_keys(day, users),
            features=features.astype(np.float32),
            came=np.array([user in came for user in users], bool),
        )

    def _descend(self, customers: Customers, steps: int, rate: float) -> Curve:
        curve = []
        for step in range(steps if len(customers) else 0):
            miss = self.scores(customers) - customers.came
            slope = customers.features.T @ miss / len(customers)
            self.weights = (self.weights - rate * slope).astype(np.float32)
            curve.append({"step": float(step), "loss": float(self.loss(customers).mean())})
        return curve

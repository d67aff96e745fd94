"""A made-up shop whose demand and prices' propensities are known, to test estimators on."""

from dataclasses import dataclass, replace

import numpy as np

from lightning_modules.pricing.off_policy import Logged, Numbers

LEVELS = np.array([0.8, 0.9, 1.0, 1.1, 1.2])  # prices tried, as shares of the usual one
WEEK = 7  # days for which a price stands
SHOCK = 8.0  # shape of the gamma factor, mean 1, that the days of a week share


@dataclass(frozen=True)
class Shop:
    """Items (m,) with the price, mean units a day and elasticity of each; and its price policy.

    Units of an item on a day are Poisson with mean `units` times level ** `elasticity` times the
    week's shock. `policy` (m, 5) is the chance of each of LEVELS, drawn anew each week.
    """

    price: Numbers
    units: Numbers
    elasticity: Numbers
    policy: Numbers

    def earned(self) -> Numbers:
        """The mean revenue a day of each item at each level, (m, 5)."""
        sold = self.units[:, None] * LEVELS ** self.elasticity[:, None]
        return np.asarray(self.price[:, None] * LEVELS * sold, np.float64)

    def value(self, policy: Numbers) -> float:
        """The true mean revenue of an item-day under a policy (m, 5)."""
        return float((policy * self.earned()).sum(axis=1).mean())

    def draw(self, weeks: int, rng: np.random.Generator) -> tuple[Logged, np.ndarray]:
        """The log of that many item-weeks of items drawn at random, and each row's item."""
        item = rng.integers(len(self.price), size=weeks)
        luck = rng.random((weeks, 1))
        action = (luck > self.policy[item].cumsum(axis=1)).sum(axis=1).clip(0, len(LEVELS) - 1)
        mean = self.earned()[item, action] / (self.price[item] * LEVELS[action])
        shock = rng.gamma(SHOCK, 1 / SHOCK, size=weeks)
        rows = np.repeat(np.arange(weeks), WEEK)
        units = rng.poisson((mean * shock)[rows])
        item, action = item[rows], action[rows]
        policy = self.policy[item]
        return Logged(
            action=action,
            reward=self.price[item] * LEVELS[action] * units,
            propensity=np.take_along_axis(policy, action[:, None], axis=1)[:, 0],
            policy=policy,
            unit=rows,
        ), item


def open_shop(items: int, rng: np.random.Generator) -> Shop:
    """A shop that tries each level at least 8% of the time, mostly the usual price."""
    odds = rng.dirichlet([1, 1, 4, 1, 1], size=items)
    return Shop(
        price=rng.lognormal(0.8, 0.4, size=items),
        units=rng.gamma(3.0, 1.5, size=items),
        elasticity=-rng.uniform(0.5, 3.0, size=items),
        policy=0.08 + (1 - 0.08 * len(LEVELS)) * odds,
    )


def leaning(shop: Shop, towards: Numbers, weight: float = 0.8) -> Numbers:
    """The log's policy mixed with one that plays each item's best level by `towards` (m, 5)."""
    best = np.eye(len(LEVELS))[towards.argmax(axis=1)]
    return np.asarray(weight * best + (1 - weight) * shop.policy, np.float64)


def without_support(shop: Shop, target: Numbers) -> Shop:
    """The shop that never tries what the target plays most, for every second item."""
    policy = shop.policy.copy()
    half = np.arange(0, len(policy), 2)
    policy[half, target[half].argmax(axis=1)] = 0
    return replace(shop, policy=policy / policy.sum(axis=1, keepdims=True))


def level_with(shop: Shop, better: Numbers, worse: Numbers) -> Numbers:
    """The mixture of a better and a worse policy that gains exactly nothing on the log's own."""
    low, high = shop.value(worse), shop.value(better)
    share = (shop.value(shop.policy) - low) / (high - low)
    return np.asarray(share * better + (1 - share) * worse, np.float64)

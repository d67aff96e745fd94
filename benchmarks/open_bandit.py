"""Logs of two real policies whose propensities are known: the sample of the Open Bandit Dataset.

Saito et al. 2021. It comes with the package obp: 10,000 rows of a uniformly random policy and of
Bernoulli Thompson sampling ("bts") in each of three campaigns, where three places show an item.
The package is read as files and not imported.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_modules.pricing.judgement import Judgement, Rules, judge
from lightning_modules.pricing.off_policy import Logged, Numbers

CAMPAIGNS = ("all", "men", "women")
RANDOM, LEARNED = "random", "bts"
PLACES = 3


def find_data() -> Path:
    """The installed package's folder; raises FileNotFoundError where there is none."""
    spec = importlib.util.find_spec("obp")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "no logged data: pip install --no-deps obp==0.4.1, or give its folder by --data"
        )
    return Path(spec.submodule_search_locations[0])


def read_log(data: Path, policy: str, campaign: str) -> pd.DataFrame:
    """One policy's log: `item`, `position` (0 to 2), `click`, `propensity`, in order of time."""
    columns = ["timestamp", "item_id", "position", "click", "propensity_score"]
    file = data / "dataset" / "obd" / policy / campaign / f"{campaign}.csv"
    rows = pd.read_csv(file, usecols=columns).sort_values("timestamp", kind="stable")
    return pd.DataFrame(
        {
            "item": rows["item_id"].to_numpy(np.int64),
            "position": rows["position"].rank(method="dense").to_numpy(np.int64) - 1,
            "click": rows["click"].to_numpy(np.float64),
            "propensity": rows["propensity_score"].to_numpy(np.float64),
        }
    )


def judge_from(source: pd.DataFrame, target_log: pd.DataFrame, target: str) -> Judgement:
    """Judge the target policy on the source's log.

    Of the random policy every chance is known. Thompson sampling went on learning during the week
    and only the chance of what it chose is logged, so as a target it is taken for its mean over
    the week: the shares of items at each place in its own log, whose clicks are not looked at.
    """
    items = int(max(source["item"].max(), target_log["item"].max())) + 1
    shares = np.full((PLACES, items), 1 / items)
    policy = None
    if target != RANDOM:
        policy = shares[source["position"]]
        shares = np.stack([_shares(target_log, place, items) for place in range(PLACES)])
    logged = Logged(
        action=source["item"].to_numpy(np.int64),
        reward=source["click"].to_numpy(np.float64),
        propensity=source["propensity"].to_numpy(np.float64),
        policy=policy,
    )
    rules = Rules(floor=0.0, reward_range=(0.0, 1.0))  # a click or none
    return judge(logged, shares[source["position"]], rules, click_model(source, items))


def click_model(source: pd.DataFrame, items: int) -> Numbers:
    """Each row's click rate of each item (n, items), from the other half of the log.

    Rates are drawn to the mean by one pseudo-click; halves are every second row.
    """
    half = np.arange(len(source)) % 2
    item, click = source["item"].to_numpy(), source["click"].to_numpy(np.float64)
    rates = []
    for mine in (0, 1):
        other = half != mine
        clicks = np.bincount(item[other], click[other], minlength=items)
        shown = np.bincount(item[other], minlength=items)
        rates.append((clicks + 1) / (shown + 1 / click[other].mean()))
    return np.asarray(np.stack(rates)[half], np.float64)


def _shares(rows: pd.DataFrame, place: int, items: int) -> Numbers:
    there = rows.loc[rows["position"] == place, "item"]
    return np.bincount(there, minlength=items) / len(there)

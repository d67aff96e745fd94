"""The judge on logs: files read as they are, intervals by hand, and a shop that adds up."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import off_policy, open_bandit, price_simulator
from lightning_modules.pricing.off_policy import Estimate


def write_logs(folder: Path, rows: int = 4000) -> None:
    """Three items, each clicked at its own rate; the learned policy prefers the last."""
    rng = np.random.default_rng(1)
    chances = {"random": np.full(3, 1 / 3), "bts": np.array([0.2, 0.2, 0.6])}
    for policy, chance in chances.items():
        for campaign in open_bandit.CAMPAIGNS:
            item = rng.choice(3, size=rows, p=chance)
            table = pd.DataFrame(
                {
                    "timestamp": [f"{number:05}" for number in range(rows)][::-1],
                    "item_id": item,
                    "position": rng.integers(1, 4, size=rows),
                    "click": rng.random(rows) < np.array([0.1, 0.2, 0.4])[item],
                    "propensity_score": chance[item],
                    "other": 0,
                }
            )
            file = folder / "dataset" / "obd" / policy / campaign / f"{campaign}.csv"
            file.parent.mkdir(parents=True)
            table.to_csv(file)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("obp")
    write_logs(folder)
    return folder


def test_a_log_is_read_in_order_of_time_with_places_from_zero(data: Path) -> None:
    rows = open_bandit.read_log(data, "bts", "men")
    raw = pd.read_csv(data / "dataset/obd/bts/men/men.csv")
    assert rows["item"].tolist() == raw["item_id"].tolist()[::-1]
    assert rows["position"].tolist() == (raw["position"] - 1).tolist()[::-1]
    assert set(rows["position"]) == {0, 1, 2}


def test_each_policy_is_found_again_in_the_other_s_log(data: Path) -> None:
    found, lines = off_policy.real_logs(data)
    assert len(found) == 18 and len(lines) == 6
    assert {one.met for one in found} == {True}
    truth = {"bts": 0.02 + 0.04 + 0.24, "random": 0.7 / 3}
    for campaign in open_bandit.CAMPAIGNS:
        logs = {name: open_bandit.read_log(data, name, campaign) for name in truth}
        for source, target in (("random", "bts"), ("bts", "random")):
            verdict = open_bandit.judge_from(logs[source], logs[target], target)
            for one in verdict.estimates.values():
                assert one.value == pytest.approx(truth[target], abs=4 * one.error)
            # Of the learned policy only the chances of what it chose are in the log.
            assert (verdict.passed, verdict.usable) == (target == "bts", True)


def test_a_click_model_knows_nothing_of_its_own_half(data: Path) -> None:
    rows = open_bandit.read_log(data, "random", "all")
    before = open_bandit.click_model(rows, 3)
    rows.loc[::2, "click"] = 1 - rows.loc[::2, "click"]
    after = open_bandit.click_model(rows, 3)
    assert (after[::2] == before[::2]).all()
    assert (after[1::2] != before[1::2]).all()


def test_an_estimate_off_by_more_than_both_errors_does_not_meet_the_bar(data: Path) -> None:
    logs = [open_bandit.read_log(data, name, "all") for name in ("random", "bts")]
    verdict = open_bandit.judge_from(logs[0], logs[1], "bts")
    clicks = np.tile([0.0, 1.0], 50)
    reach = 1.959964 * np.hypot(0.03, 0.05)
    for value, met in ((0.5 + reach - 0.001, True), (0.5 + reach + 0.001, False)):
        one, _ = off_policy._beside("it", Estimate(value, 0.03, 0, 0, 0), clicks, verdict)
        assert one.met is met
        assert one.interval == pytest.approx((value - 0.5 - reach, value - 0.5 + reach))


def test_missing_data_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        FileNotFoundError, match=r"pip install --no-deps obp==0\.4\.1, or .*--data"
    ):
        open_bandit.find_data()


def test_the_made_up_shop_earns_what_it_says() -> None:
    shop = price_simulator.open_shop(10, np.random.default_rng(2))
    assert shop.policy.min() >= 0.08 and shop.policy.sum(axis=1) == pytest.approx(1)
    logged, item = shop.draw(20_000, np.random.default_rng(3))
    weekly = logged.reward.reshape(-1, price_simulator.WEEK).mean(axis=1)
    error = weekly.std() / np.sqrt(len(weekly))
    assert weekly.mean() == pytest.approx(shop.value(shop.policy), abs=4 * error)
    assert (logged.action.reshape(-1, 7) == logged.action.reshape(-1, 7)[:, :1]).all()
    shares = np.bincount(logged.action[item == 4], minlength=5) / (item == 4).sum()
    assert shares == pytest.approx(shop.policy[4], abs=0.05)


def test_targets_are_what_their_names_say() -> None:
    shop = price_simulator.open_shop(10, np.random.default_rng(2))
    own = shop.value(shop.policy)
    better = price_simulator.leaning(shop, shop.earned())
    worse = price_simulator.leaning(shop, -shop.earned())
    assert shop.value(worse) < own < shop.value(better)
    even = price_simulator.level_with(shop, better, worse)
    assert shop.value(even) == pytest.approx(own)
    bare = price_simulator.without_support(shop, better)
    assert (bare.policy == 0).sum() == 5 and bare.policy.sum(axis=1) == pytest.approx(1)


def test_simulated_findings_have_their_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(off_policy, "WEEKS", 300)
    found, lines = off_policy.simulated(20)
    by = {(one.measure, one.method): one for one in found}
    refused = by["promoted", "better, not tried, judge"]
    assert (refused.value, refused.bar, refused.met) == (0.0, 0.0, True)
    assert by["promoted", "better, judge"].bar is None
    assert by["lower bound holds", "no gain, dr"].bar == 0.95
    assert by["lower bound holds", "no gain, dr, each day alone"].bar is None
    assert by["bias of the gain", "worse, snips"].bar == 0.01
    assert len(lines) == 3 * 5 + 1


def test_interval_of_a_share() -> None:
    one = off_policy._share("measure", "method", np.array([1.0] * 8 + [0.0] * 2))
    assert one.value == 0.8
    assert one.interval == pytest.approx((0.4902, 0.9433), abs=1e-3)
    none = off_policy._share("measure", "method", np.zeros(10))
    assert none.interval == pytest.approx((0.0, 0.2775), abs=1e-3)

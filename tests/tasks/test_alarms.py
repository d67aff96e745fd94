"""Alarms: rare on days like each other, and there when the shop changes."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tasks.alarms import FREEDOM, Past, Unusual, chance, index_of, signals, strength

DAY = dt.date(2024, 1, 1)
REFERENCE = 28
COLUMNS = ("price", "hour", "channel")
LEVEL = 0.05 / 21  # of a night, as params.yaml has it


def day_of(number: int, rng: np.random.Generator, moved: float = 1.0) -> pd.DataFrame:
    """A day of 120 rows; days differ more than their rows, and Sundays are of their own kind."""
    day = DAY + dt.timedelta(days=number)
    sunday = day.weekday() == 6
    level = rng.normal(0, 0.15) + 0.3 * sunday
    return pd.DataFrame(
        {
            "day": day.isoformat(),
            "price": np.round(moved * rng.lognormal(level, 0.5, 120), 1),
            "hour": rng.integers(9 if sunday else 8, 21, 120).astype("float64"),
            "channel": rng.choice(["a", "b", "c"], 120, p=rng.dirichlet([60, 30, 10])),
        }
    )


def nights(count: int, seed: int, moved_from: int = 10**6) -> list[dict[str, Unusual]]:
    """What each night finds of each column, beside the 28 days before it."""
    rng = np.random.default_rng(seed)
    days = [day_of(n, rng, 3.0 if n >= moved_from else 1.0) for n in range(count + REFERENCE)]
    found = []
    for number in range(REFERENCE, len(days)):
        past = pd.concat(days[number - REFERENCE : number], ignore_index=True)
        weekday = (DAY + dt.timedelta(days=number)).weekday()
        night = {
            name: index_of(days[number][name], past[name], past["day"], weekday, number)
            for name in COLUMNS
        }
        found.append({name: one for name, one in night.items() if one is not None})
    return found


@pytest.fixture(scope="module")
def quiet() -> list[dict[str, Unusual]]:
    """A year and more of days like each other."""
    return nights(400, seed=11)


def alarm(found: dict[str, Unusual], level: float) -> bool:
    return any(one.unusual for one in signals(found, level))


def test_days_like_each_other_alarm_no_more_often_than_allowed(
    quiet: list[dict[str, Unusual]],
) -> None:
    assert all(set(found) == set(COLUMNS) for found in quiet)
    for level in (0.02, 0.05, 0.2):
        most = 400 * level + 2.6 * np.sqrt(400 * level * (1 - level))  # 99.5% of binomial draws
        assert sum(alarm(found, level) for found in quiet) <= most
    # Nineteen windows of 21 nights, each with at most a chance of one in twenty.
    assert sum(alarm(found, LEVEL) for found in quiet) <= 3


def test_the_test_is_not_blind_either(quiet: list[dict[str, Unusual]]) -> None:
    assert sum(alarm(found, 0.2) for found in quiet) >= 400 * 0.2 / 3


def test_a_shop_that_changes_is_found_within_days() -> None:
    for seed in range(5):
        found = nights(8, seed=seed, moved_from=REFERENCE + 3)
        assert not any(alarm(night, LEVEL) for night in found[:3])
        assert any(alarm(night, LEVEL) for night in found[3:6])
        named = [one.name for night in found[3:6] for one in signals(night, LEVEL) if one.unusual]
        assert set(named) == {"price"}


def test_p_values_of_weekly_numbers_are_uniform_or_larger() -> None:
    rng = np.random.default_rng(3)
    weekdays = np.arange(REFERENCE + 1) % 7
    week = np.array([0, 0, 0, 0, 1.0, 5.0, 9.0])
    values = week[weekdays] + rng.normal(0, 1, (4000, REFERENCE + 1))
    found = [
        chance(row[-1], weekdays[-1], Past(row[:-1], weekdays[:-1]), 0.0, two_sided=True)
        for row in values
    ]
    p = np.array([one.p for one in found if one is not None])
    assert len(p) == 4000
    for level in (0.002, 0.01, 0.05, 0.5):
        assert (p <= level).mean() == pytest.approx(
            level, abs=3 * np.sqrt(level * (1 - level) / 4000)
        )


def test_a_weekday_is_compared_with_its_own_kind() -> None:
    weekdays = np.arange(REFERENCE) % 7
    past = Past(np.where(weekdays == 6, 9.0, 1.0) + 0.1 * (np.arange(REFERENCE) % 3), weekdays)
    sunday, monday = (chance(9.1, weekday, past, 0.05) for weekday in (6, 0))
    assert sunday is not None
    assert monday is not None
    assert sunday.p > 0.1
    assert monday.p < 1e-6
    assert sunday.usual == pytest.approx(9.1, abs=0.1)


def test_too_few_days_say_nothing() -> None:
    few = Past(np.arange(FREEDOM, dtype=np.float64), np.zeros(FREEDOM, np.int64))
    assert chance(100.0, 0, few, 0.1) is None
    enough = Past(np.arange(FREEDOM + 1.0), np.zeros(FREEDOM + 1, np.int64))
    assert chance(100.0, 0, enough, 0.1) is not None
    assert chance(float("nan"), 0, enough, 0.1) is None


def test_days_that_agree_are_no_proof() -> None:
    same = Past(np.full(20, 3.0), np.arange(20) % 7)
    little, much = chance(3.1, 0, same, 0.1), chance(9.0, 0, same, 0.1)
    assert little is not None
    assert much is not None
    assert little.p > 0.1
    assert much.p < 1e-9


def test_a_column_that_never_varied_alarms_for_a_new_value_and_for_nothing_else() -> None:
    past = pd.Series(["purchase"] * 200 * 10)
    days = pd.Series([f"2024-01-{n + 1:02d}" for n in range(10) for _ in range(200)])
    same = index_of(pd.Series(["purchase"] * 200), past, days, 3, 1)
    one_other = index_of(pd.Series(["purchase"] * 199 + ["return"]), past, days, 3, 1)
    half = index_of(pd.Series(["purchase", "return"] * 100), past, days, 3, 1)
    assert same is not None
    assert one_other is not None
    assert half is not None
    assert same.p > 0.4
    assert one_other.p > LEVEL
    assert half.p < 1e-5


def test_a_small_day_is_not_drift() -> None:
    rng = np.random.default_rng(5)
    past = pd.concat([day_of(n, rng) for n in range(REFERENCE)], ignore_index=True)
    today = day_of(REFERENCE, rng)["channel"].head(12)
    found = index_of(today, past["channel"], past["day"], 0, 1)
    assert found is not None
    assert found.p > 0.01


def test_a_day_without_values_is_left_to_others() -> None:
    rng = np.random.default_rng(5)
    past = pd.concat([day_of(n, rng) for n in range(REFERENCE)], ignore_index=True)
    assert index_of(past["price"].head(0), past["price"], past["day"], 0, 1) is None


def test_more_things_watched_cost_more() -> None:
    one = Unusual(5.0, 1.0, 0.02)
    rest = {f"other {n}": Unusual(1.0, 1.0, 0.5) for n in range(4)}
    (alone,) = signals({"price": one}, 0.05)
    among = signals({"price": one, **rest}, 0.05)
    assert alone.adjusted == 0.02
    assert alone.unusual
    assert among[0].name == "price"
    assert among[0].adjusted == pytest.approx(0.1)
    assert not among[0].unusual
    assert [signal.adjusted for signal in among[1:]] == [1.0] * 4


def test_holm_gives_the_second_more_than_bonferroni_does() -> None:
    pair = signals({"a": Unusual(1, 0, 0.001), "b": Unusual(1, 0, 0.04)}, 0.05)
    assert [signal.adjusted for signal in pair] == [pytest.approx(0.002), 0.04]
    assert all(signal.unusual for signal in pair)


def test_a_stronger_alarm_is_answered_more_strongly_up_to_a_bound() -> None:
    strengths = [
        strength(signals({"price": Unusual(1, 0, p)}, 0.01), 0.01)
        for p in (0.5, 0.02, 0.01, 1e-3, 1e-4, 1e-9, 0.0)
    ]
    assert strengths == pytest.approx([0, 0, 0, 0.5, 1, 1, 1])
    assert strength((), 0.01) == 0

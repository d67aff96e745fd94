"""What is measured of a way to learn, on courses made by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.findings import Finding
from benchmarks.learning_figures import figures, forgetting, in_words, recovery
from benchmarks.learning_shops import SHOPS, Shop
from benchmarks.learning_ways import DEFAULT, NAIVE, RETRAIN, Course, Way
from lightning_modules.parameters import Parameters

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(number) for number in range(4)]


def course(name: str, quality: list[float], rise: float, seconds: float, visits: int) -> Course:
    made = Course(Way(name, {}), 1, Parameters(), seconds=seconds, visits=visits)
    made.quality = dict(zip(DAYS, quality, strict=True))
    for week in range(3):
        for past in range(week + 1):
            made.losses[week, past] = np.full(5, 1.0 + rise * (week - past), np.float32)
    return made


def shop(name: str = "recommendation") -> Shop:
    return replace(SHOPS[name](True), drifts={}, last=DAYS[-1])


def measured(courses: list[Course], at: Shop) -> dict[tuple[str, str], Finding]:
    return {(one.method, one.measure): one for one in figures(courses, at)}


def test_forgetting_is_the_rise_since_a_weeks_own_end() -> None:
    assert forgetting([course("any", [1.0] * 4, 0.1, 0, 0)]) == pytest.approx([0.2, 0.1])


def test_a_way_is_measured_beside_the_full_retrain() -> None:
    found = measured(
        [
            course(RETRAIN, [0.2, 0.4, 0.2, 0.4], 0.0, 1000.0, 100_000),
            course(NAIVE, [0.2, 0.2, 0.2, 0.2], 0.4, 1.0, 300),
            course(DEFAULT, [0.2, 0.3, 0.2, 0.3], 0.1, 5.0, 2000),
        ],
        shop(),
    )
    share = found[DEFAULT, "of full retrain's"]
    assert share.value == pytest.approx(0.25 / 0.3)
    assert (share.bar, share.met) == (0.995, False)
    assert found[DEFAULT, "CPU, of full retrain's"].value == pytest.approx(0.005)
    assert found[DEFAULT, "CPU, of full retrain's"].met is True
    assert found[DEFAULT, "rows, of full retrain's"].met is False
    assert found[DEFAULT, "jumpiness, of full retrain's"].value == pytest.approx(0.5)
    forgotten = found[DEFAULT, "forgetting"]
    assert forgotten.bar == pytest.approx(0.3)
    assert forgotten.met is True
    assert found[NAIVE, "forgetting"].bar is None
    assert (RETRAIN, "of full retrain's") not in found


def test_a_lower_loss_is_a_higher_share() -> None:
    courses = [
        course(RETRAIN, [1.0, 3.0, 1.0, 3.0], 0.0, 1.0, 1),
        course(NAIVE, [2.0] * 4, 0.0, 1.0, 1),
        course(DEFAULT, [2.5] * 4, 0.0, 1.0, 1),
    ]
    assert measured(courses, shop("pricing"))[DEFAULT, "of full retrain's"].value == 0.8


def test_seeds_are_one_way_and_their_spread_is_told() -> None:
    ways = [course(name, [0.4, 0.6, 0.4, 0.6], 0.0, 1.0, 1) for name in (RETRAIN, NAIVE)]
    two = [course(DEFAULT, [value] * 4, 0.0, 1.0, 1) for value in (0.4, 0.6)]
    found = measured([*ways, *two], shop())
    assert found[DEFAULT, "of full retrain's"].value == pytest.approx(1.0)
    assert found[DEFAULT, "spread of seeds"].value == pytest.approx(np.std([0.4, 0.6], ddof=1))


def test_where_naive_forgets_nothing_the_default_may_not_either() -> None:
    courses = [course(name, [0.9, 1.0, 0.9, 1.0], 0.0, 1.0, 1) for name in (RETRAIN, NAIVE)]
    courses.append(course(DEFAULT, [1.0] * 4, 0.1, 1.0, 1))
    forgotten = measured(courses, shop())[DEFAULT, "forgetting"]
    assert (forgotten.bar, forgotten.met) == (0.0, False)
    assert "Missed: default: forgetting" in in_words([forgotten])


@pytest.mark.parametrize(
    ("ours", "days"),
    [
        ([0.96, 0.96, 0.0, 0.0], 0),
        ([0.1, 0.96, 0.1, 0.96], 4),
        ([0.1, 0.5, 0.95, 1.0], 2),
    ],
)
def test_recovered_is_back_twice_in_a_row(ours: list[float], days: float) -> None:
    wanted = pd.Series([1.0] * 4, index=DAYS)
    assert recovery(pd.Series(ours, index=DAYS), wanted) == days


def test_the_sudden_drift_has_a_bar_and_each_ends_with_the_next() -> None:
    at = replace(shop("made_up"), drifts={"sudden": DAYS[0], "gradual": DAYS[2]})
    courses = [course(name, [0.9, 1.0, 0.9, 1.0], 0.0, 1.0, 1) for name in (RETRAIN, NAIVE)]
    courses.append(course(DEFAULT, [0.1, 0.1, 1.0, 1.0], 0.0, 1.0, 1))
    found = measured(courses, at)
    sudden = found[DEFAULT, "days to recover, sudden"]
    assert (sudden.value, sudden.bar, sudden.met) == (2.0, 3, True)
    assert found[DEFAULT, "days to recover, gradual"].value == 0.0

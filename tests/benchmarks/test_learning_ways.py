"""What is measured of a way to learn, on courses made by hand."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.findings import Finding
from benchmarks.learning_ways import (
    DEFAULT,
    NAIVE,
    RETRAIN,
    WAYS,
    Course,
    Way,
    figures,
    forgetting,
)
from lightning_modules.parameters import Parameters
from tasks.update import UpdateSettings

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(number) for number in range(4)]


def course(name: str, quality: list[float], rise: float, seconds: float, lists: int) -> Course:
    made = Course(Way(name, {}), Parameters(), seconds=seconds, lists=lists)
    made.quality = dict(zip(DAYS, quality, strict=True))
    for week in range(3):
        for past in range(week + 1):
            made.losses[week, past] = np.full(5, 1.0 + rise * (week - past), np.float32)
    return made


def measured(courses: list[Course]) -> dict[tuple[str, str], Finding]:
    return {(one.method, one.measure): one for one in figures(courses)}


def test_forgetting_is_the_rise_since_a_weeks_own_end() -> None:
    assert forgetting(course("any", [1.0] * 4, 0.1, 0, 0)) == pytest.approx([0.2, 0.1])


def test_a_way_is_measured_beside_the_full_retrain() -> None:
    found = measured(
        [
            course(RETRAIN, [0.2, 0.4, 0.2, 0.4], 0.0, 1000.0, 100_000),
            course(NAIVE, [0.2, 0.2, 0.2, 0.2], 0.4, 1.0, 300),
            course(DEFAULT, [0.2, 0.3, 0.2, 0.3], 0.1, 5.0, 2000),
        ]
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


def test_where_naive_forgets_nothing_the_default_may_not_either() -> None:
    courses = [course(NAIVE, [1.0] * 4, 0.0, 0, 0), course(DEFAULT, [1.0] * 4, 0.1, 0, 0)]
    forgotten = measured(courses)[DEFAULT, "forgetting"]
    assert (forgotten.bar, forgotten.met) == (0.0, False)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_way_is_one_that_a_run_may_be_told(way: Way) -> None:
    UpdateSettings.model_validate(way.update or {})

"""The ways that are compared, and living through a shop with them, on a tiny one."""

import datetime as dt
from dataclasses import replace

import pytest

from benchmarks import made_up_shop
from benchmarks.learning import live_through
from benchmarks.learning_shops import SHOPS, Shop
from benchmarks.learning_ways import (
    DEFAULT,
    FROZEN,
    GATED,
    RETRAIN,
    Way,
    ablation,
    faster,
    main_ways,
    rules,
)
from lightning_modules.recommendation.learner import RecommendationLearner
from lightning_modules.schedule import Schedule
from tasks.update import UpdateSettings
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    catalogue,
    day_of_trade,
    no_items,
    shop_day,
)

USUAL = UpdateSettings()
WAYS = [*main_ways(1), *rules(USUAL), *ablation(faster(USUAL))]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("name", ["recommendation", "embedding"])
def test_every_way_is_one_that_a_run_may_be_told(way: Way, name: str) -> None:
    settings = SHOPS[name](True).updated(way)
    settings.pop("replay")
    Schedule.read(settings)


def tiny(ways: list[Way]) -> Shop:
    days = [FIRST + dt.timedelta(number) for number in range(14)]
    return replace(
        SHOPS["ta_feng"](True),
        learner=RecommendationLearner,
        days=lambda: iter(
            [
                shop_day(day_of_trade(day), catalogue() if day == FIRST else no_items(), day)
                for day in days
            ]
        ),
        fit_from=days[2],
        first=days[6],
        last=days[-1] + dt.timedelta(1),  # memory is not measured
        settings={name: SETTINGS[name] for name in ("explore", "hidden", "width")},
        fit={"epochs": 1, "batch_size": 8},
        ways=ways,
    )


def test_each_way_has_parameters_of_its_own_on_one_state() -> None:
    courses = {one.way.name: one for one in live_through(tiny(main_ways(1)))}
    assert {len(course.quality) for course in courses.values()} == {8}
    first = {course.quality[FIRST + dt.timedelta(6)] for course in courses.values()}
    assert len(first) == 1  # nothing was learned yet
    frozen, default, retrain = (courses[name] for name in (FROZEN, DEFAULT, RETRAIN))
    assert (frozen.visits, frozen.seconds, frozen.promoted) == (0, 0.0, {})
    assert 0 < default.visits < retrain.visits * 8
    assert (default.parameters.weights["mlp.0.weight"] != 0).any()
    assert (
        default.parameters.weights["mlp.0.weight"] != frozen.parameters.weights["mlp.0.weight"]
    ).any()
    assert set(frozen.losses) == set(retrain.losses) == {(0, 0)}


def test_a_gated_way_serves_only_what_passes() -> None:
    course = next(c for c in live_through(tiny(main_ways(1))) if c.way.name == GATED)
    assert len(course.promoted) == 8
    assert not all(course.promoted.values())  # two held-out households of twelve prove little


def test_the_made_up_shop_is_the_same_each_time_and_drifts_when_it_says() -> None:
    one, two = (list(made_up_shop.shop_days(days=3)) for _ in range(2))
    assert [day.events.equals(twin.events) for day, twin in zip(one, two, strict=True)] == [
        True
    ] * 3
    before, after = (made_up_shop.mix(made_up_shop.SUDDEN + k) for k in (-1, 0))
    assert before.tolist() == [1, 0, 0]
    assert after.tolist() == [0, 1, 0]
    assert made_up_shop.mix(made_up_shop.RECURRING).tolist() == before.tolist()
    middle = made_up_shop.mix((made_up_shop.GRADUAL + made_up_shop.GRADUAL_END) // 2)
    assert 0.4 < middle[2] < 0.6


def test_a_new_catalogue_replaces_some_items_by_new_ones() -> None:
    days = list(made_up_shop.shop_days(days=made_up_shop.CATALOGUE + 1))
    new = set(days[-1].items["item_id"])
    assert new
    assert not new & set(days[0].items["item_id"])
    assert new & set(days[-1].events["item_id"])
    assert not new & set(days[-2].events["item_id"])

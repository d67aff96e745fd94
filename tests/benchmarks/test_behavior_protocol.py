"""The protocol's rows: drawn the same by whoever asks, of households that have bought before."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.behavior_protocol import Bought, ProtocolRows, protocol_rows
from benchmarks.quality_behavior import HITS, Recorder
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.learner import ShopDay
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, day_of_trade, shop_day

LEARN_FROM, START = FIRST + dt.timedelta(8), FIRST + dt.timedelta(70)
LATE = FIRST + dt.timedelta(72)
SIX = {**SETTINGS, "categories": 6}


def days() -> list[ShopDay]:
    every = [day_of_trade(FIRST + dt.timedelta(number)) for number in range(74)]
    newcomer = {"user_id": "u99", "item_id": "wine"}
    return [shop_day(LATE, newcomer) if day.day == LATE else day for day in every]


@pytest.fixture(scope="module")
def rows() -> ProtocolRows:
    return protocol_rows(days(), START, settings=SIX, learn_from=LEARN_FROM)


def test_draws_begin_sixty_days_after_the_first_day(rows: ProtocolRows) -> None:
    assert rows.begin == FIRST + dt.timedelta(60)
    assert len(rows.households) == 13
    assert sorted(rows.column) == list(range(6))


def test_the_same_rows_whoever_draws_and_in_whatever_order(rows: ProtocolRows) -> None:
    learner = BehaviorLearner.new(SIX)
    recorder = Recorder(rows, rows.vocabulary)
    for day in days():
        units = learner.examples(day) if day.day >= LEARN_FROM else None
        if units is not None and day.day >= START:
            recorder.record(day.day, units, {"champion": learner.naive_scores(units)})
            found = recorder.rows[day.day]
            assert np.array_equal(units.views.column[found.place], found.column)
            assert np.array_equal(units.views.user[units.views.view[found.place]], found.user)
            assert len(found.user) == 6 * (12 + (day.day > LATE))  # who has bought before
        learner.absorb(day, units, None)
    others = Recorder(rows)
    assert others.draw is rows
    # A day of this shop begins with a search, which has no category: there is nothing to hit.
    assert not [one for one in recorder.findings() if one.measure == HITS]


def test_a_learner_that_judges_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="raise its setting"):
        protocol_rows(days(), START, settings=SETTINGS, learn_from=LEARN_FROM)


def test_of_equals_the_later_name_is_first() -> None:
    bought = Bought(days={"a": 2, "c": 1, "b": 1, "": 9, "bags": 5})
    assert bought.most_frequent(3, ["bags"]) == ["a", "c", "b"]

"""The curve of another shop, on a made-up one."""

from datetime import timedelta

import pandas as pd

from benchmarks.ta_feng import prequential_curve
from lightning_modules.learner import ShopDay
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    SETTINGS,
    catalogue,
    day_of_trade,
    no_items,
    shop_day,
)


def made_up_days(count: int) -> list[ShopDay]:
    days = [FIRST + timedelta(number) for number in range(count)]
    return [
        shop_day(day_of_trade(day), catalogue() if day == FIRST else no_items(), day)
        for day in days
    ]


def test_all_methods_are_scored_on_the_days_before_they_are_learned() -> None:
    fit = {"epochs": 1, "batch_size": 8}
    recorder, cost = prequential_curve(made_up_days(8), FIRST + timedelta(6), SETTINGS, fit)
    table = recorder.table()
    assert set(table.index.unique("method")) == {"champion", "frozen", "tifu_knn"}
    assert table.groupby("method").size().tolist() == [2, 2, 2]
    one, frozen = (table.loc[name]["ndcg@20"] for name in ("champion", "frozen"))
    assert one.iloc[0] == frozen.iloc[0]  # nothing was learned yet
    assert cost["fit"] > 0


def test_later_days_do_not_change_what_was_said_of_earlier_ones() -> None:
    fit = {"epochs": 1, "batch_size": 8}
    short = prequential_curve(made_up_days(7), FIRST + timedelta(6), SETTINGS, fit)[0].table()
    whole = prequential_curve(made_up_days(8), FIRST + timedelta(6), SETTINGS, fit)[0].table()
    day = (FIRST + timedelta(6)).isoformat()
    first = whole[whole.index.get_level_values("day") == day]
    pd.testing.assert_frame_equal(first, short)

"""Lists: taking, sampling, counting."""

import numpy as np

from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
)


def test_taking_lists_keeps_their_rows_together() -> None:
    day = FIRST.replace(day=4)
    lists = seasoned(3).examples(shop_day(day_of_trade(day), no_items(), day))
    some = lists.take(np.array([5, 2]))
    first = slice(lists.offsets[5], lists.offsets[6])
    assert some.user_ids.tolist() == [lists.user_ids[5], lists.user_ids[2]]
    assert some.lengths.tolist() == [lists.lengths[5], lists.lengths[2]]
    assert np.array_equal(some.items[: some.lengths[0]], lists.items[first])
    assert np.array_equal(some.features[: some.lengths[0]], lists.features[first])


def test_a_sample_made_at_once_is_the_sample_of_the_whole() -> None:
    learner, day = seasoned(4), FIRST.replace(day=5)
    whole = learner.examples(shop_day(day_of_trade(day), no_items(), day))
    part = learner.examples(shop_day(day_of_trade(day), no_items(), day), whole=False)
    cut = whole.training_part()
    assert len(part.items) < len(whole.items)
    assert part.labels.sum() == whole.labels.sum()
    for name in ("offsets", "items", "features", "labels", "personal", "bought"):
        assert np.array_equal(getattr(part, name), getattr(cut, name))
    assert cut.negative_share == part.negative_share == 0.5
    assert cut.training_part() is cut

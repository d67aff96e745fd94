"""What the steps share of a learner: read once, verified, and nobody trains it."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from tasks import learners
from tasks.bundle import CorruptBundleError
from tests.line import APPLICATION, Place, attempt


def test_steps_share_one_champion_and_one_look_at_the_day(evening: Place) -> None:
    increment, where = evening.due(), attempt()
    first = learners.champion(increment, evening.params, where)
    assert learners.champion(increment, evening.params, where) is first
    seen = learners.examples(increment, evening.params, where)
    assert learners.examples(increment, evening.params, where) is seen
    section = evening.params.application(APPLICATION)
    assert learners.open_learner(where / "parent", section) is not first


@pytest.mark.fault(8)
def test_a_folder_with_another_version_than_the_pinned_one_is_refused(seasoned: Place) -> None:
    increment = seasoned.due()
    seasoned.bundle(seasoned.line.anchor).rename("parent")
    with pytest.raises(CorruptBundleError, match=f"{seasoned.line.head} is pinned: run `dvc"):
        learners.champion(increment, seasoned.params, seasoned.root)


def test_other_parameters_leave_the_champion_as_it_is(evening: Place) -> None:
    increment, where = evening.due(), attempt()
    champion = learners.champion(increment, evening.params, where)
    seen = learners.examples(increment, evening.params, where)
    before = champion.scores(seen)
    other = learners.with_parameters(champion, where / "challenger")
    assert not np.array_equal(other.scores(seen), before)
    assert np.array_equal(champion.scores(seen), before)


def test_the_holdout_is_the_share_by_hash_of_day_and_user(evening: Place) -> None:
    increment = evening.due()
    seen = learners.examples(increment, evening.params, attempt())
    found = learners.held_out(seen, 0.4)
    expected = [
        int.from_bytes(hashlib.sha256(f"{increment.day}:{user}".encode()).digest()[:8], "big")
        < 0.4 * 2**64
        for user in seen.unit_ids
    ]
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_means_leave_out_what_nobody_has() -> None:
    nan = float("nan")
    quality = pd.DataFrame(
        {"unit": ["a", "b"], "recall@20": [0.5, 0.25], "explore": [nan, nan], "some": [nan, 1]}
    )
    assert learners.mean_quality(quality) == {"recall@20": 0.375, "some": 1.0}

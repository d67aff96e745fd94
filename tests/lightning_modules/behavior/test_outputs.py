"""What the shop reads is made a few users at a time."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from lightning_modules.behavior import weights
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.network import Batch
from lightning_modules.behavior.views import Views
from tests.lightning_modules.behavior.small_shop import FIRST

TODAY = FIRST + timedelta(20)
AT_ONCE = 5


def test_the_outputs_of_a_few_users_at_a_time_are_those_of_all_at_once(
    fitted: BehaviorLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fitted.outputs(TODAY)
    sizes, make = [], weights.to_batch

    def noted(views: Views) -> Batch:
        sizes.append(len(views))
        return make(views)

    monkeypatch.setattr(weights, "to_batch", noted)
    monkeypatch.setattr(weights, "VIEWS_AT_ONCE", AT_ONCE)
    parts = fitted.outputs(TODAY)
    assert max(sizes) == AT_ONCE
    assert sum(sizes) == 3 * whole["behavior"]["user_id"].nunique()
    for name, table in whole.items():
        pd.testing.assert_frame_equal(parts[name], table, rtol=1e-4)


def test_the_likeliest_come_first_and_every_user_has_some(fitted: BehaviorLearner) -> None:
    for name in ("next_event", "next_query"):
        table = fitted.outputs(TODAY)[name]
        by_user = table.groupby("user_id", sort=False)["probability"]
        assert list(by_user.groups) == list(fitted.known.words.users.row_of)
        assert by_user.size().between(1, 10).all()
        assert by_user.apply(lambda chance: bool((np.diff(chance) <= 0).all())).all()
    assert set(fitted.outputs(TODAY)["next_query"]["term"]) <= set(fitted.known.words.terms.row_of)

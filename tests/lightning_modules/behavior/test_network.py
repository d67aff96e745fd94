"""The next category begins at the user's own counts."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.behavior.weights import initial, to_batch, to_network
from tests.lightning_modules.behavior.small_shop import FIRST, SETTINGS, day_of_trade

TODAY = FIRST + timedelta(20)
COLUMN = 1


def test_habit_is_on_the_rows_of_the_judged_categories(fitted: BehaviorLearner) -> None:
    views = fitted.examples(day_of_trade(TODAY)).views
    category = fitted.known.categories
    blank = initial(fitted.settings, views.inputs.shape[1], len(category), 1)
    blank.weights["place"] = category.astype(np.float32)
    network = to_network(
        blank.grown({"category.weight": 9, "category_bias.weight": 9}), fitted.settings
    )
    habit = network._habit(to_batch(views).inputs).detach().numpy()
    others = np.setdiff1d(np.arange(9), category)
    share = views.inputs[:, -2 * len(category) : -len(category)].astype(np.float32) ** 2
    assert habit.shape == (len(views), 9)
    assert not habit[:, others].any()
    assert np.allclose(habit[:, category], np.log1p(share / 0.02), atol=1e-5)


def test_what_a_user_buys_often_is_likelier_to_come_next(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    kinds = SETTINGS["categories"]
    never = units.views.inputs.copy()
    never[:, -2 * kinds : -kinds] = 0
    often = never.copy()
    often[:, -2 * kinds + COLUMN] = 1
    scores = [
        fitted.scores(replace(units, views=units.views.but(inputs=inputs)))
        for inputs in (never, often)
    ]
    here = units.views.column == COLUMN
    assert (scores[1][here, 2] > scores[0][here, 2]).all()


def test_a_distilled_update_stays_nearer_to_what_the_parent_said(fitted: BehaviorLearner) -> None:
    units = fitted.examples(day_of_trade(TODAY))
    before, parent = fitted.scores(units), fitted.parameters
    ways = []
    for weight in (0.0, 100.0):
        fitted.parameters = parent
        rule = {"epochs": 10, "learning_rate": 0.01, "retention": {"distill": weight}}
        fitted.fine_tune(units, np.zeros(len(units), bool), update=rule, seed=1)
        ways.append(np.abs(fitted.scores(units) - before)[:, :2].mean())
    assert ways[1] < ways[0]

"""Weights and moments that grow and fit together."""

from pathlib import Path

import numpy as np
import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.parameters import Parameters, embedding_rows
from lightning_modules.recommendation.network import initial
from tests.lightning_modules.recommendation.tiny_shop import with_rows


def grown(users: int, items: int) -> Parameters:
    return with_rows(initial([3, 4], 2, seed=1), users, items)


def test_growing_in_steps_is_growing_at_once() -> None:
    stepwise = with_rows(with_rows(grown(3, 5), 7, 5), 7, 9)
    at_once = grown(7, 9)
    for name, array in at_once.weights.items():
        assert np.array_equal(stepwise.weights[name], array)


def test_growing_never_shrinks() -> None:
    assert with_rows(grown(7, 9), 2, 3).weights["user.weight"].shape == (7, 2)


def test_the_smaller_tables_stay_as_they_were() -> None:
    parameters = grown(3, 5)
    with_rows(parameters, 7, 9)
    assert parameters.weights["user.weight"].shape == (3, 2)


def test_new_rows_are_small_and_differ() -> None:
    rows = embedding_rows("item.weight", 0, 2000, 8)
    assert abs(rows.std() - 0.05) < 0.001
    assert len(np.unique(rows)) > 15_000
    assert not np.array_equal(rows, embedding_rows("user.weight", 0, 2000, 8))


def test_files_of_two_versions_do_not_mix(tmp_path: Path) -> None:
    parameters = grown(3, 5)
    parameters.optimizer = {"exp_avg/user.weight": np.zeros((9, 2), np.float32)}
    parameters.save(tmp_path)
    with pytest.raises(LearnerFileError, match="one version"):
        Parameters.load(tmp_path)

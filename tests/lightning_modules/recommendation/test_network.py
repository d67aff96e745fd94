"""The ranker's loss, by hand."""

import numpy as np
import pytest
import torch

from lightning_modules.recommendation.network import (
    Batch,
    initial,
    list_losses,
    scored,
    to_ranker,
)
from tests.lightning_modules.recommendation.tiny_shop import (
    FIRST,
    day_of_trade,
    no_items,
    seasoned,
    shop_day,
    with_rows,
)


def batch(labels: list[int], owner: list[int], share: float) -> Batch:
    nothing = torch.zeros(0)
    lists = max(owner) + 1
    return Batch(
        nothing, nothing, nothing, torch.tensor(labels).bool(), torch.tensor(owner), lists, share
    )


def test_the_loss_of_each_list_by_hand() -> None:
    scores = torch.tensor([1.0, 2.0, 0.0, 3.0, 1.0])
    found = list_losses(scores, batch([1, 0, 0, 1, 1], [0, 0, 0, 1, 1], 0.5))
    first = np.log(np.exp(1) + 2 * np.exp(2) + 2 * np.exp(0)) - 1
    second = np.log(np.exp(3) + np.exp(1)) - 2
    assert found.numpy() == pytest.approx([first, second], rel=1e-5)


def test_a_sampled_loss_stands_for_the_whole_one() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20_000, generator=generator)
    labels = torch.arange(20_000) < 5
    whole = batch(labels.tolist(), [0] * 20_000, 1.0)
    kept = labels | (torch.rand(20_000, generator=generator) < 0.2)
    part = whole._replace(labels=labels[kept], owner=whole.owner[kept], negative_share=0.2)
    expected, found = list_losses(scores, whole), list_losses(scores[kept], part)
    assert float(found) == pytest.approx(float(expected), abs=0.05)


def test_scores_do_not_depend_on_how_rows_are_cut() -> None:
    learner, day = seasoned(4), FIRST.replace(day=5)
    lists = learner.examples(shop_day(day_of_trade(day), no_items(), day))
    # later users and items are unknown to it
    parameters = with_rows(initial([lists.features.shape[1], 8], 4, seed=3), 5, 40)
    alone = np.concatenate(
        [scored(parameters, lists.take(np.array([k]))) for k in range(len(lists))]
    )
    assert scored(parameters, lists) == pytest.approx(alone, abs=1e-6)


def test_an_unknown_row_scores_by_its_features_alone() -> None:
    parameters = with_rows(initial([2, 4], 4, seed=3), 1, 1)
    parameters.weights["bias.weight"][0] = 5
    ranker = to_ranker(parameters)
    features = torch.ones(2, 2)
    with torch.inference_mode():
        scores = ranker(features, torch.tensor([7, 0]), torch.tensor([9, 0]))
        plain = ranker.mlp(features).squeeze(-1)
    assert float(scores[0]) == float(plain[0])
    assert float(scores[1]) > float(plain[1]) + 4


def test_a_deep_network_keeps_the_order_of_its_layers() -> None:
    parameters = with_rows(initial([2, 3, 4, 5, 6, 7, 8], 4, seed=3), 1, 1)
    layers = [layer for layer in to_ranker(parameters).mlp if isinstance(layer, torch.nn.Linear)]
    assert [layer.in_features for layer in layers] == [2, 3, 4, 5, 6, 7, 8]

"""The ranker: a small network on features, an item's bias, and user times item.

Needs torch only, so that scoring does not wait for Lightning to be imported.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lightning_modules.growth import Stack, stack_of
from lightning_modules.layers import stack
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.lists import Lists
from lightning_modules.recommendation.turnover import ITEM_TABLE, USER_TABLE

ROWS_AT_ONCE = 16384

# One thread: scores and weights have the same bits in whichever process and after whatever else,
# and for layers this small a second thread gains nothing.
torch.set_num_threads(1)


class Batch(NamedTuple):
    """Rows of whole lists: features (n, F), user and item rows, labels, list of each row."""

    features: Tensor
    users: Tensor
    items: Tensor
    labels: Tensor
    owner: Tensor
    lists: int
    negative_share: float


class Ranker(nn.Module):
    """Scores candidates; rows beyond the tables count as users and items without a history."""

    tables = ("user.", "item.", "bias.")

    def __init__(self, features: int, form: Stack, rows: tuple[int, int], width: int) -> None:
        super().__init__()
        users, items = rows
        sizes = [features, *form.hidden]
        self.mlp = stack(sizes, 1, adapters=form.adapters, blocks=form.blocks)
        self.bias = nn.Embedding(items, 1)
        self.user = nn.Embedding(users, width)
        self.item = nn.Embedding(items, width)

    def forward(self, features: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """One score for each row (n,)."""
        score: Tensor = self.mlp(features).squeeze(-1)
        known_user = users < self.user.num_embeddings
        known_item = items < self.item.num_embeddings
        users = torch.where(known_user, users, 0)
        items = torch.where(known_item, items, 0)
        match = (self.user(users) * self.item(items)).sum(-1)
        bias = self.bias(items).squeeze(-1)
        total: Tensor = score + bias * known_item + match * (known_user & known_item)
        return total

    def predictions(self, batch: Batch) -> Tensor:
        """The scores of the batch's rows (n,)."""
        scores: Tensor = self(batch.features, batch.users, batch.items)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's lists."""
        return list_losses(self.predictions(batch), batch).mean()


def list_losses(scores: Tensor, batch: Batch) -> Tensor:
    """Softmax cross-entropy of each list (L,), averaged over what was bought in it.

    Sampled negatives stand for the ones left out: their scores are raised by -log(share), the
    importance correction of a sampled softmax (Bengio and Senecal, 2003). NaN for a list
    without a bought candidate.
    """
    weighed = torch.where(batch.labels, scores, scores - math.log(batch.negative_share))
    zero = scores.new_zeros(batch.lists)
    top = (zero - torch.inf).scatter_reduce(0, batch.owner, weighed.detach(), "amax")
    mass = zero.index_add(0, batch.owner, torch.exp(weighed - top[batch.owner]))
    bought = batch.labels.to(scores.dtype)
    hits = zero.index_add(0, batch.owner, bought)
    gained = zero.index_add(0, batch.owner, scores * bought)
    return torch.log(mass) + top - gained / hits


def to_batch(lists: Lists) -> Batch:
    """The lists as tensors."""
    lengths = lists.lengths
    owner = np.repeat(np.arange(len(lists)), lengths)
    return Batch(
        features=torch.from_numpy(lists.features).float(),
        users=torch.from_numpy(lists.users.astype(np.int64)[owner]),
        items=torch.from_numpy(lists.items.astype(np.int64)),
        labels=torch.from_numpy(lists.labels),
        owner=torch.from_numpy(owner),
        lists=len(lists),
        negative_share=lists.negative_share,
    )


def to_ranker(parameters: Parameters) -> Ranker:
    """A ranker with a copy of these weights."""
    weights = parameters.weights
    users, width = weights[USER_TABLE].shape
    rows = (users, len(weights[ITEM_TABLE]))
    with torch.device("meta"):  # no time lost on weights that are replaced at once
        ranker = Ranker(weights["mlp.0.weight"].shape[1], stack_of(weights, "mlp"), rows, width)
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    ranker.load_state_dict(tensors, assign=True)
    return ranker


def initial(sizes: list[int], width: int, seed: int) -> Parameters:
    """Untrained parameters without any user or item yet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ranker = Ranker(sizes[0], Stack(tuple(sizes[1:])), (0, 0), width)
    return Parameters(
        {name: tensor.numpy().copy() for name, tensor in ranker.state_dict().items()}
    )


@torch.inference_mode()
def scored(parameters: Parameters, lists: Lists) -> NDArray[np.float32]:
    """A score for each candidate row (N,)."""
    ranker = to_ranker(parameters)
    users = np.repeat(lists.users.astype(np.int64), lists.lengths)
    out = np.empty(len(lists.items), np.float32)
    for begin in range(0, len(out), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        out[rows] = ranker(
            torch.from_numpy(lists.features[rows]).float(),
            torch.from_numpy(users[rows]),
            torch.from_numpy(lists.items[rows].astype(np.int64)),
        ).numpy()
    return out


@torch.inference_mode()
def losses(parameters: Parameters, lists: Lists) -> NDArray[np.float32]:
    """The loss of each list (L,)."""
    batch = to_batch(lists)
    scores = torch.from_numpy(scored(parameters, lists))
    found: NDArray[np.float32] = list_losses(scores, batch).numpy()
    return found

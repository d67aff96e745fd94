"""An ensemble of small networks over the same inputs, computed as one batched product.

The members see the same rows and differ by their start: see Lakshminarayanan et al., NeurIPS
2017, "Simple and scalable predictive uncertainty estimation using deep ensembles".
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import silu


class Shape(NamedTuple):
    """The sizes of a network."""

    hidden: tuple[int, ...]
    width: int
    category_width: int
    members: int
    likelihood: str = "poisson"


class Tower(nn.Module):
    """An ensemble with embeddings of its own; rows beyond the tables count as new."""

    def __init__(self, shape: Shape, inputs: int, outputs: int, items: int, groups: int) -> None:
        super().__init__()
        members = shape.members
        self.members = members
        self.item = nn.Embedding(items, members * shape.width)
        self.category = nn.Embedding(groups, members * shape.category_width)
        sizes = [inputs + shape.width + shape.category_width, *shape.hidden, outputs]
        layers = list(pairwise(sizes))
        self.weights = nn.ParameterList(
            [
                nn.Parameter(_uniform(members, a, b, last=k == len(layers) - 1))
                for k, (a, b) in enumerate(layers)
            ]
        )
        self.biases = nn.ParameterList(
            [nn.Parameter(torch.zeros(members, 1, b)) for _, b in layers]
        )

    def forward(self, inputs: Tensor, item: Tensor, category: Tensor) -> Tensor:
        """What each member says of each row, (members, n, outputs)."""
        found = [_looked_up(self.item, item), _looked_up(self.category, category)]
        own = [
            part.view(len(inputs), self.members, part.shape[1] // self.members).transpose(0, 1)
            for part in found
        ]
        value = torch.cat([inputs.expand(self.members, -1, -1), *own], dim=2)
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = torch.baddbmm(bias, value, weight)
            value = value if number == last else silu(value)
        return value


def _uniform(members: int, inside: int, outside: int, *, last: bool) -> Tensor:
    scale = (0.3 if last else 1.0) / math.sqrt(inside)
    return (torch.rand(members, inside, outside) * 2 - 1) * scale


def _looked_up(table: nn.Embedding, rows: Tensor) -> Tensor:
    known = rows < table.num_embeddings
    if table.num_embeddings == 0:
        return table.weight.new_zeros(len(rows), table.embedding_dim)
    found: Tensor = table(torch.where(known, rows, 0)) * known.unsqueeze(1)
    return found

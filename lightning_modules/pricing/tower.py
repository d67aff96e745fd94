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

from lightning_modules.pricing.settings import Settings

TOWERS = ("day", "week", "price")


class Shape(NamedTuple):
    """The sizes of a network; see `layers.stack` for adapters and blocks."""

    hidden: tuple[int, ...]
    width: int
    category_width: int
    members: int
    likelihood: str = "poisson"
    adapters: int = 0
    blocks: int = 0


def told_shape(settings: Settings) -> Shape:
    """The sizes that the settings ask for."""
    return Shape(*(getattr(settings, size) for size in Shape._fields))


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
        widths = shape.hidden if shape.adapters else ()
        self.adapters = nn.ModuleList([Residual(members, w, shape.adapters) for w in widths])
        blocks = shape.hidden[-1:] * shape.blocks
        self.blocks = nn.ModuleList([Residual(members, w, w) for w in blocks])

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
            if number == last:
                break
            value = silu(value)
            if self.adapters:
                value = self.adapters[number](value)
            if number == last - 1:
                for block in self.blocks:
                    value = block(value)
        return value


class Residual(nn.Module):
    """`layers.Residual` for each member: adds to what it is told (members, n, width)."""

    def __init__(self, members: int, width: int, inner: int) -> None:
        super().__init__()
        self.down = nn.Parameter(_uniform(members, width, inner, last=False))
        self.down_bias = nn.Parameter(torch.zeros(members, 1, inner))
        self.up = nn.Parameter(torch.zeros(members, inner, width))
        self.up_bias = nn.Parameter(torch.zeros(members, 1, width))

    def forward(self, value: Tensor) -> Tensor:
        """As many columns as before."""
        inner = silu(torch.baddbmm(self.down_bias, value, self.down))
        return value + torch.baddbmm(self.up_bias, inner, self.up)


def _uniform(members: int, inside: int, outside: int, *, last: bool) -> Tensor:
    scale = (0.3 if last else 1.0) / math.sqrt(inside)
    return (torch.rand(members, inside, outside) * 2 - 1) * scale


def _looked_up(table: nn.Embedding, rows: Tensor) -> Tensor:
    known = rows < table.num_embeddings
    if table.num_embeddings == 0:
        return table.weight.new_zeros(len(rows), table.embedding_dim)
    found: Tensor = table(torch.where(known, rows, 0)) * known.unsqueeze(1)
    return found

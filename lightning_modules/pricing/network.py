"""The network: three ensembles of small networks, for the day, the rest of the week, the price.

A demand tower's price response is a falling broken line whose slopes depend on everything but the
price: it cannot rise for any weights.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from lightning_modules.files import refuse_other_settings
from lightning_modules.learner import LearnerFileError
from lightning_modules.parameters import Parameters
from lightning_modules.pricing.features import BASE, DAYS_LEFT, RATIO
from lightning_modules.pricing.growth import GROWING, enlarged, shape_of
from lightning_modules.pricing.item_days import MOVE_1, MOVE_7, REST_OF_WEEK, UNITS
from lightning_modules.pricing.likelihood import count_losses
from lightning_modules.pricing.settings import Settings
from lightning_modules.pricing.shelf import CHANGE
from lightning_modules.pricing.tower import TOWERS, Shape, Tower, told_shape

# Where the price response bends, as log(price / reference).
KNOTS = (-1.5, -0.9, -0.5, -0.3, -0.15, -0.05, 0.05, 1.0)
QUANTILES = (0.1, 0.5, 0.9)
START_SLOPE = 0.5  # softplus of it is 0.97: an untrained response of about one
LOG_BOUNDS = (-7.0, 8.0)

# One thread: scores and weights have the same bits in whichever process and after whatever else,
# and for layers this small a second thread gains nothing.
torch.set_num_threads(1)


class Batch(NamedTuple):
    """Rows (n, F) with their item and category rows, labels (n, 4), and weights (n, members)."""

    features: Tensor
    item: Tensor
    category: Tensor
    labels: Tensor
    censored: Tensor
    weights: Tensor


class PricingNetwork(nn.Module):
    """The three towers; `centre` and `spread` (F,) of the features are set once, by `fit`."""

    tables = tuple(f"{tower}.{table}" for tower in TOWERS for table in ("item", "category"))

    def __init__(self, shape: Shape, features: int, items: int, groups: int) -> None:
        super().__init__()
        self.likelihood = shape.likelihood
        self.centre = nn.Parameter(torch.zeros(features), requires_grad=False)
        self.spread = nn.Parameter(torch.ones(features), requires_grad=False)
        slopes = len(KNOTS) - 1
        self.day = Tower(shape, features - 1, 1 + slopes, items, groups)
        self.week = Tower(shape, features - 1, 1 + slopes, items, groups)
        self.price = Tower(shape, features, 2 * (len(QUANTILES) + 1), items, groups)
        if shape.likelihood == "negative_binomial":
            self.dispersion = nn.Parameter(torch.full((2,), -1.0))

    def log_units(self, batch: Batch) -> Tensor:
        """Logarithm of the mean units of the day by each member, (members, n)."""
        return self._demand(self.day, batch)

    def log_rest_of_week(self, batch: Batch) -> Tensor:
        """Logarithm of the mean units through the end of the price's week, (members, n)."""
        return self._demand(self.week, batch) + batch.features[:, DAYS_LEFT]

    def moves(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Quantiles of log price moves (members, n, 2, 3), in order, and logits of a change."""
        said = self.price(self._scaled(batch.features), batch.item, batch.category)
        said = said.view(*said.shape[:2], 2, len(QUANTILES) + 1)
        middle = said[..., 0] * 0.1
        low = middle - softplus(said[..., 1] - 2) * 0.3
        high = middle + softplus(said[..., 2] - 2) * 0.3
        return torch.stack([low, middle, high], dim=-1), said[..., 3]

    def loss(self, batch: Batch) -> Tensor:
        """The mean loss of each label over the rows that have it, summed over labels, members."""
        total = self.centre.new_zeros(())
        for label, said in ((UNITS, self.log_units), (REST_OF_WEEK, self.log_rest_of_week)):
            rows = _with(batch, batch.labels[:, label].isfinite())
            if len(rows.labels):
                each = self._count_losses(said(rows), rows, label)
                total = total + (each * rows.weights.T).mean(dim=1).sum()
        known = batch.labels[:, [MOVE_1, MOVE_7]].isfinite()
        rows = _with(batch, known.any(dim=1))
        return total + self._move_loss(rows) if len(rows.labels) else total

    def _demand(self, tower: Tower, batch: Batch) -> Tensor:
        context = self._scaled(batch.features)[:, :RATIO]
        said = tower(context, batch.item, batch.category)
        slopes = softplus(said[..., 1:] + START_SLOPE)
        level = batch.features[:, BASE] + said[..., 0]
        logs: Tensor = level - (slopes * pieces(batch.features[:, RATIO])).sum(dim=2)
        return logs.clamp(*LOG_BOUNDS)

    def _scaled(self, features: Tensor) -> Tensor:
        return (features - self.centre) / self.spread

    def _count_losses(self, logs: Tensor, rows: Batch, label: int) -> Tensor:
        negative_binomial = self.likelihood == "negative_binomial"
        dispersion = self.dispersion[label].exp() if negative_binomial else None
        censored = rows.censored if label == UNITS else torch.zeros_like(rows.censored)
        return count_losses(logs, rows.labels[:, label], censored, dispersion)

    def _move_loss(self, rows: Batch) -> Tensor:
        quantiles, logits = self.moves(rows)
        labels = rows.labels[:, [MOVE_1, MOVE_7]]
        known = labels.isfinite()
        moved = torch.where(known, labels, 0.0)
        losses = pinball(quantiles, moved).mean(dim=-1) * 10
        target = (moved.abs() > math.log1p(CHANGE)).float().expand(logits.shape)
        losses = losses + nn.functional.binary_cross_entropy_with_logits(
            logits, target, reduction="none"
        )
        weighed = losses * known * rows.weights.T.unsqueeze(2)
        return weighed.sum(dim=(1, 2)).sum() / known.sum()


def pinball(quantiles: Tensor, labels: Tensor) -> Tensor:
    """The quantile loss (Koenker & Bassett, 1978) of each quantile, (..., 3)."""
    levels = labels.new_tensor(QUANTILES)
    miss = labels.unsqueeze(-1) - quantiles
    return torch.maximum(levels * miss, (levels - 1) * miss)


def pieces(ratio: Tensor) -> Tensor:
    """How much of each piece between two KNOTS a log price ratio has passed, from 0 on, (n, K)."""
    low, high = ratio.new_tensor(KNOTS[:-1]), ratio.new_tensor(KNOTS[1:])
    passed = torch.clamp(ratio.unsqueeze(1), low, high)
    return passed - torch.clamp(ratio.new_zeros(1), low, high)


def _with(batch: Batch, rows: Tensor) -> Batch:
    return Batch(*(part[rows] for part in batch))


def initial(shape: Shape, features: int, seed: int) -> Parameters:
    """Untrained parameters without any item or category yet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PricingNetwork(shape, features, 0, 0)
    found = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    return Parameters(found)


def sized(parameters: Parameters, settings: Settings, features: int, seed: int) -> Parameters:
    """In the sizes of the settings, if these are larger; untrained ones if there are none."""
    shape = told_shape(settings)
    return enlarged(parameters or initial(shape, features, seed), shape)


def grown(parameters: Parameters, items: int, groups: int) -> Parameters:
    """With rows for this many items and categories."""
    sizes = {"item": items, "category": groups}
    rows = {f"{tower}.{table}.weight": sizes[table] for tower in TOWERS for table in sizes}
    return parameters.grown(rows)


def to_network(parameters: Parameters, shape: Shape) -> PricingNetwork:
    """A network with a copy of these weights."""
    weights = parameters.weights
    items, groups = (len(weights[f"day.{table}.weight"]) for table in ("item", "category"))
    with torch.device("meta"):  # no time lost on weights that are replaced at once
        network = PricingNetwork(shape, len(weights["centre"]), items, groups)
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    network.load_state_dict(tensors, assign=True)
    for part in (network.centre, network.spread):
        part.requires_grad_(False)
    return network


def refuse_other_shape(
    parameters: Parameters, settings: Settings, features: int, directory: Path
) -> None:
    """Raise LearnerFileError if other settings or another version of the code made them.

    Larger settings than those that made them are none: the network grows when it learns next.
    """
    found = parameters.weights
    try:
        made = shape_of(found)
    except (KeyError, IndexError) as error:
        raise LearnerFileError(f"{directory}: no weights of towers ({error!r})") from error
    refuse_other_settings(directory, made._asdict(), settings, GROWING)
    for name, array in initial(made, features, 0).weights.items():
        begin = 1 if name.startswith(PricingNetwork.tables) else 0  # tables have rows of ids
        wanted = array.shape[begin:]
        there = found[name].shape[begin:] if name in found else None
        if there != wanted:
            raise LearnerFileError(
                f"{directory}: {name} is made for {there}, this code makes {wanted}; "
                "bootstrap a new line in a workspace of its own"
            )


@torch.inference_mode()
def forecast(network: PricingNetwork, batch: Batch) -> NDArray[np.float32]:
    """Mean forecasts over the members, (n, OUTPUTS), quantiles as they were learned."""
    units = network.log_units(batch).exp().mean(dim=0)
    rest = network.log_rest_of_week(batch).exp().mean(dim=0)
    quantiles, logits = network.moves(batch)
    middle, chance = quantiles.mean(dim=0), logits.sigmoid().mean(dim=0)
    moves = torch.cat([middle, chance.unsqueeze(2)], dim=2).flatten(start_dim=1)
    found = torch.cat([units.unsqueeze(1), rest.unsqueeze(1), moves], dim=1).numpy()
    answer: NDArray[np.float32] = found
    return answer


@torch.inference_mode()
def demand_curves(
    network: PricingNetwork, batch: Batch, ratios: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean units of the day by each member at other log price ratios (n, P): (members, n, P)."""
    count = ratios.shape[1]
    rows = torch.arange(len(batch.features)).repeat_interleave(count)
    many = _with(batch, rows)
    features = many.features.clone()
    features[:, RATIO] = torch.from_numpy(ratios.reshape(-1))
    units = network.log_units(many._replace(features=features)).exp()
    found: NDArray[np.float32] = units.view(len(units), len(ratios), count).numpy()
    return found

"""What the parameters say of a day's units: forecasts, losses, demand at other prices."""

import numpy as np
import torch
from numpy.typing import NDArray

from lightning_modules.parameters import Parameters
from lightning_modules.pricing.features import RATIO, SPELL_DAYS, SPELL_MEAN
from lightning_modules.pricing.item_days import OUTPUTS, TODAY, UNITS, ItemDays
from lightning_modules.pricing.likelihood import count_losses
from lightning_modules.pricing.network import (
    KNOTS,
    Batch,
    PricingNetwork,
    demand_curves,
    forecast,
    to_network,
)
from lightning_modules.pricing.tower import Shape

Floats = NDArray[np.float32]


def forecasts(parameters: Parameters, shape: Shape, examples: ItemDays) -> Floats:
    """Forecasts (L, SLOTS, OUTPUTS) of today's rows and those that came due; 0 for no row."""
    network = to_network(parameters, shape)
    due: NDArray[np.bool_] = np.any(np.isfinite(examples.labels), axis=2)
    due[:, TODAY] = True
    unit, slot = np.nonzero(due)
    found = np.zeros((*due.shape, len(OUTPUTS)), np.float32)
    if len(unit):
        found[unit, slot] = forecast(network, _batch(examples, unit, slot))
    return found


@torch.inference_mode()
def losses(parameters: Parameters, shape: Shape, examples: ItemDays) -> Floats:
    """The training loss of each unit's count today, a mean over the members, (L,).

    Of an exact Poisson count less than its least, so that a share of it means something: half
    the deviance.
    """
    network: PricingNetwork = to_network(parameters, shape)
    batch = _batch(examples, np.arange(len(examples)), np.full(len(examples), TODAY))
    dispersion = None
    if shape.likelihood == "negative_binomial":
        dispersion = network.dispersion[UNITS].exp()
    units = batch.labels[:, UNITS]
    each = count_losses(network.log_units(batch), units, batch.censored, dispersion).mean(dim=0)
    if dispersion is None:
        least = torch.where(units > 0, units - units * torch.log(units.clamp_min(1e-9)), 0)
        each = torch.where(batch.censored, each, each - least)
    found: Floats = each.numpy()
    return found


def curves(parameters: Parameters, shape: Shape, examples: ItemDays, ratios: Floats) -> Floats:
    """Units of today by each member at other log price ratios (L, P), (members, L, P).

    As on the first day of a price: what it has sold since it began says nothing of another one.
    """
    batch = _batch(examples, np.arange(len(examples)), np.full(len(examples), TODAY))
    features = batch.features.clone()
    features[:, [SPELL_MEAN, SPELL_DAYS]] = 0
    return demand_curves(to_network(parameters, shape), batch._replace(features=features), ratios)


def elasticities(
    parameters: Parameters, shape: Shape, examples: ItemDays, step: float = 0.1
) -> Floats:
    """Own-price elasticity of each unit by each member, (members, L).

    The slope of log units over log price between prices `step` below and above today's.
    """
    now = examples.features[:, TODAY, RATIO].astype(np.float32)
    middle = np.clip(now, KNOTS[0] + step, KNOTS[-1] - step)  # beyond them the curve is flat
    around = np.stack([middle - step, middle + step], axis=1).astype(np.float32)
    units = curves(parameters, shape, examples, around)
    width = around[:, 1] - around[:, 0]
    slope: Floats = np.log(units[..., 1] / units[..., 0]) / width
    return slope


def _batch(examples: ItemDays, unit: NDArray[np.int64], slot: NDArray[np.int64]) -> Batch:
    count = len(unit)
    return Batch(
        features=torch.from_numpy(examples.features[unit, slot].astype(np.float32)),
        item=torch.from_numpy(examples.item[unit].astype(np.int64)),
        category=torch.from_numpy(examples.category[unit].astype(np.int64)),
        labels=torch.from_numpy(examples.labels[unit, slot]),
        censored=torch.from_numpy(examples.censored[unit]),
        weights=torch.ones(count, 1),
    )

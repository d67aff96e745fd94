"""Losses of counts: Poisson or negative binomial, exact or known only from below."""

import torch
from torch import Tensor

FURTHER = 64  # terms of a tail
NEARLY = 0.9


def count_losses(
    logs: Tensor, units: Tensor, censored: Tensor, dispersion: Tensor | None
) -> Tensor:
    """The negative log-likelihood of each count, up to a term without parameters.

    A censored count (sold out) is only known to have been wanted at least: its likelihood is the
    chance of that many or more (Wecker 1978; Lau & Lau 1996 on stock-outs).

    Args:
        logs: Logarithms of the means, (members, n).
        units: Counts, (n,).
        censored: Which counts are lower bounds, (n,).
        dispersion: None for Poisson; else the a of the variance m + a m^2.

    Returns:
        Losses (members, n).
    """
    exact = torch.exp(logs) - units * logs
    if dispersion is not None:
        exact = -_log_mass(logs, units, dispersion)
    if not bool(censored.any()):
        return exact
    losses = exact.clone()
    losses[:, censored] = -_log_at_least(logs[:, censored], units[censored], dispersion)
    return losses


def _log_mass(logs: Tensor, counts: Tensor, dispersion: Tensor | None) -> Tensor:
    """Log-probability of counts; they may have fractions, as weighed goods have."""
    if dispersion is None:
        return counts * logs - torch.exp(logs) - torch.lgamma(counts + 1)
    size = 1 / dispersion
    share = torch.log1p(dispersion * torch.exp(logs))
    odds = logs + torch.log(dispersion) - share
    return (
        torch.lgamma(counts + size)
        - torch.lgamma(size)
        - torch.lgamma(counts + 1)
        - size * share
        + counts * odds
    )


def _log_at_least(logs: Tensor, counts: Tensor, dispersion: Tensor | None) -> Tensor:
    """Logarithm of the chance of at least `counts`.

    One minus the sum of what lies below, and where that is close to one, the first terms of
    what does not: a difference of two nearly equal numbers has no gradient left.
    """
    whole = counts.ceil()
    steps = torch.arange(max(int(whole.max()), 1), dtype=logs.dtype, device=logs.device)
    mass = _log_mass(logs.unsqueeze(2), steps, dispersion).exp()
    below = (mass * (steps < whole.unsqueeze(1))).sum(dim=2)
    further = whole.unsqueeze(1) + torch.arange(FURTHER, dtype=logs.dtype, device=logs.device)
    tail = torch.logsumexp(_log_mass(logs.unsqueeze(2), further, dispersion), dim=2)
    return torch.where(below < NEARLY, torch.log1p(-below.clamp_max(NEARLY)), tail)

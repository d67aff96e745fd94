"""The network: demand falls with the price whatever the weights, counts censored or not."""

import numpy as np
import pytest
import torch

from lightning_modules.pricing.features import FEATURES, RATIO
from lightning_modules.pricing.likelihood import count_losses
from lightning_modules.pricing.network import (
    KNOTS,
    QUANTILES,
    Batch,
    PricingNetwork,
    demand_curves,
    forecast,
    pieces,
    pinball,
)
from lightning_modules.pricing.tower import Shape

SHAPE = Shape(hidden=(8,), width=2, category_width=2, members=3)


def network(seed: int, scale: float = 1.0, shape: Shape = SHAPE) -> PricingNetwork:
    """A network with weights of any size."""
    torch.manual_seed(seed)
    made = PricingNetwork(shape, len(FEATURES), items=4, groups=2)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if name not in ("centre", "spread"):
                weight.copy_(torch.randn(weight.shape) * scale)
    return made


def batch(rows: int = 6, seed: int = 0) -> Batch:
    """Rows of noise; the last two are of an item without a row in the tables."""
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        features=torch.randn(rows, len(FEATURES), generator=generator),
        item=torch.arange(rows),
        category=torch.zeros(rows, dtype=torch.int64),
        labels=torch.full((rows, 4), torch.nan),
        censored=torch.zeros(rows, dtype=torch.bool),
        weights=torch.ones(rows, SHAPE.members),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_demand_never_rises_with_the_price(seed: int, scale: float) -> None:
    grid = np.linspace(-1.6, 1.1, 28, dtype=np.float32)
    ratios = np.repeat(grid[None], 6, axis=0)
    units = demand_curves(network(seed, scale), batch(seed=seed), ratios)
    assert units.shape == (3, 6, 28)
    assert (np.diff(units, axis=2) <= 1e-6 * units[..., :-1]).all()


def test_an_untrained_response_falls_strictly_inside_its_knots() -> None:
    torch.manual_seed(0)
    made = PricingNetwork(SHAPE, len(FEATURES), 4, 2)
    units = demand_curves(made, batch(), np.tile(np.array([-0.2, 0.0, 0.2], np.float32), (6, 1)))
    assert (np.diff(np.log(units), axis=2) < -0.01).all()


def test_pieces_add_up_to_the_ratio() -> None:
    ratio = torch.tensor([-2.0, -1.5, -0.4, 0.0, 0.03, 0.7, 3.0])
    assert pieces(ratio).shape == (7, len(KNOTS) - 1)
    assert torch.allclose(pieces(ratio).sum(dim=1), ratio.clamp(KNOTS[0], KNOTS[-1]), atol=1e-6)
    assert (pieces(ratio)[3] == 0).all()


def test_quantiles_are_in_order_and_chances_are_chances() -> None:
    found = forecast(network(1, 3.0), batch())
    for low in (2, 6):
        assert (np.diff(found[:, low : low + 3], axis=1) >= 0).all()
        assert ((found[:, low + 3] >= 0) & (found[:, low + 3] <= 1)).all()


def test_what_is_not_known_teaches_nothing() -> None:
    made, rows = network(2, 0.3), batch()
    rows.labels[:3, 0] = torch.tensor([0.0, 2.0, 5.0])
    made.loss(rows).backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is None or not weight.grad.any() for weight in made.week.parameters())
    assert all(weight.grad is None for weight in made.price.parameters())
    alone = Batch(*(part[:3] for part in rows))
    assert torch.allclose(made.loss(alone), made.loss(rows))


def test_the_ratio_reaches_demand_through_its_slopes_only() -> None:
    made, rows = network(3), batch()
    moved = rows.features.clone()
    moved[:, RATIO] = 0
    flat = network(3)
    with torch.no_grad():
        for part in (flat.day.weights[-1], flat.day.biases[-1]):
            part[..., 1:] = 0
            part[..., 1:] -= 1e3 if part is flat.day.biases[-1] else 0
    assert torch.allclose(
        flat.log_units(rows), flat.log_units(rows._replace(features=moved)), atol=1e-5
    )
    assert not torch.allclose(made.log_units(rows), made.log_units(rows._replace(features=moved)))


def test_the_pinball_loss_by_hand() -> None:
    losses = pinball(torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([1.5]))
    assert QUANTILES == (0.1, 0.5, 0.9)
    assert losses[0].tolist() == pytest.approx([0.1 * 1.5, 0.5 * 0.5, 0.1 * 0.5])


def test_poisson_by_hand() -> None:
    logs = torch.log(torch.tensor([[2.0, 3.0]]))
    none = torch.zeros(2, dtype=torch.bool)
    losses = count_losses(logs, torch.tensor([0.0, 4.0]), none, None)
    assert losses[0].tolist() == pytest.approx([2.0, 3.0 - 4 * np.log(3.0)])


def test_a_sold_out_count_is_a_lower_bound() -> None:
    logs = torch.log(torch.tensor([[2.0, 2.0, 2.0]]))
    censored = torch.tensor([True, True, False])
    losses = count_losses(logs, torch.tensor([0.0, 2.0, 2.0]), censored, None)
    at_least_two = 1 - np.exp(-2.0) * (1 + 2.0)
    assert losses[0, 0].item() == pytest.approx(0, abs=1e-6)
    assert losses[0, 1].item() == pytest.approx(-np.log(at_least_two), rel=1e-5)
    assert losses[0, 2].item() == pytest.approx(2 - 2 * np.log(2.0))


def test_a_sold_out_count_far_above_the_mean_still_pulls_it_up() -> None:
    logs = torch.log(torch.tensor([[0.5]])).requires_grad_()
    loss = count_losses(logs, torch.tensor([30.0]), torch.tensor([True]), None)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert logs.grad is not None
    assert logs.grad.item() == pytest.approx(-29.5, abs=0.6)


def test_a_sold_out_count_far_below_the_mean_says_nothing() -> None:
    logs = torch.log(torch.tensor([[40.0]])).requires_grad_()
    loss = count_losses(logs, torch.tensor([3.0]), torch.tensor([True]), None)
    assert loss.item() == pytest.approx(0, abs=1e-5)


def test_the_negative_binomial_is_a_distribution_and_nears_poisson() -> None:
    counts, none = torch.arange(400.0), torch.zeros(400, dtype=torch.bool)
    logs = torch.full((1, 400), float(np.log(3.0)))
    wide = count_losses(logs, counts, none, torch.tensor(0.7))
    mass = torch.exp(-wide[0])
    assert mass.sum().item() == pytest.approx(1, abs=1e-4)
    assert (mass * counts).sum().item() == pytest.approx(3, abs=1e-3)
    near = count_losses(logs[:, :10], counts[:10], none[:10], torch.tensor(1e-4))
    poisson = count_losses(logs[:, :10], counts[:10], none[:10], None)
    poisson = poisson + torch.lgamma(counts[:10] + 1)
    assert torch.allclose(near, poisson, atol=2e-2)

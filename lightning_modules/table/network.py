"""A team's LightningModule inside the training that every learner shares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from lightning import LightningModule
from numpy.typing import NDArray
from torch import Tensor, nn

from lightning_modules.parameters import Parameters

ROWS_AT_ONCE = 65_536


class TableNetwork(nn.Module):
    """The module as `training.Network`; it has no rows of ids."""

    tables: tuple[str, ...] = ()

    def __init__(self, module: LightningModule) -> None:
        super().__init__()
        if buffers := [name for name, _ in module.named_buffers()]:
            raise ValueError(
                f"{type(module).__name__} has buffers ({', '.join(buffers)}), and only weights "
                "are carried from day to day: make them parameters"
            )
        self.module = module

    def predictions(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """What the module says of the batch's rows."""
        predicted: Tensor = self.module(batch[0])
        return predicted

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """The module's own mean loss of a batch."""
        return cast("Tensor", self.module.training_step(batch, 0))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What draws by torch within the block, as dropout does, draws by the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def initial(make: Callable[[], LightningModule], seed: int) -> Parameters:
    """New weights: a function of the seed alone."""
    with seeded(seed):
        network = TableNetwork(make())
    return Parameters({n: t.detach().numpy().copy() for n, t in network.named_parameters()})


def opened(module: LightningModule, parameters: Parameters) -> TableNetwork:
    """The module with a copy of these weights."""
    network = TableNetwork(module)
    network.load_state_dict({n: torch.tensor(a) for n, a in parameters.weights.items()})
    return network


@torch.inference_mode()
def predicted(network: TableNetwork, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """A prediction for each row (L,) of features (L, F)."""
    network.eval()
    out = np.empty(len(features), np.float32)
    for begin in range(0, len(out), ROWS_AT_ONCE):
        rows = torch.from_numpy(features[begin : begin + ROWS_AT_ONCE])
        out[begin : begin + ROWS_AT_ONCE] = network.module(rows).numpy()
    return out


@torch.inference_mode()
def losses(
    network: TableNetwork, features: NDArray[np.float32], target: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The module's loss of each row by itself (L,)."""
    network.eval()
    rows = torch.from_numpy(features), torch.from_numpy(target)
    each = (tuple(part[n : n + 1] for part in rows) for n in range(len(target)))
    return np.array([float(network.loss(row)) for row in each], np.float32)

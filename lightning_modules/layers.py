"""Stacks of layers, with residual blocks and adapters where there are any. Needs torch only."""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Adds to what it is told; nothing at first, since its last layer begins at zero.

    With `inner` much smaller than `width` it is an adapter (Houlsby et al., ICML 2019).
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, value: Tensor) -> Tensor:
        """As many columns as before (n, width)."""
        found: Tensor = value + self.up(functional.silu(self.down(value)))
        return found


def stack(
    sizes: list[int], outputs: int | None = None, *, adapters: int = 0, blocks: int = 0
) -> nn.Sequential:
    """Hidden layers from `sizes[0]` inputs on, and a plain last layer of `outputs` if told.

    Each hidden layer is followed by an adapter of width `adapters`, the last one by `blocks`
    residual blocks of its own width. The plain layers have the names that they have without.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for place, width in enumerate(sizes[1:]):
        layers[str(2 * place)] = nn.Linear(sizes[place], width)
        layers[str(2 * place + 1)] = nn.SiLU()
        if adapters:
            layers[f"adapter_{place}"] = Residual(width, adapters)
    for block in range(blocks if sizes[1:] else 0):
        layers[f"block_{block}"] = Residual(sizes[-1], sizes[-1])
    if outputs is not None:
        layers[str(2 * len(sizes[1:]))] = nn.Linear(sizes[-1], outputs)
    return nn.Sequential(layers)

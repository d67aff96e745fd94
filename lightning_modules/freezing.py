"""Training that leaves a network alone but for its adapters and its rows of ids.

Adapters are a small part of a large network and learn nearly as well (Houlsby et al., ICML 2019).
The rows of ids, biases of items among them, learn too: no adapter can tell what is new of a user
or an item. All the rest, biases of layers among it, keeps its exact bits.
"""

from torch import nn

from lightning_modules.parameters import Parameters
from lightning_modules.schedule import Schedule

ADAPTER = "adapter"  # what a part of an adapter's name begins with


def freeze(network: nn.Module, train: str) -> set[str]:
    """Switch off the gradients of all that is not to be trained, and name it.

    Raises:
        ValueError: if only adapters are to be trained of a network that has none.
    """
    if train == "all":
        return set()
    tables: tuple[str, ...] = network.tables  # type: ignore[assignment]
    named = dict(network.named_parameters())
    adapters = {name for name in named if f".{ADAPTER}" in f".{name}"}
    if not adapters:
        raise ValueError(
            f"train is {train!r}, but this network has no adapters: set `adapters` in the "
            "learner's settings to their width"
        )
    frozen = {name for name in named if name not in adapters and not name.startswith(tables)}
    for name in frozen:
        named[name].requires_grad_(False)
    return frozen


def as_before(
    after: Parameters, before: Parameters, frozen: set[str], schedule: Schedule
) -> Parameters:
    """`after` with the frozen weights and all that is kept of them as they were.

    Their moments wait for a training of all; what is known of past losses does not fade.
    """
    retention = schedule.retention
    kept = {*schedule.kept, "fisher" if retention.ewc else "", "raw" if retention.average else ""}
    optimizer = {
        key: array
        for key, array in before.optimizer.items()
        if key.partition("/")[0] in kept and key.partition("/")[2] in frozen
    }
    found = after.copied()
    found.weights |= {name: before.weights[name] for name in after.weights if name in frozen}
    found.optimizer |= optimizer
    return found

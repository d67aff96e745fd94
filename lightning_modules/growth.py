"""Networks that grow between two trainings and say at first what they said before.

Wider layers: old units do not read the new ones yet, whose outgoing weights are zero, and the new
ones read everything by weights of their own, so that no two learn the same. Deeper networks:
residual blocks whose last layer is zero. Both are of the function-preserving expansions of
Gesmundo & Maile (2023), in the line of Net2Net (Chen et al., ICLR 2016), which needs noise to tell
copied units apart. Adapters: residual bottlenecks (Houlsby et al., ICML 2019) that begin in the
same way. New moments and Fisher information are zero, old ones stay with their weights.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from lightning_modules.hashing import fraction, mixed
from lightning_modules.parameters import EMBEDDING_SCALE, Arrays, Parameters

COUNTERS = "step/"  # of the optimizer's state what counts a weight's steps, whatever its shape
SMALL = EMBEDDING_SCALE * 3**0.5  # bound of new columns of embeddings: they deviate as rows do


@dataclass(frozen=True)
class Stack:
    """The form of a stack of layers: see `layers.stack`, which makes it."""

    hidden: tuple[int, ...]
    adapters: int = 0
    blocks: int = 0


def wider(
    parameters: Parameters,
    name: str,
    axis: int,
    count: int,
    *,
    at: Sequence[int] = (),
    bound: float = 0.0,
) -> Parameters:
    """`count` more places along an axis of a weight, before each index of `at` or at the end.

    The new values are uniform within `bound`: a function of the weight's name, shape and place.
    """
    if not count:
        return parameters
    old = parameters.weights[name]
    places = np.repeat(list(at) or [old.shape[axis]], count)
    shape = (*old.shape[:axis], len(places), *old.shape[axis + 1 :])
    fresh = drawn(f"{name}{axis}{old.shape}", shape, bound)
    found = parameters.copied()
    found.weights[name] = np.insert(old, places, fresh, axis)
    for key, array in parameters.optimizer.items():
        if key.partition("/")[2] == name and not key.startswith(COUNTERS):
            begun = fresh if key.startswith("raw/") else np.zeros_like(fresh)
            found.optimizer[key] = np.insert(array, places, begun, axis)
    return found


def with_weights(parameters: Parameters, weights: Arrays) -> Parameters:
    """The same with more weights, which no optimizer has seen."""
    found = parameters.copied()
    found.weights.update(weights)
    return found


def drawn(salt: str, shape: tuple[int, ...], bound: float) -> NDArray[np.float32]:
    """Numbers uniform within +-`bound`, a function of their salt and place."""
    cells = np.arange(prod(shape), dtype=np.uint64)
    key = mixed(np.array([crc32(salt.encode())], np.uint64))
    centred = fraction(mixed(cells ^ key)) * 2 - 1
    found: NDArray[np.float32] = (centred * bound).astype(np.float32).reshape(shape)
    return found


def wider_layer(
    parameters: Parameters, name: str, count: int, *, at: Sequence[int] = ()
) -> Parameters:
    """A linear layer with `count` more units at each place; who reads them is the caller's."""
    bound = parameters.weights[f"{name}.weight"].shape[1] ** -0.5
    found = wider(parameters, f"{name}.weight", 0, count, at=at, bound=bound)
    return wider(found, f"{name}.bias", 0, count, at=at)


def grown_stack(
    parameters: Parameters, prefix: str, told: Stack, *, outputs: bool = True
) -> Parameters:
    """A stack of the form `told`, which is nowhere smaller than what it was."""
    if not told.hidden:
        return parameters
    made = stack_of(parameters.weights, prefix, outputs=outputs)
    for place, (old, new) in enumerate(zip(made.hidden, told.hidden, strict=True)):
        parameters = wider_layer(parameters, f"{prefix}.{2 * place}", new - old)
        reader = f"{prefix}.{2 * place + 2}.weight"
        if reader in parameters.weights:
            parameters = wider(parameters, reader, 1, new - old)
        if made.adapters:
            adapter = f"{prefix}.adapter_{place}"
            parameters = _wider_residual(
                parameters, adapter, new - old, told.adapters - made.adapters
            )
        elif told.adapters:
            adapter = f"{prefix}.adapter_{place}"
            parameters = _with_residual(parameters, adapter, new, told.adapters)
    for block in range(made.blocks):
        more = told.hidden[-1] - made.hidden[-1]
        parameters = _wider_residual(parameters, f"{prefix}.block_{block}", more, more)
    for block in range(made.blocks, told.blocks):
        width = told.hidden[-1]
        parameters = _with_residual(parameters, f"{prefix}.block_{block}", width, width)
    return parameters


def _with_residual(parameters: Parameters, name: str, width: int, inner: int) -> Parameters:
    """With a residual block that says at first what it is told."""
    return with_weights(
        parameters,
        {
            f"{name}.down.weight": drawn(name, (inner, width), width**-0.5),
            f"{name}.down.bias": np.zeros(inner, np.float32),
            f"{name}.up.weight": np.zeros((width, inner), np.float32),
            f"{name}.up.bias": np.zeros(width, np.float32),
        },
    )


def _wider_residual(parameters: Parameters, name: str, width: int, inner: int) -> Parameters:
    """Room in a residual block for `width` more units that pass it, and `inner` more in it."""
    found = wider(parameters, f"{name}.down.weight", 1, width)
    found = wider_layer(found, f"{name}.down", inner)
    found = wider(found, f"{name}.up.weight", 1, inner)
    found = wider(found, f"{name}.up.weight", 0, width)
    return wider(found, f"{name}.up.bias", 0, width)


def stack_of(weights: Arrays, prefix: str, *, outputs: bool = True) -> Stack:
    """The form of a stack; with `outputs` its last layer is a plain one and not hidden."""
    sizes = {
        int(part[1]): len(array)
        for name, array in weights.items()
        if (part := name.split("."))[0] == prefix and part[1].isdecimal() and part[2] == "bias"
    }
    hidden = [sizes[number] for number in sorted(sizes)]
    adapters = len(weights.get(f"{prefix}.adapter_0.down.bias", ()))
    return Stack(
        tuple(hidden[:-1] if outputs else hidden), adapters, _blocks(weights, f"{prefix}.block_")
    )


def _blocks(names: Iterable[str], prefix: str) -> int:
    return sum(name.startswith(prefix) and name.endswith(".down.bias") for name in names)

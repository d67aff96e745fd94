"""What of the settings shows in the network's weights, and how it comes to larger ones."""

from collections.abc import Iterator

import numpy as np

from lightning_modules.growth import SMALL, drawn, wider, with_weights
from lightning_modules.parameters import Arrays, Parameters
from lightning_modules.pricing.tower import TOWERS, Shape

# Settings of the network that may become larger.
GROWING = ("hidden", "width", "category_width", "adapters", "blocks")


def shape_of(weights: Arrays) -> Shape:
    """The sizes that the weights are made for; raises KeyError where one is missing."""
    biases = [weights[name] for name in _in_order(weights, "day.biases.{}")]
    members = len(biases[0])
    inner = weights.get("day.adapters.0.down")
    return Shape(
        hidden=tuple(bias.shape[2] for bias in biases[:-1]),
        width=weights["day.item.weight"].shape[1] // members,
        category_width=weights["day.category.weight"].shape[1] // members,
        members=members,
        likelihood="negative_binomial" if "dispersion" in weights else "poisson",
        adapters=0 if inner is None else inner.shape[2],
        blocks=len(list(_in_order(weights, "day.blocks.{}.down"))),
    )


def _in_order(weights: Arrays, name: str) -> Iterator[str]:
    number = 0
    while (found := name.format(number)) in weights:
        yield found
        number += 1


def enlarged(parameters: Parameters, told: Shape) -> Parameters:
    """The parameters in the sizes of `told`, where these are larger: they say the same."""
    made = shape_of(parameters.weights)
    if made == told:
        return parameters
    for tower in TOWERS:
        parameters = _wider_inputs(parameters, tower, made, told)
        for place, (old, new) in enumerate(zip(made.hidden, told.hidden, strict=True)):
            parameters = _wider_layer(parameters, f"{tower}.weights.{place}", new - old)
            parameters = wider(parameters, f"{tower}.biases.{place}", 2, new - old)
            parameters = wider(parameters, f"{tower}.weights.{place + 1}", 1, new - old)
        parameters = _grown_residuals(parameters, tower, made, told)
    return parameters


def _wider_inputs(parameters: Parameters, tower: str, made: Shape, told: Shape) -> Parameters:
    """Wider embeddings of each member, which its first layer does not read yet."""
    inputs = parameters.weights[f"{tower}.weights.0"].shape[1] - made.category_width
    for table, place, old, new in (
        ("category", inputs + made.category_width, made.category_width, told.category_width),
        ("item", inputs, made.width, told.width),
    ):  # the last one first, so that the other is where it was
        ends = [old * (member + 1) for member in range(made.members)]
        more, name = new - old, f"{tower}.{table}.weight"
        parameters = wider(parameters, name, 1, more, at=ends, bound=SMALL)
        parameters = wider(parameters, f"{tower}.weights.0", 1, more, at=(place,))
    return parameters


def _wider_layer(parameters: Parameters, name: str, more: int) -> Parameters:
    """More units, which read all that there is."""
    return wider(parameters, name, 2, more, bound=parameters.weights[name].shape[1] ** -0.5)


def _grown_residuals(parameters: Parameters, tower: str, made: Shape, told: Shape) -> Parameters:
    """Adapters after each hidden layer and blocks after the last, of the widths told."""
    for place, (old, new) in enumerate(zip(made.hidden, told.hidden, strict=True)):
        name = f"{tower}.adapters.{place}"
        if made.adapters:
            more = told.adapters - made.adapters
            parameters = _wider_residual(parameters, name, new - old, more)
        elif told.adapters:
            parameters = _with_residual(parameters, name, made.members, new, told.adapters)
    if not told.hidden:
        return parameters
    width, more = told.hidden[-1], told.hidden[-1] - made.hidden[-1]
    for block in range(told.blocks):
        name = f"{tower}.blocks.{block}"
        if block < made.blocks:
            parameters = _wider_residual(parameters, name, more, more)
        else:
            parameters = _with_residual(parameters, name, made.members, width, width)
    return parameters


def _with_residual(
    parameters: Parameters, name: str, members: int, width: int, inner: int
) -> Parameters:
    """With a residual block that says at first what it is told."""
    return with_weights(
        parameters,
        {
            f"{name}.down": drawn(name, (members, width, inner), width**-0.5),
            f"{name}.down_bias": np.zeros((members, 1, inner), np.float32),
            f"{name}.up": np.zeros((members, inner, width), np.float32),
            f"{name}.up_bias": np.zeros((members, 1, width), np.float32),
        },
    )


def _wider_residual(parameters: Parameters, name: str, width: int, inner: int) -> Parameters:
    """Room in a residual block for `width` more units that pass it, and `inner` more in it."""
    found = wider(parameters, f"{name}.down", 1, width)
    found = _wider_layer(found, f"{name}.down", inner)
    found = wider(found, f"{name}.down_bias", 2, inner)
    found = wider(found, f"{name}.up", 1, inner)
    found = wider(found, f"{name}.up", 2, width)
    return wider(found, f"{name}.up_bias", 2, width)

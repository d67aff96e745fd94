"""What of the settings shows in the network's weights, and how it comes to larger ones."""

from dataclasses import replace
from typing import Any

import numpy as np

from lightning_modules.behavior.features import BITS, FEATURES, RHYTHM
from lightning_modules.behavior.settings import Settings
from lightning_modules.growth import (
    SMALL,
    Stack,
    drawn,
    grown_stack,
    stack_of,
    wider,
    wider_layer,
    with_weights,
)
from lightning_modules.parameters import Arrays, Parameters

NAMES = ("kind", "category", "term")  # of the tables that the next event is chosen from
TABLES = (*NAMES, "judged", "judged_match")
# Settings of the network that may become larger.
GROWING = (
    *("width", "memory_width", "user_width", "user_hidden", "hidden"),
    *("cross_layers", "cross_rank", "adapters", "blocks"),
)


def made_with(weights: Arrays, settings: Settings) -> dict[str, Any]:
    """The settings of the network that show in its weights."""
    width = weights["kind.weight"].shape[1]
    user, mlp = stack_of(weights, "user"), stack_of(weights, "mlp", outputs=False)
    return {
        "width": width,
        "memory_width": weights["memory.weight_hh_l0"].shape[1],
        "user_width": len(weights[f"user.{2 * len(user.hidden)}.bias"]) - width,
        "user_hidden": user.hidden,
        "hidden": mlp.hidden,
        "cross_layers": sum(name.startswith("up.") and "bias" in name for name in weights),
        "cross_rank": len(weights.get("down.0.weight", ())) or settings.cross_rank,
        "adapters": mlp.adapters,
        "blocks": mlp.blocks,
    }


def enlarged(parameters: Parameters, told: Settings) -> Parameters:
    """The parameters in the sizes of the settings, where these are larger: they say the same."""
    made = replace(told, **made_with(parameters.weights, told))
    if made == told:
        return parameters
    parameters = _wider_events(parameters, made, told)
    parameters = _wider_memory(parameters, made, told)
    parameters = _wider_user(parameters, made, told)
    parameters = _wider_rows(parameters, made, told)
    return _more_crosses(parameters, told)


def _wider_events(parameters: Parameters, made: Settings, told: Settings) -> Parameters:
    """Wider rows of ids, which the memory does not read and the choices do not meet yet."""
    more = told.width - made.width
    for table in TABLES:
        parameters = wider(parameters, f"{table}.weight", 1, more, bound=SMALL)
    for name in NAMES:
        parameters = wider(parameters, f"choose.{name}.weight", 0, more)
        parameters = wider(parameters, f"choose.{name}.bias", 0, more)
    parameters = wider_layer(parameters, "gap", more)
    return wider(parameters, "memory.weight_ih_l0", 1, more)


def _wider_memory(parameters: Parameters, made: Settings, told: Settings) -> Parameters:
    """More units in each gate of the memory."""
    old, more = made.memory_width, told.memory_width - made.memory_width
    gates, bound = (old, 2 * old, 3 * old), told.memory_width**-0.5
    parameters = wider(parameters, "memory.weight_hh_l0", 1, more)
    for part in ("ih", "hh"):
        name = f"memory.weight_{part}_l0"
        parameters = wider(parameters, name, 0, more, at=gates, bound=bound)
        parameters = wider(parameters, f"memory.bias_{part}_l0", 0, more, at=gates)
    for name in NAMES:
        parameters = wider(parameters, f"choose.{name}.weight", 1, more, at=(old,))
    return wider(parameters, "user.0.weight", 1, more)


def _wider_user(parameters: Parameters, made: Settings, told: Settings) -> Parameters:
    """A larger stack for the user, and a wider vector and match at its end."""
    form = Stack(told.user_hidden, told.adapters, told.blocks)
    parameters = grown_stack(parameters, "user", form)
    last = f"user.{2 * len(told.user_hidden)}"
    more = told.width - made.width
    parameters = wider_layer(parameters, last, more)
    more = told.user_width - made.user_width
    for name in NAMES:
        parameters = wider(parameters, f"choose.{name}.weight", 1, more)
    return wider_layer(parameters, last, more, at=(made.user_width,))


def _wider_rows(parameters: Parameters, made: Settings, told: Settings) -> Parameters:
    """Room for the user's vector, the category and their match in all that reads the rows."""
    user = len(FEATURES) + BITS + len(RHYTHM) + made.user_width
    vector, width = told.user_width - made.user_width, told.width - made.width
    spots = ((user + 2 * made.width, width), (user + made.width, width), (user, vector))
    for place, more in spots:  # the last one first, so that the others are where they were
        at = (place,)
        for layer in range(made.cross_layers):
            parameters = wider(parameters, f"down.{layer}.weight", 1, more, at=at)
            parameters = wider(parameters, f"up.{layer}.weight", 0, more, at=at)
            parameters = wider(parameters, f"up.{layer}.bias", 0, more, at=at)
        for name in ("mlp.0.weight", "buy.weight"):
            parameters = wider(parameters, name, 1, more, at=at)
    parameters = wider(parameters, "buy.weight", 1, told.hidden[-1] - made.hidden[-1])
    form = Stack(told.hidden, told.adapters, told.blocks)
    return grown_stack(parameters, "mlp", form, outputs=False)


def _more_crosses(parameters: Parameters, told: Settings) -> Parameters:
    """Crosses of a higher rank, and more of them, which multiply by nothing at first."""
    size = parameters.weights["mlp.0.weight"].shape[1]
    for layer in range(told.cross_layers):
        down, up = f"down.{layer}.weight", f"up.{layer}"
        if down in parameters.weights:
            more = told.cross_rank - len(parameters.weights[down])
            parameters = wider(parameters, down, 0, more, bound=size**-0.5)
            parameters = wider(parameters, f"{up}.weight", 1, more)
            continue
        new = {
            down: drawn(down, (told.cross_rank, size), size**-0.5),
            f"{up}.weight": np.zeros((size, told.cross_rank), np.float32),
            f"{up}.bias": np.zeros(size, np.float32),
        }
        parameters = with_weights(parameters, new)
    return parameters

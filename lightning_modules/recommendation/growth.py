"""Whether what a bundle holds fits the settings, and the network that grows to larger ones."""

from pathlib import Path
from typing import Any

from lightning_modules.files import refuse_other_settings
from lightning_modules.growth import SMALL, Stack, grown_stack, stack_of, wider
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.memory import Memory
from lightning_modules.recommendation.settings import Settings

GROWING = ("hidden", "width", "adapters", "blocks")  # settings that may become larger


def refuse_other(
    settings: Settings, parameters: Parameters, memory: Memory, directory: Path
) -> None:
    """Raise LearnerFileError if other settings, or larger ones, made what `directory` holds.

    An untrained learner has no network yet, which any settings may make.
    """
    shown: dict[str, Any] = {"sampling_share": memory.replay.sampling_share}
    if weights := parameters.weights:
        shown |= vars(stack_of(weights, "mlp")) | {"width": weights["user.weight"].shape[1]}
        shown["hidden"] = type(settings.hidden)(shown["hidden"])
    refuse_other_settings(directory, shown, settings, GROWING)


def enlarged(parameters: Parameters, settings: Settings) -> Parameters:
    """The parameters in the sizes of the settings, where these are larger: they say the same.

    New columns of the users' embeddings meet zeros in the items'.
    """
    told = Stack(tuple(settings.hidden), settings.adapters, settings.blocks)
    more = settings.width - parameters.weights["user.weight"].shape[1]
    parameters = grown_stack(parameters, "mlp", told)
    parameters = wider(parameters, "user.weight", 1, more, bound=SMALL)
    return wider(parameters, "item.weight", 1, more)

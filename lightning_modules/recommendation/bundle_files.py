"""The memory's file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lightning_modules import files
from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation.lists import as_arrays, from_arrays
from lightning_modules.recommendation.memory import Memory

PARTS = ("replay", "frozen")


def save_memory(memory: Memory, path: Path) -> None:
    """Write both parts and what the policy needs; the same content gives the same bytes."""
    arrays = {
        f"{part}/{name}": np.ascontiguousarray(array)
        for part in PARTS
        for name, array in as_arrays(getattr(memory, part)).items()
    }
    if memory.moments is not None:
        arrays["moments"] = memory.moments
    save_file(arrays, path)


def load_memory(memory: Memory, path: Path, user_ids: NDArray[np.object_], width: int) -> None:
    """Put what `save_memory` wrote into `memory`; `user_ids` names the user rows.

    Raises LearnerFileError if its lists have other features than the `width` this learner makes.
    """
    arrays = files.read_arrays(path)
    for part in PARTS:
        lists = from_arrays(files.part(arrays, part), user_ids)
        if lists.features.shape[1] != width:
            raise LearnerFileError(
                f"{path}: {lists.features.shape[1]} features, this code makes {width}; "
                "bootstrap a new line"
            )
        setattr(memory, part, lists)
    memory.moments = arrays.get("moments")

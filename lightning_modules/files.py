"""Arrays in safetensors files."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lightning_modules.learner import LearnerFileError


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """A safetensors file's arrays; raises LearnerFileError if there is no such file in order."""
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError) as error:
        message = f"{path}: not a readable safetensors file ({error}); restore the bundle"
        raise LearnerFileError(message) from error
    return arrays

"""Arrays in safetensors files."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lightning_modules.learner import LearnerFileError

GROWTH = "a network can grow by wider layers, adapters and blocks, and never shrinks"


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """A safetensors file's arrays; raises LearnerFileError if there is no such file in order."""
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError) as error:
        message = f"{path}: not a readable safetensors file ({error}); restore the bundle"
        raise LearnerFileError(message) from error
    return arrays


def part(arrays: dict[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    """Those of the arrays that are called `<name>/...`, by the rest of their names."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def refuse_other_settings(
    directory: Path, made_with: dict[str, Any], settings: Any, growing: tuple[str, ...] = ()
) -> None:
    """Raise LearnerFileError if a setting is another one than the files in `directory` show.

    Those in `growing` may be larger: the network grows when it learns next.
    """
    for name, made in made_with.items():
        told = getattr(settings, name)
        if made == told or (name in growing and _no_smaller(told, made)):
            continue
        raise LearnerFileError(
            f"{directory}: made with {name} = {made}, but the settings say {told}; "
            "put params.yaml back, or bootstrap a new line in a workspace of its own"
            + (f" ({GROWTH})" if name in growing else "")
        )


def _no_smaller(told: Any, made: Any) -> bool:
    """Whether a number, or each of as many widths, is at least what it was."""
    if isinstance(made, int):
        return bool(told >= made)
    return len(told) == len(made) and all(b >= a for a, b in zip(made, told, strict=True))

"""Training lists as arrays: joining them, and keeping them in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lightning_modules.learner import Examples, LearnerFileError, starts

PER_LIST = ("keys", "users", "bought", "bought_again")
PER_ROW = ("items", "features", "labels", "personal")
SHARES = ("negative_share", "sampling_share")


def joined(parts: Sequence[Examples]) -> Examples:
    """The lists of all parts, in order.

    Raises:
        ValueError: if the parts hold different shares of negatives: their losses do not compare.
    """
    if len({part.negative_share for part in parts}) > 1:
        raise ValueError("whole lists and sampled ones do not join: take the training part of all")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("user_ids", *PER_LIST, *PER_ROW)
    }
    lengths = np.concatenate([part.lengths for part in parts])
    return Examples(
        offsets=starts(lengths),
        negative_share=parts[0].negative_share,
        sampling_share=parts[0].sampling_share,
        **columns,
    )


def no_lists(width: int, negative_share: float, sampling_share: float) -> Examples:
    """Lists of `width` features, none of them there yet."""
    return Examples(
        user_ids=np.zeros(0, object),
        keys=np.zeros(0, np.uint64),
        users=np.zeros(0, np.int32),
        offsets=np.zeros(1, np.int64),
        items=np.zeros(0, np.int32),
        features=np.zeros((0, width), np.float16),
        labels=np.zeros(0, bool),
        personal=np.zeros(0, bool),
        bought=np.zeros(0, np.int32),
        bought_again=np.zeros(0, np.int32),
        negative_share=negative_share,
        sampling_share=sampling_share,
    )


def as_arrays(lists: Examples) -> dict[str, NDArray[Any]]:
    """All but the user ids, which follow from the user rows and the vocabulary."""
    arrays = {name: getattr(lists, name) for name in (*PER_LIST, *PER_ROW, "offsets")}
    arrays["shares"] = np.array([getattr(lists, name) for name in SHARES])
    return arrays


def from_arrays(arrays: dict[str, NDArray[Any]], user_ids: NDArray[np.object_]) -> Examples:
    """What `as_arrays` took apart; `user_ids` names the user rows."""
    columns = {name: arrays[name] for name in (*PER_LIST, *PER_ROW, "offsets")}
    negative, sampling = (float(share) for share in arrays["shares"])
    return Examples(
        user_ids=user_ids[columns["users"]],
        negative_share=negative,
        sampling_share=sampling,
        **columns,
    )


def spool(lists: Examples, path: Path) -> None:
    """Write the training part of a day's lists for `Learner.fit`."""
    arrays = as_arrays(lists.training_part())
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def unspool(path: Path) -> Examples:
    """Read a spooled day; the user ids are left empty."""
    arrays = read_arrays(path)
    nameless = np.full(int(arrays["users"].max(initial=-1)) + 1, "", object)
    return from_arrays(arrays, nameless)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """A safetensors file's arrays; raises LearnerFileError if there is no such file in order."""
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError) as error:
        message = f"{path}: not a readable safetensors file ({error}); restore the bundle"
        raise LearnerFileError(message) from error
    return arrays

"""The memories' file, and whether a learner's files fit each other and the settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.features import FEATURES, USER
from lightning_modules.behavior.growth import GROWING, made_with
from lightning_modules.behavior.memory import Memory
from lightning_modules.behavior.views import Views, read_views, write_views
from lightning_modules.files import refuse_other_settings
from lightning_modules.learner import LearnerFileError

if TYPE_CHECKING:
    from lightning_modules.behavior.learner import BehaviorLearner

OF_UNITS = ("keys", "users", "per_unit")


def save_memory(memory: Memory, path: Path) -> None:
    """Write both memories and what the policy needs."""
    parts = {"replay": memory.replay, "frozen": memory.frozen}
    views = {name: units.views for name, units in parts.items()}
    more = {f"{name}/{n}": getattr(u, n) for name, u in parts.items() for n in OF_UNITS}
    if memory.moments is not None:
        more["moments"] = memory.moments
    write_views(path, views, **more)


def load_memory(memory: Memory, path: Path, names: NDArray[np.object_]) -> None:
    """Read what `save_memory` wrote; `names` are the ids of the user rows.

    Raises:
        LearnerFileError: if the file is missing or has another form.
    """
    parts, arrays = read_views(path, ["replay", "frozen"])
    for name in ("replay", "frozen"):
        try:
            of_units = {column: arrays[f"{name}/{column}"] for column in OF_UNITS}
        except KeyError as error:
            raise LearnerFileError(f"{path}: lacks {error}; restore the bundle") from error
        setattr(memory, name, training_units(parts[name], of_units, names))
    memory.moments = arrays.get("moments")


def training_units(
    views: Views, arrays: dict[str, NDArray[Any]], names: NDArray[np.object_]
) -> UserDays:
    """Units in their training form; `names` are the ids of the user rows, or none at all."""
    users = arrays["users"]
    return UserDays(
        unit_ids=names[users] if len(names) else np.full(len(users), "", object),
        keys=arrays["keys"],
        users=users,
        per_unit=arrays["per_unit"],
        views=views,
        served=np.zeros((len(users), 0), np.float16),
        bought=np.zeros((len(users), 0), bool),
    )


def refuse_unfit(learner: "BehaviorLearner", directory: Path) -> None:
    """Raise LearnerFileError if the files are not of one learner with these settings."""
    state = learner.known.state
    kinds = len(state.categories.row)
    views = learner.waiting.views
    if state.chosen and (views.inputs.shape[1], views.features.shape[1]) != (
        len(USER) + 2 * kinds,
        len(FEATURES),
    ):
        raise LearnerFileError(
            f"{directory}: the waiting rows have other features than this code makes; "
            "bootstrap a new line"
        )
    if state.chosen and kinds > learner.settings.categories:
        raise LearnerFileError(
            f"{directory}: {kinds} categories are judged, but the settings say "
            f"{learner.settings.categories}; put params.yaml back, or bootstrap a new line"
        )
    refuse_other_settings(directory, _made_with(learner), learner.settings, GROWING)


def _made_with(learner: "BehaviorLearner") -> dict[str, Any]:
    """The settings that show in the arrays; an untrained learner has no network."""
    past, weights = learner.known.sequences.past, learner.parameters.weights
    shown: dict[str, Any] = {"past_events": past.kind.shape[1], "terms": past.term.shape[2]}
    shown["term_buckets"] = learner.known.words.buckets
    shown["next_events"] = learner.waiting.views.next_kind.shape[1]
    if weights:
        shown |= made_with(weights, learner.settings)
    return shown

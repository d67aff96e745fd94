"""From a verified bundle to a learner, and from a day to what the learner sees of it."""

import copy
import functools
import importlib
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.hashing import in_holdout
from lightning_modules.learner import Examples, Learner, ShopDay
from tasks import bundle
from tasks.days import read_events, read_items, read_prices
from tasks.params import ApplicationParams, Params
from tasks.records import Increment, Metrics


def learner_class(params: ApplicationParams) -> type[Learner]:
    """The class that params.yaml names as `module:Class`."""
    module, name = params.learner.split(":")
    return cast("type[Learner]", getattr(importlib.import_module(module), name))


def open_learner(directory: Path, params: ApplicationParams, version: str = "") -> Learner:
    """A learner of the caller's own, of that version if one is named.

    Raises CorruptBundleError before anything is parsed.
    """
    bundle.verify(directory, version=version)
    return learner_class(params).load(directory, params.settings)


def read_day(increment: Increment) -> ShopDay:
    """All that a learner may know of the day; errors as for `days.read_events`."""
    tables = (read_events(increment), read_items(increment), read_prices(increment))
    return ShopDay(increment.day, *tables)


def champion(increment: Increment, params: Params, where: Path) -> Learner:
    """The parent, shared by the steps that only ask it; nobody trains this one."""
    section = params.application(increment.application)
    return _champion(where.resolve() / "parent", increment.parent, section.model_dump_json())


def examples(increment: Increment, params: Params, where: Path) -> Examples:
    """The day as the parent's state sees it, before any row of the day is in it."""
    section = params.application(increment.application)
    return _examples(where.resolve(), increment.model_dump_json(), section.model_dump_json())


# Several steps of an increment ask for the same two things, which are costly to make and which
# nobody changes. Bundles are immutable, so a pinned version and settings say all about them.
@functools.lru_cache(maxsize=1)
def _champion(place: Path, version: str, section: str) -> Learner:
    manifest = bundle.verify(place)
    if manifest.version != version:
        raise bundle.CorruptBundleError(
            f"{place} holds version {manifest.version}, but {version} is pinned: "
            "run `dvc checkout`"
        )
    params = ApplicationParams.model_validate_json(section)
    return learner_class(params).load(place, params.settings)


@functools.lru_cache(maxsize=1)
def _examples(where: Path, pin: str, section: str) -> Examples:
    increment = Increment.model_validate_json(pin)
    learner = _champion(where / "parent", increment.parent, section)
    examples: Examples = learner.examples(read_day(increment))
    return examples


def with_version(learner: Learner, directory: Path, version: str) -> Learner:
    """The same state under a version's parameters; CorruptBundleError as for `open_learner`."""
    bundle.verify(directory, version=version)
    return with_parameters(learner, directory)


def with_parameters(learner: Learner, directory: Path) -> Learner:
    """The same state under parameters made in this increment; the learner stays as it is."""
    other = copy.copy(learner)
    other.load_parameters(directory)
    return other


def held_out(seen: Examples, share: float) -> NDArray[np.bool_]:
    """Which units (L,) the update does not see: a fixed share, by hash of day and unit."""
    return in_holdout(seen.keys, share)


def mean_quality(quality: pd.DataFrame) -> Metrics:
    """Means over the day's units of every metric; what is undefined for all is left out."""
    means = quality.drop(columns="unit").mean()
    return {str(name): round(float(value), 6) for name, value in means.items() if pd.notna(value)}

"""A save that ends well and wrote nothing, or not what it was given: no version comes of it."""

import os
from collections.abc import Callable

import pytest

from lightning_modules.learner import LearnerFileError
from lightning_modules.parameters import MODEL_FILE, Parameters
from lightning_modules.recommendation.learner import RecommendationLearner
from tasks.bundle import CorruptBundleError
from tests.line import Place, attempt, settle
from tests.tasks.test_roll_back import go_back

pytestmark = pytest.mark.fault(4)
Patch = pytest.MonkeyPatch


def loses_the_disk(patch: Patch) -> None:
    """The disk says that it has written, and has cut the file to nothing."""
    sync = os.fsync

    def lost(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 10_000:
            os.ftruncate(descriptor, 0)
        sync(descriptor)

    patch.setattr(os, "fsync", lost)


def loses_the_weights(patch: Patch) -> None:
    """As Lightning's checkpoints do where they may not write: no file, and no error."""
    patch.setattr(Parameters, "save", lambda self, directory: None)


def writes_half_a_learner(patch: Patch) -> None:
    """All but one file."""
    save = RecommendationLearner.save

    def half(self: RecommendationLearner, directory: object) -> None:
        save(self, directory)  # type: ignore[arg-type]
        (directory / MODEL_FILE).unlink()  # type: ignore[operator]

    patch.setattr(RecommendationLearner, "save", half)


SAVES = [
    (loses_the_disk, CorruptBundleError, "has 0 bytes instead of"),
    (loses_the_weights, LearnerFileError, r"model\.safetensors: not a readable"),
    (writes_half_a_learner, LearnerFileError, r"model\.safetensors: not a readable"),
]


@pytest.mark.parametrize(("fault", "error", "said"), SAVES)
def test_no_increment_is_committed(
    fault: Callable[[Patch], None],
    error: type[Exception],
    said: str,
    evening: Place,
    monkeypatch: Patch,
) -> None:
    truth = evening.ledger.contents()
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(error, match=said):
            settle(evening, attempt(), "promote")
    assert evening.ledger.contents() == truth


@pytest.mark.parametrize(("fault", "error", "said"), SAVES)
def test_no_rollback_is_committed(
    fault: Callable[[Patch], None],
    error: type[Exception],
    said: str,
    seasoned: Place,
    monkeypatch: Patch,
) -> None:
    truth = seasoned.ledger.contents()
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(error, match=said):
            go_back(seasoned, "keep")
    assert seasoned.ledger.contents() == truth

"""What the night would start from is missing, or another's: a hard stop, and no new version."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from lightning_modules.learner import LearnerFileError
from tasks import bundle, workspace
from tasks.attempt import open_attempt
from tasks.bundle import CorruptBundleError
from tasks.manifest import ManifestFields
from tasks.params import ApplicationParams
from tests.line import APPLICATION, Place, learn, run_steps


def stops(place: Place, error: type[Exception], said: str) -> None:
    """The night raises; ledger and store are as they were."""
    truth, there = place.ledger.contents(), sorted(workspace.BUNDLES.glob("*/*"))
    with pytest.raises(error, match=said):
        learn(place)
    assert place.ledger.contents() == truth
    assert sorted(workspace.BUNDLES.glob("*/*")) == there


@pytest.mark.fault(7)
def test_a_missing_parent_is_no_cold_start(seasoned: Place) -> None:
    shutil.rmtree(seasoned.head)
    stops(seasoned, CorruptBundleError, "cursor.json cannot be read.*restore the version")


@pytest.mark.fault(7)
def test_a_missing_anchor_stops_the_night_too(seasoned: Place) -> None:
    shutil.rmtree(seasoned.bundle(seasoned.line.anchor))
    stops(seasoned, CorruptBundleError, r"manifest\.json is missing.*restore the version")


@pytest.mark.fault(8)
def test_another_version_under_the_parents_name(seasoned: Place) -> None:
    shutil.rmtree(seasoned.head)
    shutil.copytree(seasoned.bundle(seasoned.line.anchor), seasoned.head)
    stops(seasoned, CorruptBundleError, f"is of version '{seasoned.line.anchor}', not '")


def with_settings(place: Place, **settings: object) -> Place:
    """The same workspace, where params.yaml says something else of the network."""
    section: ApplicationParams = place.params.application(APPLICATION)
    other = section.model_copy(update={"settings": section.settings | settings})
    params = place.params.model_copy(update={"applications": {APPLICATION: other}})
    return replace(place, params=params)


@pytest.mark.fault(8)
@pytest.mark.parametrize(
    "settings", [{"hidden": [16, 8]}, {"hidden": [8]}, {"width": 2}, {"sampling_share": 0.25}]
)
def test_a_parent_of_another_architecture(seasoned: Place, settings: dict[str, object]) -> None:
    stops(with_settings(seasoned, **settings), LearnerFileError, "|".join(settings))


def other_vocabulary(draft: Path, other: Path) -> None:
    """One customer fewer than there are rows of state."""
    names = json.loads((other / "vocabulary.json").read_text())
    names["users"].pop()
    (draft / "vocabulary.json").write_text(json.dumps(names))


def other_moments(draft: Path, other: Path) -> None:
    """The optimizer's state of a table of another size."""
    shutil.copyfile(other / "learner.safetensors", draft / "learner.safetensors")
    arrays = load_file(draft / "learner.safetensors")
    arrays["exp_avg/mlp.0.weight"] = arrays["exp_avg/mlp.0.weight"][:1].copy()
    (draft / "learner.safetensors").unlink()
    save_file(arrays, draft / "learner.safetensors")


@pytest.mark.fault(8)
@pytest.mark.parametrize(
    ("swap", "said"),
    [(other_vocabulary, "restore the bundle"), (other_moments, "fits no weight")],
)
def test_files_of_two_versions_with_a_right_manifest(
    seasoned: Place, swap: Callable[[Path, Path], None], said: str, tmp_path: Path
) -> None:
    """Put together by hand and stored anew: each digest is right, and it is refused still."""
    draft = tmp_path / "draft"
    shutil.copytree(seasoned.head, draft, copy_function=shutil.copyfile)
    (draft / bundle.MANIFEST).unlink()
    swap(draft, seasoned.bundle(seasoned.line.anchor))
    told = bundle.read_manifest(seasoned.head).model_dump(include=set(ManifestFields.model_fields))
    made = bundle.store(draft, ManifestFields(**told), workspace.BUNDLES)
    increment = seasoned.due().model_copy(update={"parent": made.version})
    with pytest.raises(LearnerFileError, match=said):
        run_steps(increment, seasoned.params, open_attempt(increment))

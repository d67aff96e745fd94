"""An attempt's folder: verified versions, fresh for each run, nothing left of a dry one."""

import pytest

from tasks import bundle, workspace
from tasks.attempt import PIN, fresh_folder, open_attempt, open_preview
from tasks.bundle import CorruptBundleError
from tasks.records import Increment
from tests.line import APPLICATION, Place


def test_versions_are_linked_and_the_increment_is_pinned(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    for role in ("parent", "predecessor", "anchor"):
        assert bundle.verify(where / role, version=getattr(increment, role))
    assert Increment.read(where / PIN) == increment
    linked = where / "parent" / "model.safetensors"
    assert linked.samefile(seasoned.head / "model.safetensors")


def test_what_killed_runs_left_is_removed(place: Place) -> None:
    left = open_attempt(place.due())
    where = fresh_folder(APPLICATION)
    assert list((workspace.ATTEMPTS / APPLICATION).iterdir()) == [where]
    assert not left.exists()
    assert list(where.iterdir()) == []
    assert bundle.verify(place.head)  # the links went, the version did not


@pytest.mark.parametrize("role", ["parent", "anchor"])
def test_a_damaged_version_stops_the_night_before_it_begins(seasoned: Place, role: str) -> None:
    increment = seasoned.due()
    damaged = seasoned.bundle(getattr(increment, role)) / "state.safetensors"
    damaged.chmod(0o644)
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(CorruptBundleError, match=r"state\.safetensors has sha256"):
        open_attempt(increment)


def test_a_preview_lies_outside_and_goes(place: Place) -> None:
    with open_preview(place.due()) as where:
        assert bundle.verify(where / "parent", version=place.line.head)
        assert place.root not in where.resolve().parents
        (where / "plan.json").write_text("{}")
    assert not where.exists()
    assert list((workspace.ATTEMPTS / APPLICATION).glob("*/*")) == []

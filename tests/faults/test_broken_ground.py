"""The fault is ours, not the day's: nothing is learned or set aside until it is mended."""

import shutil
from pathlib import Path

import pytest

from tasks import workspace
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, check_whole

pytestmark = pytest.mark.slow
DIVERGING = """
from lightning_modules.recommendation.network import Ranker
loss = Ranker.loss
Ranker.loss = lambda self, batch: loss(self, batch) * float("nan")
from flows.daily import daily_increment
daily_increment()
"""


def flip(path: Path) -> None:
    """Another last bit in the middle of a file; again, and it is as before."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def refused(place: Place, flows: Flows, *said: str) -> None:
    """A run that ends badly, says why and how to mend it, and leaves the ledger as it was."""
    truth = place.ledger.contents()
    done = flows.daily()
    assert done.code != 0, done.said
    for words in said:
        assert words in done.said
    assert place.ledger.contents() == truth


@pytest.mark.fault(6)
def test_a_loss_that_is_not_a_number(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    before, weights = caught_up.line, (caught_up.head / "model.safetensors").read_bytes()
    done = flows.run("-c", DIVERGING)
    assert done.code != 0
    assert f"{nth(5)}: the fit diverged: the loss of step 0 is nan" in done.said
    assert "See the verdict of the day" in done.said
    after = caught_up.line
    assert (after.champion, after.day) == (before.champion, nth(5))
    assert (caught_up.head / "model.safetensors").read_bytes() == weights
    assert caught_up.ledger.fates(APPLICATION)[nth(5)].action == "keep"
    land_days(caught_up, 6)
    flows.learn()
    assert caught_up.ledger.fates(APPLICATION)[nth(6)].action == "promote"


@pytest.mark.parametrize("name", ["model.safetensors", "vocabulary.json"])
def test_a_damaged_parent(name: str, caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    head = caught_up.head
    flip(head / name)
    refused(caught_up, flows, str(head), f"{name} has sha256", "restore the version")
    flip(head / name)
    flows.learn()
    assert caught_up.line.day == nth(5)


@pytest.mark.fault(7)
def test_a_lost_head_comes_back_from_the_remote(caught_up: Place, flows: Flows) -> None:
    """By the commands of docs/how-to/run-it.md, with nothing of it left in the workspace."""
    land_days(caught_up, 5)
    head, shown = caught_up.head, Path("increments") / APPLICATION / "head"
    for lost in (head, shown, Path(".dvc/cache")):
        shutil.rmtree(lost)
    refused(caught_up, flows, str(head), "restore the version")
    flows.dvc("pull", "--force")
    shutil.copytree(shown, head)
    flows.learn()
    assert caught_up.line.day == nth(5)
    check_whole(caught_up)


def test_no_registry(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    aside = workspace.REGISTRY.rename(caught_up.root.with_name("registry aside"))
    refused(caught_up, flows, "there is no data registry at", "Run `make registry` to build it")
    aside.rename(workspace.REGISTRY)
    flows.learn()
    assert caught_up.line.day == nth(5)


@pytest.mark.fault(7)
def test_no_champion(empty_place: Place, flows: Flows) -> None:
    refused(
        empty_place, flows, "'recommendation' has no champion yet", "python -m flows.bootstrap"
    )
    done = flows.run("-m", "flows.bootstrap")
    assert done.code == 0, done.said
    assert empty_place.line.day == nth(0)

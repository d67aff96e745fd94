"""A day that cannot be learned: said clearly, set aside, champion untouched; then on as before."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tasks import git, land, workspace
from tasks.sources import open_source
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows

pytestmark = pytest.mark.slow


def land_changed(place: Place, number: int, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Land a day with its events changed; pulling is left to the flow."""
    frames = open_source(place.params.shop.source).read_day(nth(number))
    land.land_frames(nth(number), replace(frames, events=edit(frames.events)))


def refused(place: Place, flows: Flows, *said: str) -> None:
    """A run that ends badly, says why, and leaves the line where it was."""
    before = place.line
    done = flows.daily()
    assert done.code != 0, done.said
    for words in said:
        assert words in done.said
    assert place.line.model_copy(update={"sequence": before.sequence}) == before


def set_shop(place: Place, **settings: object) -> None:
    """Other settings of the shop in params.yaml."""
    params = yaml.safe_load((place.root / "params.yaml").read_text())
    params["shop"] |= settings
    (place.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def fate(place: Place, number: int) -> str:
    """What became of a day."""
    return place.ledger.fates(APPLICATION)[nth(number)].outcome


@pytest.mark.fault(13)
def test_a_missing_column(caught_up: Place, flows: Flows) -> None:
    land_changed(caught_up, 5, lambda events: events.drop(columns="user_id"))
    refused(caught_up, flows, "breaks the contract: column 'user_id' is missing")
    assert fate(caught_up, 5) == "quarantined"
    land_days(caught_up, 5, 6)  # the correction, and the day after it
    flows.learn()
    assert (fate(caught_up, 5), fate(caught_up, 6)) == ("learned", "learned")


@pytest.mark.fault(13)
def test_a_file_that_is_no_parquet(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    path = workspace.DATA / workspace.partition("events", nth(5))
    (workspace.REGISTRY / path).unlink()
    (workspace.REGISTRY / path).write_bytes(b"half a file")
    workspace.track(workspace.REGISTRY, [path])
    git.commit_as_of(workspace.REGISTRY, "a bad export", nth(5))
    refused(caught_up, flows, f"{path} is not readable as Parquet", "Land the day again")
    assert fate(caught_up, 5) == "quarantined"
    land_days(caught_up, 5)
    flows.learn()
    assert fate(caught_up, 5) == "learned"


@pytest.mark.fault(19)
@pytest.mark.parametrize("landed", [True, False])
def test_a_day_that_does_not_come(landed: bool, caught_up: Place, flows: Flows) -> None:
    """Without rows, or without a file: waited for, then set aside, then the others are learned."""
    if landed:
        land_changed(caught_up, 5, lambda events: events.head(0))
    state = f"{nth(5)} has no rows" if landed else f"{nth(5)} was not landed"
    land_days(caught_up, 6, 7)
    said = flows.learn()
    assert f"{state}; later days wait for it until 2 days have passed" in said
    assert caught_up.line.day == nth(4)
    land_days(caught_up, 8)
    refused(caught_up, flows, state, "shop.lateness_days is 2", "add it to shop.closed_days")
    assert fate(caught_up, 5) == "quarantined"
    flows.learn()
    assert caught_up.line.day == nth(8)
    assert fate(caught_up, 6) == "learned"


@pytest.mark.fault(13)
def test_a_closed_day_is_a_learned_empty_day(caught_up: Place, flows: Flows) -> None:
    """Day 5 has no file, day 6 has one without rows."""
    set_shop(caught_up, closed_days=[str(nth(5)), str(nth(6))])
    land_changed(caught_up, 6, lambda events: events.head(0))
    land_days(caught_up, 7)
    champion = caught_up.line.champion
    weights = (caught_up.head / "model.safetensors").read_bytes()
    flows.learn()
    fates = caught_up.ledger.fates(APPLICATION)
    assert [fates[nth(number)].action for number in (5, 6)] == ["keep", "keep"]
    assert [fates[nth(number)].rows for number in (5, 6)] == [0, 0]
    assert fate(caught_up, 7) == "learned"
    empty = caught_up.bundle(fates[nth(6)].version or "") / "model.safetensors"
    assert empty.read_bytes() == weights
    assert champion in [entry.version for entry in caught_up.ledger.champions(APPLICATION)]
    assert flows.dvc("status", "--quiet") == ""


def flip_silently(path: Path) -> None:
    """Another bit, as a failing disk leaves it: DVC, which looks at times and sizes, sees none."""
    times, content = path.stat(), bytearray(path.read_bytes())
    content[100] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(times.st_mode)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.fault(11)
def test_a_damaged_partition_is_mended_as_the_message_says(caught_up: Place, flows: Flows) -> None:
    land_days(caught_up, 5)
    assert flows.run("-m", "tasks.pull").code == 0
    path = workspace.DATA / workspace.partition("events", nth(5))
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    cached = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    flip_silently(path)
    flip_silently(cached)
    truth = caught_up.ledger.contents()
    refused(caught_up, flows, f"{path} has md5", f"the data version locks {md5}", "dvc pull")
    assert caught_up.ledger.contents() == truth  # the day itself is good
    path.unlink()
    cached.unlink()
    flows.dvc("pull", "data.dvc", "--force")
    flows.learn()
    assert fate(caught_up, 5) == "learned"


@pytest.mark.fault(13)
def test_days_that_wait_and_an_operator_who_gives_the_bad_one_up(
    caught_up: Place, flows: Flows
) -> None:
    set_shop(caught_up, on_quarantine="wait")
    land_changed(caught_up, 5, lambda events: events.drop(columns="user_id"))
    land_days(caught_up, 6)
    refused(caught_up, flows, "column 'user_id' is missing")
    truth = caught_up.ledger.contents()
    refused(
        caught_up, flows, f"{nth(6)} and later days wait for {nth(5)}", "python -m flows.settle"
    )
    assert caught_up.ledger.contents() == truth
    settle = ["-m", "flows.settle", "--application", APPLICATION, "--day", str(nth(5))]
    why = ["--reason", "the till was broken"]
    done = flows.run(*settle, "--decision", "release", *why)
    assert done.code != 0
    assert "column 'user_id' is missing" in done.said
    assert caught_up.ledger.contents() == truth
    done = flows.run(*settle, "--decision", "give_up", *why)
    assert done.code == 0, done.said
    flows.learn()
    assert (fate(caught_up, 5), fate(caught_up, 6)) == ("given_up", "learned")
    assert flows.dvc("status", "--quiet") == ""


@pytest.mark.fault(16)
def test_a_corrected_day_is_learned_in_its_place_by_the_next_run(
    caught_up: Place, flows: Flows
) -> None:
    set_shop(caught_up, on_correction="relearn")
    before = caught_up.line.head
    land_changed(caught_up, 3, lambda events: events.iloc[:-5])
    said = flows.run("-m", "flows.daily", "--dry-run").said
    assert f"It would go back before {nth(3)}, which was landed again" in said
    flows.learn()
    assert caught_up.line.day == nth(4)
    assert caught_up.line.head != before
    back = caught_up.ledger.champions(APPLICATION)
    assert [entry.reason for entry in back if entry.actor == "daily increment"].count(
        f"{nth(3)} landed again with other content"
    ) == 1
    assert flows.dvc("status", "--quiet") == ""
    assert "nothing to learn" in flows.learn()

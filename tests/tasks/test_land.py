"""Landing: a day becomes one revision, once, and the registry is the same on every machine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from tasks import git, land, workspace
from tasks.sources import Source, SourceError, open_source
from tests.shop import FIRST_DAY, write_shop

HISTORY_UNTIL = FIRST_DAY + timedelta(days=4)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    settings = write_shop(tmp_path / "shop", users=12, items=16, days=7)
    place = tmp_path / "workspace"
    place.mkdir()
    (place / "data.dvc").write_text((ROOT / "data.dvc").read_text())
    monkeypatch.chdir(place)
    yield settings


def history(settings: dict[str, Any]) -> Source:
    source = open_source(settings)
    land.build_registry(source, HISTORY_UNTIL)
    return source


def test_history_is_one_commit_the_same_each_time(shop: dict[str, Any]) -> None:
    source = open_source(shop)
    first = land.build_registry(source, HISTORY_UNTIL)
    assert land.build_registry(source, HISTORY_UNTIL) == first  # it is there already
    workspace.REGISTRY.rename("elsewhere")
    assert land.build_registry(open_source(shop), HISTORY_UNTIL) == first
    log = git.git(workspace.REGISTRY, "log", "--format=%an %aI %s").splitlines()
    rows = sum(len(source.read_day(day).events) for day in source.days()[:4])
    message = f"data: 2024-01-01 to 2024-01-04, {rows} events"
    assert log == [f"dayshift 2024-01-04T23:59:59+00:00 {message}"]


def test_an_interrupted_build_is_started_again(shop: dict[str, Any]) -> None:
    leftover = workspace.VAR / "registry.draft" / "data" / "events" / "half.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    history(shop)
    files = workspace.locked_files(workspace.REGISTRY)
    assert {path.split("/")[-1] for path in files} == {"part-0.parquet"}


@pytest.mark.fault(15)
def test_a_landed_day_is_one_revision_and_again_nothing(shop: dict[str, Any]) -> None:
    source = history(shop)
    before = git.head(workspace.REGISTRY)
    landing = land.land_day(source, HISTORY_UNTIL)
    assert (landing.status, landing.rows) == ("landed", len(source.read_day(HISTORY_UNTIL).events))
    assert git.git(workspace.REGISTRY, "rev-parse", "HEAD^") == before
    again = land.land_day(open_source(shop), HISTORY_UNTIL)
    assert (again.status, again.revision) == ("unchanged", landing.revision)


def test_changed_bytes_are_a_correction(shop: dict[str, Any]) -> None:
    landing = land.land_day(history(shop), HISTORY_UNTIL)
    file = Path(shop["events"]) / f"{HISTORY_UNTIL}.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    corrected = land.land_day(open_source(shop), HISTORY_UNTIL)
    assert (corrected.status, corrected.rows) == ("corrected", landing.rows - 1)
    assert corrected.revision != landing.revision


def test_a_killed_landing_is_healed_by_the_next(shop: dict[str, Any]) -> None:
    source = history(shop)
    clean = workspace.locked_files(workspace.REGISTRY)
    half = workspace.REGISTRY / "data" / workspace.partition("events", HISTORY_UNTIL)
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half a partition")
    (workspace.REGISTRY / "data.dvc").write_text("outs: []\n")
    (workspace.REGISTRY / ".git" / "index.lock").touch()
    other = HISTORY_UNTIL + timedelta(days=1)
    land.land_day(source, other)
    added = workspace.locked_files(workspace.REGISTRY).keys() - clean.keys()
    assert added == {workspace.partition(table, other) for table in ("events", "items")}
    assert not half.exists()


def test_a_day_without_events_still_says_so(shop: dict[str, Any]) -> None:
    landing = land.land_day(history(shop), date(2024, 3, 1))
    assert (landing.status, landing.rows) == ("landed", 0)
    path = workspace.REGISTRY / "data" / workspace.partition("events", date(2024, 3, 1))
    assert pq.read_table(path, partitioning=None, use_threads=False).num_rows == 0


def test_a_missing_column_lands_for_the_contract_to_find(shop: dict[str, Any]) -> None:
    file = Path(shop["events"]) / f"{HISTORY_UNTIL}.csv"
    pd.read_csv(file, dtype="str").drop(columns="unit_price").to_csv(file, index=False)
    land.land_day(history(shop), HISTORY_UNTIL)
    path = workspace.REGISTRY / "data" / workspace.partition("events", HISTORY_UNTIL)
    assert "price" not in pq.read_schema(path).names


def test_without_a_registry_the_cure_is_named(shop: dict[str, Any]) -> None:
    with pytest.raises(workspace.MissingRegistryError, match="make registry"):
        land.land_day(open_source(shop), FIRST_DAY)


@pytest.mark.slow
def test_the_real_registry_is_the_commit_that_data_dvc_locks(shop: dict[str, Any]) -> None:
    locked = yaml.safe_load((ROOT / "data.dvc").read_text())["deps"][0]["repo"]["rev_lock"]
    source = open_source({"kind": "complete_journey"})
    assert land.build_registry(source, date(2017, 10, 1)) == locked


@pytest.mark.fault(13)
def test_a_column_of_another_type_is_named_and_nothing_is_landed(shop: dict[str, Any]) -> None:
    source = history(shop)
    before = git.head(workspace.REGISTRY)
    known = workspace.locked_files(workspace.REGISTRY)
    day = source.days()[4]
    frames = source.read_day(day)
    prices = pd.Series(["2,50"] * len(frames.events), dtype="str")
    bad = replace(frames, events=frames.events.assign(price=prices))
    with pytest.raises(
        SourceError, match=r"events: column 'price' is not of type double.*nothing"
    ):
        land.land_frames(day, bad)
    assert git.head(workspace.REGISTRY) == before
    assert workspace.locked_files(workspace.REGISTRY) == known
    assert land.land_day(source, day).status == "landed"

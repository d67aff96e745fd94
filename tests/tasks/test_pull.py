"""Pull: data moves to the registry's newest revision, and the days that changed are named."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tasks import land, workspace
from tasks.carry import make_workspace
from tasks.pull import compare, pull
from tasks.sources import open_source
from tests.shop import FIRST_DAY, write_project, write_shop

NEXT = FIRST_DAY + timedelta(days=3)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    settings = write_shop(tmp_path / "shop", users=12, items=16, days=6)
    write_project(tmp_path / "project")
    make_workspace(tmp_path / "place", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "place")
    return settings


def test_days_come_change_and_stay(shop: dict[str, Any]) -> None:
    source = open_source(shop)
    first = land.build_registry(source, NEXT)
    pulled = pull()
    assert (pulled.revision, pulled.new) == (first, source.days()[:3])
    assert workspace.registry_days() == source.days()[:3]
    landing = land.land_day(source, NEXT)
    assert NEXT in workspace.registry_days()
    assert workspace.data_revision() == first  # a look changes nothing
    pulled = pull()
    assert (pulled.revision, pulled.new, pulled.changed) == (landing.revision, [NEXT], [])
    assert not MemoryFileSystem.store  # a backfill's memory does not grow by DVC's listings
    assert workspace.data_manifest() == workspace.registry_manifest()
    file = Path(shop["events"]) / f"{NEXT}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    land.land_day(open_source(shop), NEXT)
    pulled = pull()
    assert (pulled.new, pulled.changed, pulled.gone) == ([], [NEXT], [])
    assert str(pulled) == f"new none; changed {NEXT}; gone none"
    assert pull().changed == []


def test_data_can_go_back_and_come_forth_again(shop: dict[str, Any]) -> None:
    source = open_source(shop)
    first = land.build_registry(source, NEXT)
    landing = land.land_day(source, NEXT)
    pull()
    workspace.update_data(first)
    assert workspace.data_revision() == first
    assert not (workspace.DATA / workspace.partition("events", NEXT)).exists()
    assert pull().new == [NEXT]
    assert workspace.data_revision() == landing.revision


def test_files_that_went_missing_come_back(shop: dict[str, Any]) -> None:
    land.build_registry(open_source(shop), NEXT)
    pull()
    lost = workspace.DATA / workspace.partition("events", FIRST_DAY)
    lost.unlink()
    pull()
    assert lost.exists()


def test_a_pull_that_was_killed_in_mid_write_is_healed(shop: dict[str, Any]) -> None:
    land.build_registry(open_source(shop), NEXT)
    pull()
    before = workspace.DATA_DVC.read_text()
    workspace.JOURNAL.write_text(json.dumps({str(workspace.DATA_DVC): before}))
    workspace.DATA_DVC.write_text("")  # DVC opens the file empty, then writes
    assert pull().revision == workspace.data_revision()
    assert workspace.DATA_DVC.read_text() == before


def test_without_a_registry_the_cure_is_named(shop: dict[str, Any]) -> None:
    with pytest.raises(workspace.MissingRegistryError, match="make registry"):
        pull()


def test_a_day_is_gone_when_all_its_partitions_are() -> None:
    day = FIRST_DAY
    before = {workspace.partition(table, day): "a" for table in ("events", "items")}
    assert compare(before, {}, "r").gone == [day]
    assert compare(before, dict(list(before.items())[:1]), "r").changed == [day]


def test_many_days_are_named_by_the_first_and_the_last() -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range(9)]
    pulled = compare({}, {workspace.partition("events", day): "a" for day in days}, "r")
    assert str(pulled) == f"new {days[0]} to {days[-1]} (9 days); changed none; gone none"

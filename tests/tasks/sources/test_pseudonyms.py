"""Under the same key the same people, under another one nobody, and nothing lands by mistake."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tasks import git, land, workspace
from tasks.sources import SourceError, open_source
from tasks.sources.pseudonyms import DIGITS, KEY, pseudonym
from tests.line import ROOT
from tests.shop import FIRST_DAY, write_shop

pytestmark = pytest.mark.fault(38)
ONE, OTHER = "k" * 32, "K" * 32
UNTIL = FIRST_DAY + timedelta(days=2)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    settings = write_shop(tmp_path / "shop", users=12, items=16, days=4)
    place = tmp_path / "workspace"
    place.mkdir()
    (place / "data.dvc").write_text((ROOT / "data.dvc").read_text())
    monkeypatch.chdir(place)
    monkeypatch.setenv(KEY, ONE)
    return settings


def hidden(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"pseudonymise": True}


def test_people_are_hidden_and_all_else_is_as_it_was(shop: dict[str, Any]) -> None:
    bare, under = open_source(shop).read_day(FIRST_DAY), open_source(hidden(shop))
    frames = under.read_day(FIRST_DAY)
    pseudonyms = {one: pseudonym(ONE.encode(), one) for one in bare.events["user_id"]}
    assert {len(one) for one in pseudonyms.values()} == {DIGITS}
    same = ["event_time", "event_type", "item_id", "price", "quantity", "channel"]
    expected = bare.events.assign(user_id=bare.events["user_id"].map(pseudonyms))
    by = ["event_time", "item_id"]
    pd.testing.assert_frame_equal(
        frames.events.sort_values(by)[[*same, "user_id"]].reset_index(drop=True),
        expected.sort_values(by)[[*same, "user_id"]].reset_index(drop=True),
    )
    assert set(frames.users["user_id"]) == {pseudonyms[one] for one in bare.users["user_id"]}
    assert dict(frames.users[["user_id", "age"]].to_numpy()) == {
        pseudonyms[one]: age for one, age in bare.users[["user_id", "age"]].to_numpy()
    }
    for name in ("event_id", "session_id"):
        assert not set(frames.events[name]) & set(bare.events[name])
        assert frames.events[name].nunique() == bare.events[name].nunique()
    assert list(frames.events.columns) == list(bare.events.columns)
    assert frames.items.equals(bare.items)
    ((_, again),) = under.read_days([FIRST_DAY])
    assert again.events.equals(frames.events)


def test_a_lost_id_stays_lost_so_that_the_contract_finds_it() -> None:
    assert pseudonym(ONE.encode(), "") == ""


@pytest.mark.parametrize(("key", "said"), [(None, "is not set"), ("short", "is too short")])
def test_without_a_key_nothing_is_read(
    key: str | None, said: str, shop: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, key) if key else monkeypatch.delenv(KEY)
    with pytest.raises(SourceError, match=f"{KEY} {said}.*token_hex"):
        open_source(hidden(shop))
    with pytest.raises(SourceError, match="true or false"):
        open_source(shop | {"pseudonymise": "yes"})


def test_the_registry_knows_its_key_and_refuses_another(
    shop: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    land.build_registry(open_source(hidden(shop)), UNTIL)
    assert land.land_day(open_source(hidden(shop)), UNTIL).status == "landed"
    before = git.head(workspace.REGISTRY)
    monkeypatch.setenv(KEY, OTHER)
    for source, cure in ((hidden(shop), "built with"), (shop, "set shop.source.pseudonymise")):
        for act in (land.land_day, land.build_registry):
            with pytest.raises(SourceError, match=f"would be a stranger.*{cure}"):
                act(open_source(source), UNTIL + timedelta(days=1))
    assert git.head(workspace.REGISTRY) == before
    kept = b"".join(path.read_bytes() for path in Path().rglob("*") if path.is_file())
    assert ONE.encode() not in kept
    events = pq.read_table(workspace.REGISTRY / "data" / workspace.partition("events", UNTIL))
    assert not any(str(one).startswith("u0") for one in events["user_id"].to_pylist())


def test_a_registry_of_bare_ids_takes_no_pseudonyms(shop: dict[str, Any]) -> None:
    land.build_registry(open_source(shop), UNTIL)
    with pytest.raises(SourceError, match="has people's own ids"):
        land.land_day(open_source(hidden(shop)), UNTIL)


def test_a_shop_finds_its_users_again(shop: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tasks.sources.pseudonyms"],
        input="u001\nu002\n", capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    told = dict(line.split("\t") for line in done.stdout.splitlines())
    assert told == {one: pseudonym(ONE.encode(), one) for one in ("u001", "u002")}

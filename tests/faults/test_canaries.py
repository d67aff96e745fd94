"""Ids of people and the database's password stay where they are needed: a whole daily run."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

from tasks import workspace
from tasks.ledger import Ledger
from tasks.reference import read_frame
from tests.databases import Server
from tests.faults.test_bad_days import land_changed
from tests.line import APPLICATION, Place, nth
from tests.runs import Finished, Flows

pytestmark = [pytest.mark.slow, pytest.mark.fault(38)]
CANARY = re.compile(rb"canary-\w+")
PERSON = ("user_id", "session_id", "event_id", "query")
# Who needs ids has them: the data, the versions, what the steps measured by user (Parquet), the
# outputs, and the copies of these in DVC's cache and remote. None is meant for a person to read.
KEPT = re.compile(
    r"(data|registry|tests|\.remote|\.dvc/cache|var/(bundles|outputs|attempts|remote)|increments)/.*"
    r"|var/attachments/.*\.(parquet|safetensors)|var/attachments/.*/next/.*"
)


def marked(events: pd.DataFrame) -> pd.DataFrame:
    """The day with a canary in each column that may tell of a person."""
    texts = {name: "canary-" + events[name].fillna("nothing").astype(str) for name in PERSON}
    return events.assign(**texts)


def broken(events: pd.DataFrame) -> pd.DataFrame:
    """The same with an id given twice and one lost."""
    twice = marked(events)
    again = twice["event_id"].where(twice.index != 1, twice["event_id"].iloc[0])
    lost = twice["user_id"].where(twice.index != 2, "")
    return twice.assign(event_id=again, user_id=lost)


def found_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            for canary in set(CANARY.findall(path.read_bytes())):
                yield path.relative_to(folder).as_posix(), canary


def test_no_id_and_no_password_where_people_look(
    empty_place: Place, flows: Flows, postgres: Server
) -> None:
    address = postgres.new_schema().replace("postgres@", "postgres:canary-password@")
    mine: Mapping[str, str] = {**flows.environment, "DAYSHIFT_LEDGER_URL": address}
    team = Flows(mine)
    said: list[Finished] = [team.run("-m", "flows.bootstrap")]
    land_changed(empty_place, 1, marked)
    land_changed(empty_place, 2, broken)
    said += [team.daily(), team.run("-m", "flows.score")]
    assert [done.code for done in said] == [0, 1, 0], [done.said[-2000:] for done in said]
    assert "column 'event_id', row 0: the value is not unique" in said[1].said
    ledger = Ledger(address)
    line = ledger.line(APPLICATION)
    assert line is not None
    assert line.day == nth(1)
    assert ledger.fates(APPLICATION)[nth(2)].outcome == "quarantined"

    for done in said:
        assert "canary" not in done.said
    assert "canary" not in str(ledger.contents())
    assert "canary" not in repr(ledger.engine)
    elsewhere = {name for name, _ in found_in(empty_place.root) if not KEPT.fullmatch(name)}
    assert elsewhere == set()
    assert set(found_in(Path(mine["PREFECT_HOME"]))) == set()
    # They are where they must be, so that the search is one: who serves by user needs the ids.
    lists = read_frame(workspace.OUTPUTS / APPLICATION / "latest" / "recommendations.parquet")
    assert lists["user_id"].str.startswith("canary-").any()
    assert any(name.startswith("var/bundles/") for name, _ in found_in(empty_place.root))
    ledger.engine.dispose()

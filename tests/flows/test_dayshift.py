"""The command: what it says, its JSON, its exit codes, and that looking changes nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from flows import dayshift
from tasks import workspace
from tasks.ledger.revision import revisions
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import contents


def said(*arguments: str) -> Result:
    return CliRunner().invoke(dayshift.app, list(arguments))


def told(*arguments: str) -> Any:
    """The JSON that a command prints."""
    return json.loads(said(*arguments, "--json").output)


def test_a_well_line_says_where_it_stands_and_ends_with_zero(place: Place) -> None:
    done = said("status")
    assert done.exit_code == 0, done.output
    for words in (APPLICATION, place.line.champion[:12], str(place.line.day), " 4 ", "well"):
        assert words in done.output


def test_status_as_json_names_days_due_missing_and_set_aside(seasoned: Place) -> None:
    land_days(seasoned, 6)
    with seasoned.ledger.lease(APPLICATION) as lease:
        seasoned.ledger.quarantine(lease, nth(4), "a digest", "price is negative in row 3")
    done = said("status", "--json")
    (found,) = json.loads(done.output)
    assert done.exit_code == 1
    assert found["learned_through"] == str(nth(3))
    assert found["learned"] == 3
    assert found["missing"] == [str(nth(5))]
    assert found["due"] == [str(nth(4)), str(nth(6))]  # the fourth has other content than that
    assert found["set_aside"] == [{"day": str(nth(4)), "reason": "price is negative in row 3"}]
    assert f"{nth(5)} was not landed" in " ".join(found["attention"])
    assert found["unsaved"][-1] == f"{APPLICATION}-{nth(3)}"


def test_history_is_the_last_days(seasoned: Place) -> None:
    rows = told("history", APPLICATION, "--last", "2")
    assert [row["day"] for row in rows] == [str(nth(2)), str(nth(3))]
    assert [row["decision"] for row in rows] == ["keep", "promote"]
    assert "promote" in said("history", APPLICATION).output


def test_a_day_is_explained_by_its_verdict(seasoned: Place) -> None:
    done = said("explain", APPLICATION, str(nth(2)))
    assert done.exit_code == 0, done.output
    assert f"{nth(2)}: keep" in done.output
    assert "to see a keep" in done.output
    found = told("explain", APPLICATION, str(nth(2)))
    assert found["verdict"]["action"] == "keep"
    assert found["fate"]["version"] == found["version"]
    assert found["verdict"]["checks"]


def test_a_day_that_is_not_there_is_answered_with_those_there_are(seasoned: Place) -> None:
    done = said("explain", APPLICATION, "2031-01-01")
    assert done.exit_code == 1
    assert f"there is: {nth(1)} to {nth(3)}" in done.output


def test_the_plan_of_tonight(place: Place) -> None:
    before = contents(place.root)
    (found,) = told("plan", "--through", str(nth(2)))
    assert found["increment"]["day"] == str(nth(1))
    assert found["days_after"] == 1
    assert found["plan"]["action"] == "fine_tune"
    assert "It would first learn" in said("plan").output
    (chosen,) = told("plan", "--learn", "skip")
    assert chosen["plan"]["action"] == "skip"
    assert contents(place.root) == before


def test_everything_is_verified_and_damage_is_named(seasoned: Place) -> None:
    done = said("verify")
    assert done.exit_code == 0, done.output
    assert f"{APPLICATION}: 4 versions" in done.output
    weights = seasoned.head / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    note = workspace.ATTACHMENTS / APPLICATION / seasoned.line.head / "verdict.json"
    note.write_text("{}")
    (data,) = (path for path in workspace.DATA.glob(f"events/date={nth(1)}/*"))
    data.chmod(0o644)
    data.write_bytes(b"?")
    done = said("verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    (application,) = found["applications"]
    damage = " ".join(application["damage"])
    assert "model.safetensors has" in damage
    assert f"{note} is not what was committed" in damage
    assert [one for one in found["data"]["damage"] if str(data) in one]


def test_what_a_restored_place_lacks_is_said(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first pull; and where an older code meets a newer ledger."""
    for gone in (".dvc/cache", "data", "registry"):
        shutil.rmtree(gone)
    done = said("verify")
    assert done.exit_code == 1, done.output
    assert f"{APPLICATION}: 1 versions" in done.output
    assert "Run `dvc pull data.dvc`" in done.output
    with place.ledger.engine.begin() as connection:
        connection.execute(update(revisions).values(version_num="9999"))
    with pytest.raises(SystemExit, match="1"):
        dayshift.run(["status"])
    assert "a newer Dayshift has been here" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["verify"], ["plan"]])
def test_what_is_no_workspace_is_said_and_nothing_is_made(
    command: list[str], tmp_path: Path
) -> None:
    done = said("--workspace", str(tmp_path), *command)
    assert done.exit_code == 2
    assert f"{tmp_path} is no workspace" in done.output
    assert not list(tmp_path.iterdir())


def test_an_application_that_is_none(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        dayshift.run(["history", "pricing"])
    assert "no application 'pricing'; it has: recommendation" in capsys.readouterr().err


def test_before_the_first_champion(empty_place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        dayshift.run(["status"])
    assert "run the bootstrap flow" in capsys.readouterr().err

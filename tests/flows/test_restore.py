"""Backup and restore, by the very commands of docs/how-to/operate.md."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import pytest

from tasks import workspace
from tests.databases import Server
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, contents, opened

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
REMOTES = (workspace.VAR / "remote", Path("registry/.remote"))  # in folders here, not on S3


def commands(first_word: str) -> str:
    """The page's block of commands that begins so."""
    (block,) = re.findall(rf"```bash\n({first_word}.*?)```", PAGE.read_text(), re.DOTALL)
    return str(block)


def do(script: str, environment: Mapping[str, str]) -> str:
    """Run it, stopping at the first command that fails; what it said."""
    done = subprocess.run(
        ["bash", "-ec", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def learn_the_next_day(place: Place, flows: Flows) -> dict[str, str]:
    """Land and learn it; the bytes of the version that it ends in."""
    land_days(place, 5)
    flows.learn()
    assert place.line.day == nth(5)
    return contents(place.head)


def test_a_restored_place_learns_the_next_day_to_the_same_version(
    caught_up: Place,
    postgres: Server,
    postgres_url: str,
    flows: Flows,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, aside, remotes = tmp_path / "elsewhere", tmp_path / "aside", tmp_path / "remotes"
    url = postgres_url.replace("+psycopg", "")
    anew = url.replace("@/postgres?", "@/restored?")
    tools = f"{postgres.programs}{os.pathsep}{flows.environment['PATH']}"
    there = {"PATH": tools, "COPY": str(tmp_path / "copy"), "SHOP": str(shop)}
    server = {"PGHOST": str(postgres.home), "PGUSER": "postgres"}
    environment = {**flows.environment, **there, **server}

    do(commands("mkdir"), environment | {"DAYSHIFT_LEDGER_URL": url})
    for remote in REMOTES:
        shutil.copytree(remote, remotes / remote)
    made = learn_the_next_day(caught_up, flows)
    truth = caught_up.ledger.contents()
    caught_up.root.rename(aside)  # nothing of it is of use any more
    try:
        shop.mkdir()
        with chdir(shop):
            monkeypatch.setenv("DAYSHIFT_LEDGER_URL", anew)
            to = {"DAYSHIFT_LEDGER_URL": anew}
            restore, _, prove = commands("createdb").partition("dvc --cd registry pull")
            do(restore, environment | to)
            shutil.copytree(remotes, shop, dirs_exist_ok=True)
            prove = f"cd $SHOP\ndvc --cd registry pull{prove}"
            said = do(prove, environment | to)
            assert f"{APPLICATION}: 5 versions, 60 attachments, 0 damaged" in said
            assert re.search(r"data: \d+ files, 0 damaged", said)
        with opened(shop) as restored:
            assert restored.line.day == nth(4)
            assert learn_the_next_day(restored, flows) == made
            assert restored.ledger.contents() == truth
    finally:
        aside.rename(caught_up.root)

"""One made-up shop with a first champion for the whole session; a copy of it for each test."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import settings

from flows.server import free_port, running_server
from tests import line
from tests.line import Place
from tests.runs import Flows
from tests.shop import write_shop

pytest_plugins = ["tests.databases"]

# No test is about time: the machines are shared.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with all days landed and pulled, without a champion. Not to be changed."""
    root = tmp_path_factory.mktemp("made-up")
    source = write_shop(root / "shop", days=line.HISTORY_DAYS + line.LANDED + 4)
    line.write_project(root / "project", source)
    line.write_workspace(root / "empty", root / "project")
    return root / "empty"


@pytest.fixture(scope="session")
def template(empty_template: Path) -> Path:
    """The same with a first champion. Not to be changed."""
    with line.open_copy(empty_template, empty_template.with_name("started")) as place:
        line.start_line(place)
    return place.root


@pytest.fixture(scope="session")
def evening_template(template: Path) -> Path:
    """The same with the steps of the first day done, up to the verdict. Not to be changed."""
    with line.open_copy(template, template.with_name("evening")) as place:
        line.spend_day(place)
    return place.root


@pytest.fixture(scope="session")
def seasoned_template(evening_template: Path) -> Path:
    """Three days learned: promoted, kept, promoted; no snapshots yet. Not to be changed."""
    with line.open_copy(evening_template, evening_template.with_name("seasoned")) as place:
        line.settle(place, line.attempt(), "promote")
        line.learn(place, "keep")
        line.learn(place, "promote")
    return place.root


@pytest.fixture(scope="session")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flows]:
    """One Prefect server for all flows of the session, and the way to run them."""
    before = dict(os.environ)
    with chdir(tmp_path_factory.mktemp("prefect")), running_server(free_port()):
        mine = dict(os.environ)
        os.environ.clear()  # the rest of the session knows nothing of the server
        os.environ.update(before)
        tools = f"{Path(sys.executable).parent}{os.pathsep}{before['PATH']}"
        quiet = {"OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}
        yield Flows(mine | quiet | {"PATH": tools})


@pytest.fixture(scope="session")
def caught_up_template(template: Path, flows: Flows) -> Path:
    """Every landed day learned by the daily flow, in one run. Not to be changed."""
    with line.open_copy(template, template.with_name("caught up")) as place:
        flows.learn()
    return place.root


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """Where the ledger is, if not in its file: on PostgreSQL, for a test that asks for it."""
    for name in ("url", "postgres_url"):
        if name in request.fixturenames:
            url: str = request.getfixturevalue(name)
            return url if url.startswith("postgresql") else None
    return None


@pytest.fixture
def caught_up(caught_up_template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    """A workspace whose landed days were all learned by the daily flow."""
    yield from _copied(caught_up_template, tmp_path, database)


@pytest.fixture
def empty_place(empty_template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    """A workspace of the test's own, without a champion, as the current directory."""
    yield from _copied(empty_template, tmp_path, database)


@pytest.fixture
def place(template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    """A workspace of the test's own, with a first champion, as the current directory."""
    yield from _copied(template, tmp_path, database)


@pytest.fixture
def evening(evening_template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    """A workspace with the first day's steps done up to the verdict, in `line.attempt()`."""
    yield from _copied(evening_template, tmp_path, database)


@pytest.fixture
def seasoned(seasoned_template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    """A workspace with three days learned: promoted, kept, promoted."""
    yield from _copied(seasoned_template, tmp_path, database)


def _copied(template: Path, tmp_path: Path, database: str | None) -> Iterator[Place]:
    with line.open_copy(template, tmp_path / "place", database) as place:
        yield place
    shutil.rmtree(place.root)

"""Ledgers on both databases: SQLite always, PostgreSQL where its programs are installed."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tasks.ledger import Ledger

_names = itertools.count()


def _postgres_programs() -> Path | None:
    """Where initdb and pg_ctl are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found)] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places and find_spec("psycopg") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        databases = ["sqlite", "postgresql"] if _postgres_programs() else ["sqlite"]
        metafunc.parametrize("url", databases, indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own that listens on a socket in a temporary folder only."""
    programs = _postgres_programs()
    assert programs is not None
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    data = home / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(home, pwd.getpwnam("postgres").pw_uid, -1)
        as_user = ["runuser", "-u", "postgres", "--"]

    def control(*arguments: str) -> None:
        command = [*as_user, str(programs / arguments[0]), "-D", str(data), *arguments[1:]]
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL)

    control("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    settings = f"-k {home} -c listen_addresses='' -c fsync=off"
    control("pg_ctl", "-w", "-l", str(home / "log"), "-o", settings, "start")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={home}"
    finally:
        control("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(home)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the kind that the test was generated for."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'ledger.db'}"
    server: str = request.getfixturevalue("postgres")
    schema = f"ledger_{next(_names)}"
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine.dispose()
    return f"{server}&options=-csearch_path%3D{schema}"


@pytest.fixture
def ledger(url: str) -> Ledger:
    return Ledger(url)

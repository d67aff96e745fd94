"""Databases for the ledger: a test that asks for `url` runs on SQLite and on PostgreSQL.

On the latter only where its programs are installed. DAYSHIFT_DATABASES="sqlite postgresql", as in
CI, says which must be there: a server that is missing is then a failure. A test that asks for
`postgres_url` runs on PostgreSQL alone.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tasks.ledger import Ledger

_numbers = itertools.count()


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own that listens on a socket in a temporary folder only."""

    programs: Path
    home: Path

    @property
    def url(self) -> str:
        """Its database for everyone."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.home}"

    def new_schema(self) -> str:
        """The URL of an empty place of its own."""
        schema = f"ledger_{next(_numbers)}"
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        engine.dispose()
        return f"{self.url}&options=-csearch_path%3D{schema}"

    def make(self) -> None:
        """The files of an empty database."""
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            os.chown(self.home, pwd.getpwnam("postgres").pw_uid, -1)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Returns when it takes connections."""
        settings = f"-k {self.home} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self.home / "log"), "-o", settings, "start")

    def stop(self) -> None:
        """At once: connections are cut off as in a crash."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        data = str(self.home / "data")
        command = [*as_user, str(self.programs / program), "-D", data, *arguments]
        subprocess.run(command, check=True, cwd=self.home, stdout=subprocess.DEVNULL)


def _postgres_programs() -> Path | None:
    """Where initdb and pg_ctl are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found)] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places and find_spec("psycopg") else None


def _wanted() -> list[str]:
    there = "sqlite postgresql" if _postgres_programs() else "sqlite"
    return os.environ.get("DAYSHIFT_DATABASES", there).split()


def _needed_programs() -> Path:
    if programs := _postgres_programs():
        return programs
    pytest.fail("no PostgreSQL: install its server and psycopg, or ask for sqlite alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        metafunc.parametrize("url", _wanted(), indirect=True)
    if "postgres_url" in metafunc.fixturenames:
        servers = [name for name in _wanted() if name == "postgresql"]
        metafunc.parametrize("postgres_url", servers, indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for the session."""
    server = Server(_needed_programs(), Path(tempfile.mkdtemp(prefix="pg-")))
    server.make()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.home)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the kind that the test was generated for."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'ledger.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.new_schema()


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """An empty schema of a PostgreSQL server."""
    return postgres.new_schema()


@pytest.fixture
def ledger(url: str) -> Ledger:
    """An empty ledger, on the databases that `url` stands for."""
    return Ledger(url)

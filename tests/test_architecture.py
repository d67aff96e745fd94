"""The house rules that a reader relies on, checked against the files themselves."""

import ast
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from tasks import git

ROOT = Path(__file__).parents[1]
PACKAGES = ("flows", "tasks", "lightning_modules")
# What carries a stage's input and output to and fro: a change of it does not change what is said.
GROUND = {
    *("faults", "git", "interrupted", "limits", "manifest", "params", "pins"),
    *("record", "records", "update", "upkeep", "workspace"),
}
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
LONGEST = 250
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "base",
    "common",
    "misc",
}
# One breach of each contract, by the module that commits it.
BREACHES = {
    "lightning_modules/hashing.py": "import tasks.records",
    "tasks/plan.py": "import tasks.drift",
    "tasks/gate.py": "import prefect",
    "tasks/reference.py": "import evidently",
    "tasks/due.py": "import sqlalchemy",
    "tasks/pull.py": "import dvc",
    "tasks/decide.py": "import torch",
}


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True)


def sources() -> list[Path]:
    names = git.git(ROOT, "ls-files", "-z", "*.py").split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_is_the_function_of_its_name(stage: str) -> None:
    spec = STAGES[stage]
    assert spec["foreach"] == "${increments}"
    assert spec["do"]["cmd"] == f"python -m tasks.{stage} ${{key}}"
    source = (ROOT / "tasks" / f"{stage}.py").read_text()
    functions = {f.name: f for f in ast.parse(source).body if isinstance(f, ast.FunctionDef)}
    arguments = [argument.arg for argument in functions[stage].args.args]
    assert arguments == ["increment", "params", "where"]
    assert source.endswith(f"    run_as_stage({stage})\n")
    # The flow calls the very same function.
    assert f"step({stage}.{stage})" in (ROOT / "flows" / "steps.py").read_text()


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_depends_on_the_code_that_it_runs(stage: str) -> None:
    reached = {f"tasks.{stage}", *imports().find_upstream_modules(f"tasks.{stage}")}
    needed = {
        f"{module.replace('.', '/')}.py"
        for module in reached
        if module.startswith("tasks.") and module.split(".")[1] not in GROUND
    }
    if any(module.startswith("lightning_modules") for module in reached):
        needed.add("lightning_modules")
    declared = {
        path for path in STAGES[stage]["do"]["deps"] if path.startswith(("tasks", "lightning"))
    }
    assert declared == needed


def test_no_stage_asks_the_ledger() -> None:
    for stage in STAGES:
        assert not imports().chain_exists(f"tasks.{stage}", "tasks.ledger", as_packages=True)


def test_files_are_short_enough_to_be_read() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_names_say_what_is_inside() -> None:
    names = {part for path in sources() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & NAMES_THAT_SAY_NOTHING == set()


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Exit status of import-linter, and each contract's fate."""
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))


def test_each_import_contract_holds_and_notices_a_breach(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    status, fates = lint(tmp_path)
    assert set(fates.values()) == {"KEPT"}
    assert status == 0
    for path, line in BREACHES.items():
        file = tmp_path / path
        file.write_text(f"{file.read_text()}\n\nif __name__ == '__main__':\n    {line}\n")
    status, broken = lint(tmp_path)
    assert broken == dict.fromkeys(fates, "BROKEN")
    assert len(broken) == len(BREACHES)
    assert status == 1


def test_a_new_module_of_tasks_must_be_given_its_place(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tasks" / "newcomer.py").write_text('"""Belongs nowhere yet."""\n')
    status, fates = lint(tmp_path)
    assert status == 1
    assert list(fates.values()).count("BROKEN") == 1

"""Names, texts and addresses lead nowhere; no code, SQL or secret lies where it could."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tasks import bundle, days, roll_back, workspace
from tasks.carry import make_workspace
from tasks.ledger import Ledger
from tasks.params import load_params
from tasks.rewind import NoWayBackError
from tests.line import APPLICATION, ROOT, Place

pytestmark = pytest.mark.fault(9)
CODE = ("flows", "tasks", "lightning_modules")
# The one place where a name becomes code: the learner that params.yaml, a file of the code, names.
IMPORTS_BY_NAME = {"tasks/learners.py"}
SECRET = re.compile(
    r"(?i)(password|passwd|secret|token|access_key|auth_string|api_key)\w* *[:=] *\S|://[^/\s:]+:[^@\s]+@"
)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "A", "", "x;rm", "x y", "-x", "x\n", "all"])
def test_an_application_is_called_by_a_plain_word(name: str, tmp_path: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["applications"] = {name: params["applications"][APPLICATION]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(ValidationError, match="application"):
        load_params(tmp_path / "params.yaml")
    if name != "all":
        with pytest.raises(ValidationError):
            bundle.location(workspace.BUNDLES, name, "a" * 64)


@pytest.mark.parametrize("version", ["../" + "a" * 61, "a" * 63, "A" * 64, "", "a" * 64 + "\n"])
def test_a_version_is_64_hexadecimal_digits(version: str) -> None:
    with pytest.raises(ValidationError):
        bundle.location(workspace.BUNDLES, APPLICATION, version)


def go_back(place: Place, to: str | None, reason: str) -> None:
    with place.ledger.lease(APPLICATION) as lease:
        roll_back.roll_back(place.ledger, lease, APPLICATION, place.params, to, "keep", reason)


def test_a_rollback_goes_to_a_version_and_to_no_path(seasoned: Place) -> None:
    with pytest.raises(NoWayBackError, match="is not one version of this line"):
        go_back(seasoned, f"../{APPLICATION}/{seasoned.line.anchor}", "to see")
    with pytest.raises(NoWayBackError, match="needs a reason"):
        go_back(seasoned, None, " \n\x1b")
    go_back(seasoned, None, "bad\n2024-01-01 ERROR: all is lost\x1b[2J'); drop table lines; --")
    assert seasoned.ledger.champions(APPLICATION)[-1].reason == (
        "bad 2024-01-01 ERROR: all is lost [2J'); drop table lines; --"
    )


@pytest.mark.parametrize(
    "path",
    ["events/date=2024-01-01/../../../x", "events/date=2024-01-01", "items/x/y", "prices//x"],
)
def test_a_data_version_names_no_file_outside_its_folder(path: str) -> None:
    with pytest.raises(ValueError, match="the data version has"):
        days.by_day({path: "d" * 32})


def test_a_workspace_is_made_over_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "project" / "inside").mkdir(parents=True)
    (tmp_path / "project" / "inside" / "mine.txt").write_text("mine")
    for place in ("project", "project/../project", "."):
        with pytest.raises(ValueError, match="is, or holds, what the workspace is made from"):
            make_workspace(tmp_path / place, tmp_path / "project")
    with pytest.raises(ValueError, match="is no workspace and not empty"):
        make_workspace(tmp_path / "project" / "inside", tmp_path / "project")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://dayshift:canary/secret@localhost/ledger",
        "postgresql://dayshift:p@canary@localhost/ledger",
        "postgresql//dayshift:canary@localhost",
        "sqlite://dayshift:canary@localhost",
        "postgresql://dayshift:canary@127.0.0.1:1/ledger",
    ],
)
@pytest.mark.fault(38)
def test_no_message_has_the_ledgers_password(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Exception) as caught:
        Ledger(address)
    problem: BaseException | None = caught.value
    while problem is not None:
        assert "canary" not in f"{problem} {problem!r}"
        problem = problem.__cause__ or problem.__context__
    assert "canary" not in caplog.text


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_no_code_comes_from_a_file_and_no_sql_from_a_text() -> None:
    """Beside what Ruff forbids: pickle, marshal, eval, exec, unsafe YAML, a shell."""
    found = set()
    for path in (path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))):
        name = path.relative_to(ROOT).as_posix()
        for called, call in calls(path):
            last = called.rpartition(".")[2]
            if called in ("torch.load", "load_from_checkpoint", "np.load", "numpy.load"):
                found.add((name, called))
            if last in ("import_module", "__import__") and name not in IMPORTS_BY_NAME:
                found.add((name, called))
            made = any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in call.args)
            if last in ("text", "execute", "exec_driver_sql") and made:
                found.add((name, called))
    assert found == set()


@pytest.mark.fault(38)
def test_no_tracked_setting_holds_a_secret() -> None:
    """They come from the environment or from Prefect's blocks; a remote's are DVC's, untracked."""
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    pool = deployments["definitions"]["work_pool"]
    assert set(pool["job_variables"]["env"]) == {
        "OMP_NUM_THREADS",
        "DO_NOT_TRACK",
        "DVC_NO_ANALYTICS",
    }
    assert SECRET.search("password: x")
    assert SECRET.search("url = s3://who:secret@there")
    for name in ("prefect.yaml", "params.yaml", ".dvc/config", "dvc.yaml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not SECRET.search(text), name
    assert "/config.local" in (ROOT / ".dvc/.gitignore").read_text().splitlines()

"""What an attacker may put into files, names and texts runs nothing and leads nowhere."""

import ast
import json
import os
import pickle
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import yaml
from pydantic import ValidationError
from safetensors.numpy import save_file

from lightning_modules.learner import LearnerFileError
from lightning_modules.recommendation.learner import RecommendationLearner
from tasks import bundle, days, learners, roll_back, workspace
from tasks.bundle import CorruptBundleError
from tasks.carry import make_workspace
from tasks.ledger import Ledger
from tasks.manifest import Manifest
from tasks.params import load_params
from tasks.rewind import NoWayBackError
from tests.bundles import FIELDS
from tests.line import APPLICATION, ROOT, Place

pytestmark = pytest.mark.fault(9)
MODEL = "model.safetensors"
CODE = ("flows", "tasks", "lightning_modules")
# The one place where a name becomes code: the learner that params.yaml, a file of the code, names.
IMPORTS_BY_NAME = {"tasks/learners.py"}


SECRET = re.compile(
    r"(?i)(password|passwd|secret|token|access_key|auth_string|api_key)\w* *[:=] *\S|://[^/\s:]+:[^@\s]+@"
)


class Trap:
    """Whoever unpickles it leaves a file behind."""

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (os.environ["WITNESS"], "w")


@pytest.fixture(autouse=True)
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that must not be there in the end; that the trap works is seen first."""
    place = tmp_path / "witness"
    monkeypatch.setenv("WITNESS", str(place))
    pickle.loads(pickle.dumps(Trap())).close()  # noqa: S301
    assert place.exists()
    place.unlink()
    yield place
    assert not place.exists()


def pickled(file: Path) -> None:
    file.write_bytes(pickle.dumps(Trap()))


def checkpoint(file: Path) -> None:
    """As Lightning would load it: a class to import, a function to call, and a pickle."""
    hostile = {"_class_path": "os.system", "_instantiator": "os.system", "trap": Trap()}
    torch.save({"state_dict": {}, "hyper_parameters": hostile} | hostile, file)


def header(size: int, told: dict[str, Any], data: bytes = b"") -> bytes:
    return struct.pack("<Q", size) + json.dumps(told).encode() + data


def endless_header(file: Path) -> None:
    file.write_bytes(header(2**63, {}))


def data_that_is_not_there(file: Path) -> None:
    told = {"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    file.write_bytes(header(len(json.dumps(told)), told))


def other_arrays(file: Path) -> None:
    save_file({"user_embedding": torch.zeros(3, 3).numpy()}, file)


def nested(file: Path) -> None:
    file.write_text("[" * 10**6)


FILES = (pickled, checkpoint, endless_header, data_that_is_not_there, other_arrays)


def replace(file: Path, write: Callable[[Path], None]) -> None:
    file.unlink()
    write(file)


@pytest.mark.parametrize("write", FILES)
def test_a_file_that_was_replaced_is_never_parsed(
    write: Callable[[Path], None], place: Place
) -> None:
    replace(place.head / MODEL, write)
    section = place.params.application(APPLICATION)
    with mock.patch.object(RecommendationLearner, "load") as parse:
        with pytest.raises(CorruptBundleError, match=MODEL):
            learners.open_learner(place.head, section, place.line.head)
        with pytest.raises(CorruptBundleError, match=MODEL):
            learners.with_version(parse, place.head, place.line.head)
    parse.assert_not_called()
    assert not parse.mock_calls


@pytest.mark.parametrize("write", FILES)
def test_a_bundle_that_is_hostile_throughout_is_another_version(
    write: Callable[[Path], None], place: Place, tmp_path: Path
) -> None:
    """Its digests fit, so only its name, which the ledger has, tells; and no file runs code."""
    copied = tmp_path / "copied"
    bundle.link(place.head, copied)
    (copied / bundle.MANIFEST).unlink()
    replace(copied / MODEL, write)
    made = bundle.store(copied, FIELDS, tmp_path / "shelf")
    section = place.params.application(APPLICATION)
    with pytest.raises(CorruptBundleError, match=f"version '{made.version}', not '"):
        learners.open_learner(made.path, section, place.line.head)
    with pytest.raises(LearnerFileError, match=r"model\.safetensors"):
        learners.open_learner(made.path, section)


def test_json_that_is_nested_without_end_is_refused(place: Place, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    bundle.link(place.head, copied)
    (copied / bundle.MANIFEST).unlink()
    replace(copied / "vocabulary.json", nested)
    made = bundle.store(copied, FIELDS, tmp_path / "shelf")
    with pytest.raises(LearnerFileError, match=r"vocabulary\.json"):
        learners.open_learner(made.path, place.params.application(APPLICATION))


def as_link(path: Path) -> None:
    (path / MODEL).rename(path.parent / "elsewhere")
    (path / MODEL).symlink_to(path.parent / "elsewhere")


def as_link_to_a_folder(path: Path) -> None:
    (path / "more").symlink_to(path.parent)


def as_manifest_link(path: Path) -> None:
    (path / bundle.MANIFEST).rename(path.parent / "elsewhere")
    (path / bundle.MANIFEST).symlink_to(path.parent / "elsewhere")


def as_pipe(path: Path) -> None:
    (path / MODEL).unlink()
    os.mkfifo(path / MODEL)  # to read it would wait for ever


def as_manifest_pipe(path: Path) -> None:
    (path / bundle.MANIFEST).unlink()
    os.mkfifo(path / bundle.MANIFEST)


def as_nested_manifest(path: Path) -> None:
    replace(path / bundle.MANIFEST, nested)


def huge(path: Path) -> None:
    (path / bundle.MANIFEST).chmod(0o644)
    os.truncate(path / bundle.MANIFEST, 1 << 40)  # takes no room on the disk


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (as_link, f"{MODEL} is not a plain file"),
        (as_link_to_a_folder, "more does not belong to the bundle"),
        (as_manifest_link, "manifest.json is not a plain file"),
        (as_pipe, f"{MODEL} is not a plain file"),
        (as_manifest_pipe, "manifest.json is not a plain file"),
        (as_nested_manifest, "manifest.json cannot be read"),
        (huge, "manifest.json has 1099511627776 bytes"),
    ],
)
def test_what_is_no_plain_file_is_not_read(
    harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    source = tmp_path / "files"
    source.mkdir()
    (source / MODEL).write_bytes(b"weights")
    made = bundle.store(source, FIELDS, tmp_path / "shelf")
    harm(made.path)
    with pytest.raises(CorruptBundleError, match=said):
        bundle.load(tmp_path / "shelf", APPLICATION, made.version)


OUTSIDE = ("../secret", "/etc/passwd", "memory/../../secret", "a//b", "./a", "", ".")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_names_no_file_outside_its_bundle(name: str, tmp_path: Path) -> None:
    source = tmp_path / "files"
    source.mkdir()
    (source / MODEL).write_bytes(b"weights")
    made = bundle.store(source, FIELDS, tmp_path / "shelf")
    told = json.loads((made.path / bundle.MANIFEST).read_text())
    told["files"] = {name: told["files"][MODEL]}
    with pytest.raises(ValidationError, match="is no path below the bundle"):
        Manifest.model_validate(told)
    (made.path / bundle.MANIFEST).unlink()
    (made.path / bundle.MANIFEST).write_text(json.dumps(told))
    with pytest.raises(CorruptBundleError, match=r"manifest\.json cannot be read"):
        bundle.verify(made.path)


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

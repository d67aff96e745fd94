"""A team's places: the DVC remotes of workspace and registry on S3; see docs/how-to/team.md."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from flows.server import free_port
from tasks import git, workspace
from tasks.attempt import SIDE_FILES
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, contents

pytestmark = pytest.mark.slow
INCREMENT = workspace.INCREMENTS / APPLICATION
BESIDE = ("parent", "predecessor", "anchor", "head", ".gitignore", "increment.json", *SIDE_FILES)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    """An S3 of our own; all that anybody is told of it is in the environment."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-team")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "its-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        files.mkdir("shop")
        yield files
    finally:
        server.stop()


def put_on_s3(flows: Flows) -> None:
    """As a team does it once: in the project's configuration and in the registry's."""
    flows.dvc("remote", "modify", "store", "url", "s3://shop/store")
    flows.dvc("--cd", "registry", "remote", "modify", "store", "url", "s3://shop/registry")
    flows.dvc("--cd", "registry", "push")
    for place in (Path(), workspace.REGISTRY):
        git.git(place, "commit", "--quiet", "--message", "the remote is on S3", ".dvc/config")


@pytest.mark.fault(12)
def test_a_day_learned_here_is_rebuilt_by_a_team_mate_bit_for_bit(
    caught_up: Place, flows: Flows, s3: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    put_on_s3(flows)
    land_days(caught_up, 5)
    flows.learn()
    assert caught_up.line.day == nth(5)
    made, lock = contents(INCREMENT, leave_out=BESIDE), workspace.DVC_LOCK.read_bytes()
    assert len(s3.find("shop/store/files/md5")) > 10
    assert len(s3.find("shop/registry/files/md5")) > 10
    shutil.rmtree(workspace.VAR / "remote")  # nobody needs it any more
    clone = tmp_path / "clone"
    git.git(tmp_path, "clone", "--quiet", str(caught_up.root), str(clone))
    git.git(clone, "clone", "--quiet", str(caught_up.root / "registry"), "registry")
    name = f"{APPLICATION}-{nth(5)}"
    with chdir(clone):
        flows.dvc("exp", "pull", "origin", name)
        flows.dvc("exp", "apply", name)
        flows.dvc("pull")
        flows.dvc("repro", "--force")
        assert contents(INCREMENT, leave_out=BESIDE) == made
        assert workspace.DVC_LOCK.read_bytes() == lock
        damage_the_head(s3)
        shutil.rmtree(".dvc/cache")
        shutil.rmtree(INCREMENT / "head")
        done = flows.run("-m", "dvc", "pull", "--force")
        assert done.code != 0, done.said
        assert "failed to pull" in done.said, done.said
        assert f"{INCREMENT}/head" in done.said, done.said
        assert not (INCREMENT / "head").exists()


def damage_the_head(s3: s3fs.S3FileSystem) -> None:
    """Flip a bit of its parameters on the remote."""
    sound = (INCREMENT / "head" / "model.safetensors").read_bytes()
    name = hashlib.md5(sound).hexdigest()
    key = f"shop/store/files/md5/{name[:2]}/{name[2:]}"
    assert s3.cat(key) == sound
    s3.pipe(key, bytes([sound[0] ^ 1]) + sound[1:])

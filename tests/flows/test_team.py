"""A team's places: the DVC remotes of workspace and registry on S3; see docs/how-to/team.md."""

import shutil
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from flows.server import free_port
from tasks import git, workspace
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, contents

pytestmark = pytest.mark.slow
INCREMENT = workspace.INCREMENTS / APPLICATION
BESIDE = ("parent", "predecessor", "anchor", "head", ".gitignore", "increment.json", "drift.html")


class Bucket:
    """A bucket by its plain HTTP address; the server asks nobody for a signature."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.url = f"{endpoint}/{name}"
        self._ask("PUT")

    def put(self, key: str, content: bytes) -> None:
        self._ask("PUT", f"/{key}", content)

    def get(self, key: str) -> bytes:
        return self._ask("GET", f"/{key}")

    def keys(self, prefix: str) -> list[str]:
        found = ET.fromstring(self._ask("GET", f"?list-type=2&prefix={prefix}"))
        return [element.text or "" for element in found.iter() if element.tag.endswith("}Key")]

    def _ask(self, method: str, path: str = "", content: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, content, method=method)
        with urllib.request.urlopen(request) as answer:
            raw: bytes = answer.read()
        return raw


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An S3 of our own; all that anybody is told of it is in the environment."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-team")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "its-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        yield Bucket(f"http://127.0.0.1:{port}", "shop")
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
    caught_up: Place, flows: Flows, bucket: Bucket, tmp_path: Path
) -> None:
    put_on_s3(flows)
    land_days(caught_up, 5)
    flows.learn()
    assert caught_up.line.day == nth(5)
    made, lock = contents(INCREMENT, leave_out=BESIDE), workspace.DVC_LOCK.read_bytes()
    assert len(bucket.keys("store/files/md5/")) > 10
    assert len(bucket.keys("registry/files/md5/")) > 10
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
        damaged = damage(bucket)
        shutil.rmtree(".dvc/cache")
        shutil.rmtree(INCREMENT / "head")
        done = flows.run("-m", "dvc", "pull", "--force")
        assert done.code != 0, done.said
        assert "corrupted" in done.said, done.said
        assert not any(path.read_bytes() == damaged for path in INCREMENT.glob("head/*"))
        print(done.said)


def damage(bucket: Bucket) -> bytes:
    """Flip a bit of the head's parameters on the remote; its bytes now."""
    sound = (INCREMENT / "head" / "model.safetensors").read_bytes()
    (key,) = (key for key in bucket.keys("store/files/md5/") if bucket.get(key) == sound)
    damaged = bytes([sound[0] ^ 1]) + sound[1:]
    bucket.put(key, damaged)
    return damaged

"""An application of a team's own, by the code of docs/how-to/your-model.md: no flow, no step."""

import json
import re
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from tasks import git, workspace
from tasks.ledger import open_ledger
from tasks.params import load_params
from tasks.reference import read_frame
from tests import line
from tests.line import APPLICATION
from tests.runs import Flows, experiments
from tests.shop import write_shop

pytestmark = pytest.mark.slow

FOURTH = "returning"
MODULE = "lightning_modules/returning.py"
PAGE = (line.ROOT / "docs" / "how-to" / "your-model.md").read_text()


def block(language: str) -> str:
    """The page's only block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, flows: Flows) -> Path:
    """A workspace whose flows have started and taught every application of params.yaml."""
    root = tmp_path_factory.mktemp("fourth")
    source = write_shop(root / "shop", days=line.HISTORY_DAYS + line.LANDED)
    line.write_project(root / "project", source)
    params = yaml.safe_load((root / "project" / "params.yaml").read_text())
    params["applications"][FOURTH] = (
        params["applications"][APPLICATION] | yaml.safe_load(block("yaml"))[FOURTH]
    )
    (root / "project" / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (root / "project" / MODULE).write_text(block("python"))
    git.git(root / "project", "add", MODULE)
    git.git(root / "project", "commit", "--quiet", "--all", "--message", "a fourth application")
    line.write_workspace(root / "place", root / "project")
    with chdir(root / "place"):
        for module in ("flows.bootstrap", "flows.daily", "flows.score"):
            done = flows.run("-m", module)
            assert done.code == 0, done.said
    return root / "place"


def test_each_application_has_a_line_and_champions_of_its_own(both: Path) -> None:
    with chdir(both):
        ledger = open_ledger()
        lines = {name: ledger.line(name) for name in (APPLICATION, FOURTH)}
        assert {one and one.day for one in lines.values()} == {line.nth(line.LANDED)}
        assert len({one and one.head for one in lines.values()}) == 2
        learned = [day for day in ledger.fates(FOURTH).values() if day.action == "promote"]
        assert len(learned) == line.LANDED
        assert set(load_params().applications) == {APPLICATION, FOURTH}


def test_the_two_share_dvc_without_overwriting_each_other(both: Path, flows: Flows) -> None:
    names = {f"{name}-{line.nth(number)}" for name in (APPLICATION, FOURTH) for number in (1, 4)}
    assert names <= set(experiments(both))
    with chdir(both):
        pins = json.loads(workspace.INCREMENTS_FILE.read_text())["increments"]
        assert set(pins) == {APPLICATION, FOURTH}
        assert "up to date" in flows.dvc("status")
        assert "didn't change" in flows.dvc("repro", f"decide@{FOURTH}", f"decide@{APPLICATION}")


def test_its_outputs_lie_beside_the_others(both: Path) -> None:
    table = read_frame(both / workspace.OUTPUTS / FOURTH / "latest" / "predictions.parquet")
    assert list(table.columns) == ["user_id", "predicted"]
    assert table["predicted"].between(0, 1).all()
    assert table["predicted"].nunique() > 1

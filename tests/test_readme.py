"""What the README and docs say is so: their numbers, their links, their tree."""

import json
import re
from pathlib import Path

import pytest

from tasks import git

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
RESULTS = ROOT / "benchmarks" / "results"
MEASURES = ("recall@10", "ndcg@10", "recall@20", "ndcg@20")
METHODS = {
    "champion": "**Dayshift, one increment a day**",
    "anchor": "the first champion's parameters, fresh state",
    "tifu_knn": "TIFU-KNN",
    "decayed_personal_frequency": "decayed personal frequency",
    "personal_top_frequency": "personal top frequency",
    "popularity_7": "7-day popularity",
}


def findings(name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((RESULTS / f"{name}.json").read_text())["findings"]
    return found


@pytest.mark.parametrize("method", METHODS)
def test_the_table_is_the_benchmarks(method: str) -> None:
    values = {f["measure"]: f["value"] for f in findings("prequential") if f["method"] == method}
    cells = " | ".join(f"{values[measure]:.4f}" for measure in MEASURES)
    assert f"| {METHODS[method]} | {cells} |" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_tree_names_every_room() -> None:
    tree = README.split("## The tree")[1].split("```")[1]
    tracked = {path.split("/")[0] for path in git.git(ROOT, "ls-files").splitlines()}
    furniture = {"README.md", "CHANGELOG.md", "LICENSE", "Makefile", "pyproject.toml"}
    furniture |= {"constraints.txt", "dvc.lock", "increments"}
    rooms = {name for name in tracked if not name.startswith(".")} - furniture
    assert {room for room in rooms if room not in tree} == set()

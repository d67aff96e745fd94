"""What the README and docs say is so: their numbers, their links, their tree."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tasks import git

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
RESULTS = ROOT / "benchmarks" / "results"
# Of each application: the measures that README shows and, in its words, the methods.
TABLES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "recommendation": (
        ("recall@10", "ndcg@10", "recall@20", "ndcg@20", "new_recall@20"),
        {
            "champion": "**Dayshift, one increment a day**",
            "frozen": "first champion's parameters, fresh state",
            "full retrain": "full retrain every 28 days",
            "tifu_knn": "TIFU-KNN",
            "decayed_personal_frequency": "decayed personal frequency",
            "popularity_7": "7-day popularity",
        },
    ),
    "behavior": (
        (
            "AUC, next day",
            "PR-AUC, next day",
            "log loss, next day",
            "AUC, next week",
            "PR-AUC, next week",
            "log loss, next week",
        ),
        {
            "champion": "**Dayshift, one increment a day**",
            "frozen": "first champion's parameters, fresh state",
            "full retrain": "full retrain every 28 days",
            "LightGBM every 28 days": "LightGBM, fitted every 28 days",
            "frequency": "shrunken frequency",
        },
    ),
    "pricing": (
        ("WAPE, day", "Poisson deviance, day", "WAPE, week", "Poisson deviance, week"),
        {
            "champion": "**Dayshift, one increment a day**",
            "frozen": "first champion's parameters, fresh state",
            "full retrain": "full retrain every 14 days",
            "LightGBM every 28 days": "LightGBM, fitted every 28 days",
            "EWMA of 28 days": "mean of 28 days, decayed",
        },
    ),
}


def findings(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RESULTS / f"{name}.json").read_text())["findings"]
    return found


def table_lines(application: str) -> list[str]:
    """The lines of README's table, from the benchmark's results."""
    measures, methods = TABLES[application]
    values = {
        (one["method"], one["measure"]): one["value"] for one in findings(f"quality_{application}")
    }
    return [
        f"| {words} | " + " | ".join(f"{values[method, name]:.4f}" for name in measures) + " |"
        for method, words in methods.items()
    ]


@pytest.mark.parametrize("application", TABLES)
def test_the_tables_are_the_benchmarks(application: str) -> None:
    assert "\n".join(table_lines(application)) in README


@pytest.mark.parametrize("application", TABLES)
def test_what_was_missed_is_said(application: str) -> None:
    for one in findings(f"quality_{application}"):
        if one["met"] is False:
            assert f"{one['measure']} {one['value']:.4f}" in README, one


LEARNED = sorted(path.stem.removeprefix("learning_") for path in RESULTS.glob("learning_*.json"))


def learning_lines(shop: str) -> list[str]:
    """What docs/learning.md says of a shop: ways down, in terms of the full retrain."""
    values = {
        (one["method"], one["measure"]): one["value"] for one in findings(f"learning_{shop}")
    }
    measures = ("of full retrain's", "CPU, of full retrain's", "jumpiness, of full retrain's")
    lines = []
    for way in ("default", "gated", "naive", "frozen"):
        cells = [f"{values[way, name]:.3f}" for name in measures]
        cells.append(f"{values[way, 'forgetting']:+.4f}")
        lines.append(f"| {shop.replace('_', ' ')}, {way} | {' | '.join(cells)} |")
    return lines


@pytest.mark.parametrize("shop", LEARNED)
def test_what_learning_comes_to_is_the_benchmarks(shop: str) -> None:
    page = (ROOT / "docs" / "learning.md").read_text()
    assert "\n".join(learning_lines(shop)) in page
    for one in findings(f"learning_{shop}"):
        if one["met"] is False:
            assert f"{shop.replace('_', ' ')}: {one['measure']} {one['value']:.4f}" in page, one


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

"""The page of settings is what the types say."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_that_of_the_types() -> None:
    written = runpy.run_path(str(DOCS / "reference.py"))
    assert written["PAGE"].read_text() == written["page"](), "run `make docs` and commit the page"


def test_every_setting_has_a_meaning() -> None:
    rows = [
        line
        for line in (DOCS / "reference" / "params.md").read_text().split("\n")
        if "| `" in line
    ]
    assert len(rows) > 100
    assert not [row for row in rows if row.rstrip().endswith("|  |")]

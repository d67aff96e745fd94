"""docs/reliability.md speaks of every row of the fault matrix, and of tests that there are."""

from tests.faults import rows
from tests.faults.rows import PAGE, ROWS


def test_every_row_has_a_test_or_says_why_it_has_none() -> None:
    said = rows.rows(PAGE.read_text())
    assert sorted(said) == list(ROWS)
    marked = rows.marked()
    assert set(marked) <= set(ROWS)
    for row, (_, _, last) in said.items():
        reason = not last.startswith("`") and len(last.split()) > 5
        assert row in marked or reason, f"row {row} has neither a marked test nor a reason"


def test_the_page_names_the_marked_tests() -> None:
    page = PAGE.read_text()
    assert page == rows.filled(page, rows.marked()), "run `python -m tests.faults.rows`"


def test_a_row_is_filled_from_the_marks() -> None:
    page = "| 1 | a kill | undone | no test: not yet |\n| 2 | a crash | undone | `test_old` |"
    assert rows.filled(page, {2: {"test_b", "test_a"}}).splitlines() == [
        "| 1 | a kill | undone | no test: not yet |",
        "| 2 | a crash | undone | `test_a`, `test_b` |",
    ]

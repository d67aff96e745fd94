"""The rows of the fault matrix: which tests show what is done about each.

`python -m tests.faults.rows` writes the names of the marked tests into docs/reliability.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
ROWS = range(1, 41)
_LINE = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.*?) ?\|$")


def marked() -> dict[int, set[str]]:
    """The names of the tests that carry a mark of each row, as the sources say."""
    found: dict[int, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if not path.name.startswith(("test_", "check_")):
            continue
        for name, row in _marks(ast.parse(path.read_text())):
            found.setdefault(row, set()).add(name)
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, int]]:
    tests = [
        node
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    for node in module.body:  # pytestmark = pytest.mark.fault(1), or a list with it
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            for row in _rows_in(node.value):
                yield from ((test.name, row) for test in tests)
    for test in tests:
        for decorator in test.decorator_list:
            yield from ((test.name, row) for row in _rows_in(decorator))


def _rows_in(expression: ast.expr) -> Iterator[int]:
    """Also within parametrize: a case may have a mark of its own."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
            yield from (ast.literal_eval(argument) for argument in node.args)


def rows(page: str) -> dict[int, tuple[str, str, str]]:
    """What the page says of each row: the failure, what is done, and tests or why none."""
    found = (_LINE.match(text) for text in page.splitlines())
    return {int(line[1]): (line[2], line[3], line[4]) for line in found if line}


def filled(page: str, tests: dict[int, set[str]]) -> str:
    """The page with the tests of each row by name; a row without any keeps its reason."""

    def fill(text: str) -> str:
        line = _LINE.match(text)
        if line is None or not (names := tests.get(int(line[1]))):
            return text
        shown = ", ".join(f"`{name}`" for name in sorted(names))
        return f"| {line[1]} | {line[2]} | {line[3]} | {shown} |"

    return "\n".join(map(fill, page.split("\n")))


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(), marked()))

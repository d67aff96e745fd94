"""What `make faults` takes out is still there to be taken out, and so is the test that notices."""

import ast

import pytest

from tests.faults.check_mutations import MUTATIONS, Mutation
from tests.line import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_the_guard_and_its_test_are_there(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text().count(mutation.old) == 1
    file, test = mutation.test.split("::")
    body = ast.parse((ROOT / file).read_text()).body
    assert test in {node.name for node in body if isinstance(node, ast.FunctionDef)}

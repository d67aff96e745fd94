"""The first champion by flow."""

import pytest

from tasks import bundle
from tests.line import APPLICATION, Place, nth
from tests.runs import Flows

pytestmark = pytest.mark.slow


def test_a_line_is_started_once(empty_place: Place, flows: Flows) -> None:
    for _ in range(2):
        done = flows.run("-m", "flows.bootstrap", "--application", APPLICATION)
        assert done.code == 0, done.said
        line = empty_place.line
        assert (line.day, line.sequence) == (nth(0), 1)
        assert line.head == line.champion == line.anchor
    assert bundle.verify(empty_place.head).kind == "first"
    (timed,) = empty_place.ledger.attempts(APPLICATION)
    assert (timed.day, timed.outcome) == (nth(0), "first")
    assert timed.seconds is not None
    assert timed.seconds.keys() == {"bootstrap"}

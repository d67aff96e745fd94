"""Outputs follow the head: an event for each one that has none yet, never for one twice."""

from typing import Any

import pytest

from flows import ending as flow
from tasks.score import score
from tests.line import APPLICATION, Place, learn


def test_a_head_without_outputs_is_told_of(
    seasoned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(flow, "emit_event", lambda **event: told.append(event))

    def tell() -> list[str]:
        told.clear()
        flow.tell_of_new_head(seasoned.ledger, APPLICATION)
        return [event["payload"]["version"] for event in told]

    assert tell() == tell() == [seasoned.line.head]
    assert told[0]["event"] == "dayshift.new-head"
    assert told[0]["resource"]["prefect.resource.id"] == f"dayshift.{APPLICATION}"
    score(seasoned.ledger, APPLICATION, seasoned.params)
    assert tell() == []
    learn(seasoned, "keep")
    assert tell() == [seasoned.line.head]


def test_without_a_line_there_is_nothing_to_tell(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "emit_event", lambda **event: pytest.fail("nothing is new"))
    flow.tell_of_new_head(empty_place.ledger, APPLICATION)

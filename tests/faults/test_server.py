"""Everything is stopped for days."""

from typing import Any

import pytest

from tests import line
from tests.flows.serving import DAILY, serving, wait_for
from tests.line import APPLICATION, Place, land_days, nth

pytestmark = pytest.mark.slow


@pytest.mark.fault(24)
def test_days_that_landed_while_nothing_was_served_are_learned_in_order(place: Place) -> None:
    """Stopped with SIGTERM, started days later: one run learns all that is due."""
    with serving(place) as served:
        nightly = served.deployment(DAILY)["id"]
        wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
    land_days(place, line.LANDED + 1)
    with serving(place) as served:
        runs: Any = wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
        assert runs  # the nights to come are there again
        made = served.ask(
            "POST",
            f"/deployments/{nightly}/create_flow_run",
            parameters={"application": APPLICATION},
        )
        ended = served.ended(made["id"], 240)
        assert ended["state_name"] == "Completed", ended["state"]["message"]
    learned = [
        entry.day
        for entry in place.ledger.history(APPLICATION)
        if entry.day >= nth(1) and entry.outcome == "learned"
    ]
    assert learned == [nth(number) for number in range(1, line.LANDED + 2)]

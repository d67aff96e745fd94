"""The collection as a flow: a dry run, the real one, and the line that goes on after it."""

import pytest
import yaml

from tasks import objects
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, contents

pytestmark = [pytest.mark.slow, pytest.mark.fault(28, 29)]
# What a look may leave: where DVC and Prefect note that they looked.
LOOKED = (".dvc/tmp", ".git", "var/interrupted.lock")


def test_old_versions_go_and_the_next_night_is_as_ever(caught_up: Place, flows: Flows) -> None:
    params = yaml.safe_load((caught_up.root / "params.yaml").read_text())
    params["retention"] = {"days": 1, "predecessors": 1, "grace_hours": 0}
    (caught_up.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    land_days(caught_up, 5, 6, 7)
    flows.learn()
    before = contents(caught_up.root, LOOKED)
    dry = flows.run("-m", "flows.collect", "--dry-run")
    assert dry.code == 0, dry.said
    assert "MB would go" in dry.said
    assert contents(caught_up.root, LOOKED) == before
    assert caught_up.ledger.collected(APPLICATION) == {}

    done = flows.run("-m", "flows.collect")
    assert done.code == 0, done.said
    assert "MB went" in done.said
    gone = caught_up.ledger.collected(APPLICATION)
    assert gone
    assert len(objects.experiments(APPLICATION)) < 7
    assert flows.dvc("status", "--quiet") == ""

    back = flows.run(
        *("-m", "flows.rollback", "--application", APPLICATION, "--days-since", "relearn"),
        *("--reason", "too old", "--to-version", min(gone)),
    )
    assert back.code != 0
    assert "was collected on" in back.said
    assert caught_up.line.day == nth(7)
    land_days(caught_up, 8)
    flows.learn()
    assert caught_up.line.day == nth(8)

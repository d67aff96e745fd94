"""Evidently's own workspace: a project for each application, a run for each night."""

import json

from evidently.ui.workspace import Workspace

from tasks import drift_ui, reference
from tasks.nights import beside
from tests.line import APPLICATION, Place, nth


def test_every_night_with_a_snapshot_is_a_run_of_its_day(seasoned: Place) -> None:
    assert drift_ui.write_workspace(seasoned.ledger, [APPLICATION, "none"]) == 3
    assert drift_ui.write_workspace(seasoned.ledger, [APPLICATION]) == 3  # anew, not once more
    made = Workspace(str(drift_ui.WORKSPACE))
    (project,) = made.list_projects()
    assert project.name == APPLICATION
    runs = [made.get_run(project.id, run) for run in made.list_runs(project.id)]
    assert all(run is not None for run in runs)
    assert {run.name for run in runs if run} == {
        f"{nth(1)}: promote",
        f"{nth(2)}: keep",
        f"{nth(3)}: promote",
    }
    lines = json.loads(made.get_dashboard(project.id).json())["panels"][0]["values"]
    assert {line["legend"] for line in lines} <= set(reference.COLUMNS)
    assert {line["metric_labels"]["column"] for line in lines} >= {"price", "item_bucket"}


def test_a_night_without_a_snapshot_is_left_out(seasoned: Place) -> None:
    version = seasoned.ledger.fates(APPLICATION)[nth(1)].version
    beside(APPLICATION, str(version), drift_ui.SNAPSHOT).unlink()
    assert drift_ui.write_workspace(seasoned.ledger, [APPLICATION]) == 2

"""Every night's Evidently snapshot, as a workspace of Evidently's own UI.

The workspace is derived and made anew each time. The UI has no login: it is for a person at this
machine.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from tasks import reference, workspace
from tasks.ledger import Ledger
from tasks.nights import Night, beside, nights

WORKSPACE = workspace.VAR / "evidently"
SNAPSHOT = "evidently.json"


def write_workspace(ledger: Ledger, applications: list[str], where: Path = WORKSPACE) -> int:
    """A project for each application, a run for each night that has a snapshot; how many runs.

    Nights whose files a collection has taken, and those before snapshots were kept, have none.
    """
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently.ui.workspace import Workspace

    shutil.rmtree(where, ignore_errors=True)
    made = Workspace.create(str(where))
    return sum(_write_project(made, ledger, application) for application in applications)


def _write_project(made: Any, ledger: Ledger, application: str) -> int:
    shown = [
        (night, path)
        for night in nights(ledger, application)
        if night.version and (path := beside(application, night.version, SNAPSHOT)).exists()
    ]
    if not shown:
        return 0
    project = made.create_project(application)
    project.dashboard.add_panel(_panel([night for night, _ in shown]))
    for night, path in shown:
        made.add_run(project.id, _run(night, path))
    return len(shown)


def _run(night: Night, path: Path) -> Any:
    from evidently.core.report import Snapshot

    run = Snapshot.loads(path.read_text())
    run.set_name(f"{night.day}: {night.decision}")
    return run


def _panel(shown: list[Night]) -> Any:
    """The index of every column that any of the nights compared, in time."""
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    compared = {name for night in shown if night.drift for name in night.drift.columns}
    lines = [
        PanelMetric(legend=name, metric="ValueDrift", metric_labels={"column": name})
        for name in reference.COLUMNS
        if name in compared
    ]
    return line_plot_panel(
        title="Population stability index, by column",
        description="Of each day beside the days before it. The days are under Reports.",
        values=lines,
    )

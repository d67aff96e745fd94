"""Flows as commands: the form's parameters as options, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.backfill import backfill
from flows.command_line import read_options
from flows.daily import daily_increment
from flows.rollback import rollback


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ([], {}),
        (["--dry-run"], {"dry_run": True}),
        (["--through-day", "2017-10-03"], {"through_day": "2017-10-03"}),
        (["--update", '{"epochs": 2}'], {"update": {"epochs": 2}}),
        (["--application", "pricing"], {"application": "pricing"}),
        (["--learn", "full_retrain"], {"learn": "full_retrain"}),
    ],
)
def test_options_are_the_parameters_of_the_flow(said: list[str], meant: dict[str, Any]) -> None:
    assert read_options(daily_increment, said) == meant


@pytest.mark.parametrize("said", [["--through-night", "2017-10-03"], ["2017-10-03"], ["--update"]])
def test_what_is_no_parameter_is_refused(
    said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_options(daily_increment, said)
    assert "usage: python -m flows.daily" in capsys.readouterr().err


def test_a_parameter_without_a_default_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_options(backfill, ["--from-day", "2017-10-01"])
    assert "required: --through-day" in capsys.readouterr().err
    given = ["--reason", "returns", "--days-since", "keep"]
    with pytest.raises(SystemExit, match="2"):
        read_options(rollback, given)
    assert "required: --application" in capsys.readouterr().err
    found = read_options(rollback, [*given, "--application", "pricing"])
    assert found == {"reason": "returns", "days_since": "keep", "application": "pricing"}


def test_help_has_what_the_form_has(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        read_options(daily_increment, ["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "Learn every landed day that was not learned yet" in shown
    assert "nothing is pulled, learned or changed" in shown


def test_nobody_reports_home_when_a_flow_is_started_from_a_shell() -> None:
    said = (
        "import flows; from prefect.settings import get_current_settings as now; "
        "print(now().server.analytics_enabled)"
    )
    quiet = ("DO_NOT_TRACK", "DVC_NO_ANALYTICS", "PREFECT_SERVER_ANALYTICS_ENABLED")
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    done = subprocess.run(
        [sys.executable, "-c", said],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"

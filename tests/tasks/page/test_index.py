"""The index shows where every application stands, and leads there."""

from pathlib import Path

import pytest

from tasks import workspace
from tasks.ledger import Ledger
from tasks.report import write_report
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, name
from tests.tasks.test_report import PARAMS, read


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    made = Ledger(f"sqlite:///{workspace.LEDGER}")
    made_up.write_nights(made)
    return made


def test_the_index_shows_every_application(nights: Ledger) -> None:
    write_report(nights, APPLICATION, PARAMS)
    page = read(workspace.REPORTS / "index.html")
    assert page.loaded == []
    assert page.links == [
        "recommendation/index.html",
        "recommendation/index.html#day-2017-10-09",
    ]
    assert f"Champion{name(8)[:12]}since 2017-10-08: promote" in page.text
    assert "keep challenger not worse on held-out users" in page.text
    assert "column 'quantity' is missing" in page.text  # the alert
    assert page.text.count("There is no champion yet") == len(PARAMS.applications) - 1


def test_a_hostile_reason_is_text_in_the_index(nights: Ledger) -> None:
    made_up.go_back_to(nights, 7, 8, 9, reason="<script>x()</script>")
    write_report(nights, APPLICATION, PARAMS)
    assert "<script" not in (workspace.REPORTS / "index.html").read_text(encoding="utf-8")

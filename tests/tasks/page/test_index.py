"""The index shows where every application stands, and leads there."""

from tasks import workspace
from tasks.ledger import Ledger
from tasks.report import write_report
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, name
from tests.tasks.test_report import PARAMS, read


def test_the_index_shows_every_application(made_up_ledger: Ledger) -> None:
    write_report(made_up_ledger, APPLICATION, PARAMS)
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


def test_a_hostile_reason_is_text_in_the_index(made_up_ledger: Ledger) -> None:
    made_up.go_back_to(made_up_ledger, 7, 8, 9, reason="<script>x()</script>")
    write_report(made_up_ledger, APPLICATION, PARAMS)
    assert "<script" not in (workspace.REPORTS / "index.html").read_text(encoding="utf-8")

"""The page of nights that were really learned, if of a small shop."""

import json

from tasks import workspace
from tasks.ledger import open_ledger
from tasks.report import write_report
from tests.line import APPLICATION, Place, nth
from tests.tasks.test_report import Reader


def test_every_plot_has_what_the_steps_recorded(seasoned: Place) -> None:
    page = write_report(open_ledger(), APPLICATION, seasoned.params)
    found = Reader(page.read_text(encoding="utf-8"))
    figures = json.loads(found.data)
    # These nights ran without the flow, which is what times them.
    assert figures.keys() >= {"quality-0", "champions", "drift", "forgetting", "curves", "growth"}
    days = [str(nth(number)) for number in (1, 2, 3)]
    (heat,) = figures["forgetting"]["data"]
    assert heat["x"] == days
    assert all(row < days[-1] for row in heat["y"])  # each past day is known by its date
    assert {line["name"] for line in figures["growth"]["data"]} == {
        *("new users", "rows of users", "new items", "rows of items"),
    }
    assert figures["drift"]["data"][2]["name"] == "fine tune"
    assert f"Next run{nth(4)}It has landed." in found.text
    assert found.links.count(f"{days[0]}/card.md") == 1
    index = Reader((workspace.REPORTS / "index.html").read_text(encoding="utf-8"))
    assert f"{APPLICATION}/index.html#day-{days[-1]}" in index.links

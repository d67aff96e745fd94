"""The report says what the ledger and the records say, and needs nothing but itself."""

import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tasks import workspace
from tasks.ledger import Ledger
from tasks.params import load_params
from tasks.records import Verdict
from tasks.report import keep_drift_page, rows, terminal_table, write_report
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, date, name

PARAMS = load_params()
DRAWN = {
    *("quality-0", "quality-1", "champions", "drift", "forgetting", "curves", "cost"),
    *("seconds", "growth"),
}


class Reader(HTMLParser):
    """What a browser would see: addresses, identifiers, text, and the data of the plots."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.text = ""
        self.data = ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self._in = values.get("type", tag) if tag in ("script", "style") else ""
        self.ids.add(values.get("id", ""))
        if tag == "a":
            self.links.append(values["href"])
        elif "src" in values or "href" in values:
            self.loaded.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if not self._in:
            self.text += data
        elif self._in == "application/json":
            self.data += data


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    return Ledger(f"sqlite:///{workspace.LEDGER}")


@pytest.fixture
def nights(ledger: Ledger) -> Ledger:
    made_up.write_nights(ledger)
    return ledger


def read(path: Path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def test_every_day_after_the_first_champion_has_a_row_with_its_fate(nights: Ledger) -> None:
    table = rows(nights, APPLICATION)
    assert [(row.day, row.decision) for row in table] == [
        (date(3), "keep"),
        (date(4), "keep"),
        (date(5), "quarantined"),
        (date(6), "roll back"),
        (date(7), "keep"),
        (date(8), "promote"),
        (date(9), "keep"),
    ]
    assert [row.rows for row in table] == [4111, 4148, 0, 4222, 0, 4296, 4333]
    assert [row.drift for row in table] == ["4/7", "3/7", "-", "4/7", "-", "4/7", "failed"]


def test_the_short_reason_names_the_failed_check_or_why_nothing_was_learned(
    nights: Ledger,
) -> None:
    short = {row.day: row.short for row in rows(nights, APPLICATION)}
    assert short[date(5)] == "column 'quantity' is missing"
    assert short[date(7)] == "the shop was closed"
    assert short[date(8)] == "every check passed"
    assert short[date(9)] == "failed: challenger not worse on held-out users"


def test_a_day_that_was_taken_back_keeps_what_was_measured_on_it(nights: Ledger) -> None:
    row = rows(nights, APPLICATION)[0]
    assert row.decision == "keep"
    assert row.short == "kept in the state: the champion was taken back"
    assert row.champion == made_up.metrics(3, 0.31)
    assert row.naive == made_up.metrics(3, 0.275)


def test_a_day_to_relearn_shows_no_figures_of_what_was_taken_back(nights: Ledger) -> None:
    made_up.go_back_to(nights, 7, 8, 9)
    eight = rows(nights, APPLICATION)[-2]
    assert (eight.decision, eight.short, eight.champion) == ("to relearn", "bad labels", {})
    page = read(write_report(nights, APPLICATION, PARAMS))
    assert f"{name(7)[:12]}since 2017-10-07, roll back by operator: bad labels" in page.text
    assert "4 days since the first champion, 2 to be learned again" in page.text


def test_the_page_loads_nothing_and_draws_every_plot(nights: Ledger) -> None:
    page = read(write_report(nights, APPLICATION, PARAMS))
    assert page.loaded == []
    figures = json.loads(page.data)
    assert set(figures) == DRAWN <= page.ids
    champion = next(line for line in figures["quality-0"]["data"] if line["name"] == "champion")
    assert champion["y"][0] == made_up.metrics(3, 0.31)["ndcg@10"]


def test_the_page_tells_who_serves_and_what_waits(nights: Ledger) -> None:
    page = read(write_report(nights, APPLICATION, PARAMS))
    assert f"{name(8)[:12]}since 2017-10-08, promote" in page.text
    assert "Learned through2017-10-09" in page.text
    assert "2017-10-05: column 'quantity' is missing" in page.text
    assert "1,770 user-days" in page.text  # five days of 354: closed and quarantined not


def test_what_others_wrote_is_text_and_never_markup(nights: Ledger) -> None:
    page = write_report(nights, APPLICATION, PARAMS)
    assert "<lost>" not in page.read_text(encoding="utf-8")
    assert "drift could not be evaluated: price <lost>" in read(page).text


@pytest.mark.fault(9)
def test_a_hostile_reason_is_text_in_the_page_and_in_its_plots(nights: Ledger) -> None:
    hostile = """"'><script>x()</script><a href="http://elsewhere">"""
    made_up.go_back_to(nights, 7, 8, 9, reason=hostile)
    page = write_report(nights, APPLICATION, PARAMS).read_text(encoding="utf-8")
    assert "<script>x()" not in page
    assert f"roll back by operator: {hostile}" in Reader(page).text
    (point,) = [
        text
        for line in json.loads(Reader(page).data)["quality-0"]["data"]
        for text in line.get("text", [])
        if "by an operator" in text
    ]
    assert "&lt;script&gt;" in point
    assert "<" not in point


def test_the_checks_of_a_verdict_unfold(nights: Ledger) -> None:
    page = read(write_report(nights, APPLICATION, PARAMS))
    assert page.text.count("2 checks") == 6
    assert "✗ challenger not worse on held-out users (ndcg@20)+0.0012" in page.text
    assert page.text.count("Power: how likely") == 6


def test_evidentlys_pages_move_beside_the_report_once(nights: Ledger) -> None:
    first = write_report(nights, APPLICATION, PARAMS)
    before = first.read_bytes()
    assert write_report(nights, APPLICATION, PARAMS).read_bytes() == before
    links = [link for link in read(first).links if link.endswith(".html")]
    days = (8, 6, 4, 3)  # in the column, and beside the verdict
    pages = [f"2017-10-0{day}/drift.html" for day in days for _ in range(2)]
    assert links == ["../index.html", *pages]
    for number, link in zip(days, links[1::2], strict=True):
        assert (first.parent / link).read_text() == f"<p>Evidently's page of day {number}</p>"
    assert not list(workspace.ATTACHMENTS.rglob("drift.html"))


def test_each_day_has_an_anchor_and_its_verdict_beside_the_page(nights: Ledger) -> None:
    card = workspace.ATTACHMENTS / APPLICATION / name(8) / "card.md"
    card.write_text("# A card")
    page = write_report(nights, APPLICATION, PARAMS)
    found = read(page)
    assert {f"day-{date(number)}" for number in range(3, 10)} <= found.ids
    verdicts = [link for link in found.links if link.endswith("verdict.json")]
    assert verdicts == [f"2017-10-0{day}/verdict.json" for day in (9, 8, 7, 6, 4, 3)]
    for link in verdicts:
        assert Verdict.read(page.parent / link).day.isoformat() == link.split("/")[0]
    assert found.links.count("2017-10-08/card.md") == 1
    assert (page.parent / "2017-10-08" / "card.md").read_text() == "# A card"


def test_the_page_says_what_the_next_run_is_about(nights: Ledger) -> None:
    page = read(write_report(nights, APPLICATION, PARAMS))
    assert "Next run2017-10-10It has not landed yet." in page.text


def test_a_day_learned_again_has_the_newer_drift_page(nights: Ledger) -> None:
    kept = keep_drift_page(APPLICATION, name(8), date(8))
    assert kept is not None
    made = workspace.ATTACHMENTS / APPLICATION / name(8) / "drift.html"
    made.write_text("newer")
    assert keep_drift_page(APPLICATION, name(8), date(8)) == kept
    assert kept.read_text() == "newer"
    assert keep_drift_page(APPLICATION, name(9), date(9)) is None


def test_the_terminal_table_fits_and_shows_champion_beside_naive(nights: Ledger) -> None:
    lines = terminal_table(rows(nights, APPLICATION)).splitlines()
    assert max(map(len, lines)) <= 120
    day = next(line for line in lines if line.startswith("2017-10-08"))
    assert re.split(r"\s{2,}", day) == [
        "2017-10-08",
        "4,296",
        "4/7",
        "promote",
        "every check passed",
        "0.3260 0.2892",
        "0.2608 0.2313",
        "5.0 learn 2.9 drift 0.8",
    ]
    assert terminal_table([]).splitlines()[1].split()[:2] == ["day", "rows"]


def test_an_attachment_in_another_form_is_left_out_with_a_warning(
    nights: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    old = workspace.ATTACHMENTS / APPLICATION / name(8) / "drift.json"
    old.write_text('{"written by": "an older release"}')
    with caplog.at_level(logging.WARNING):
        row = rows(nights, APPLICATION)[-2]
    assert row.drift == "-"
    assert row.champion == made_up.metrics(8, 0.31)
    assert str(old) in caplog.text


def test_without_attachments_the_ledger_still_makes_a_page(nights: Ledger) -> None:
    workspace.ATTACHMENTS.rename("elsewhere")
    page = read(write_report(nights, APPLICATION, PARAMS))
    # Drift, forgetting, curves, growth; there is no metric, and the ledger has the rest.
    assert page.text.count("Nothing to show yet.") == 4
    assert "2017-10-084,296-promote every check passed5.0" in page.text


def test_before_the_bootstrap_the_page_says_what_to_do(ledger: Ledger) -> None:
    page = read(write_report(ledger, APPLICATION, PARAMS, Path("pages")))
    assert "There is no champion yet: run the bootstrap flow first." in page.text
    assert Path("pages", APPLICATION, "index.html").exists()

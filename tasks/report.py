"""Step: one page that shows every night, and the same as lines for a terminal."""

import datetime as dt
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

from tasks import workspace
from tasks.ledger import Ledger
from tasks.nights import ReportRow, beside, nights
from tasks.page import page
from tasks.records import Alert

PAGE = "index.html"
DRIFT_PAGE = "drift.html"
WIDTH = 120
WHY_WIDTH, WHY_LINES, LARGEST_WIDTH = 22, 3, 19
SHORT_STEPS = {"finish_snapshots": "snapshot", "fine_tune": "learn", "prequential": "score"}


def write_report(
    ledger: Ledger,
    application: str,
    reports: Path = workspace.REPORTS,
    alerts: Sequence[Alert] = (),
) -> Path:
    """Write `<reports>/<application>/index.html`, one file that needs no network; returns it.

    Evidently's page of each day is moved beside it first. A version without attachments (the
    first one, an operator's rollback) has no point in the plots.
    """
    known = nights(ledger, application)
    links = {}
    for night in known:
        if night.version and keep_drift_page(application, night.version, night.day, reports):
            links[night.day] = f"{night.day}/{DRIFT_PAGE}"
    place = reports / application
    place.mkdir(parents=True, exist_ok=True)
    draft = place / f"{PAGE}.draft"
    draft.write_text(page(ledger, application, known, links, alerts), encoding="utf-8")
    return draft.replace(place / PAGE)


def rows(ledger: Ledger, application: str) -> list[ReportRow]:
    """Every day since the first champion, oldest first."""
    return [night.row() for night in nights(ledger, application)]


def keep_drift_page(
    application: str, version: str, day: dt.date, reports: Path = workspace.REPORTS
) -> Path | None:
    """Move Evidently's page of the day from the version's attachments to the reports.

    Returns where it is, None if there never was one. It is no evidence: two runs never write the
    same bytes.
    """
    made = beside(application, version, DRIFT_PAGE)
    kept = reports / application / str(day) / DRIFT_PAGE
    if made.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, kept)
    return kept if kept.exists() else None


def terminal_table(table: Sequence[ReportRow]) -> str:
    """The rows as plain text of at most 120 columns; a long reason goes on below, then is cut.

    Two metrics find room.
    """
    shown = next((row.shown for row in reversed(table) if row.shown), ())
    metrics = [*shown, "", ""][:2]
    above = ["", "", "", "", "", *(f"{metric:^13}" for metric in metrics), "", ""]
    head = ["day", "rows", "drift", "decision", "why", *["champ  naive"] * 2, "sec", "largest"]
    lines = [_line(above), _line(head), "-" * WIDTH]
    for row in table:
        lines += _lines(row, metrics)
    return "\n".join(lines)


def _lines(row: ReportRow, metrics: Sequence[str]) -> list[str]:
    wrapped = textwrap.wrap(
        row.short, WHY_WIDTH, max_lines=WHY_LINES, placeholder="…", break_long_words=True
    )
    first, *rest = wrapped or [""]
    cells = [
        f"{row.day}",
        f"{row.rows:,}",
        row.drift,
        row.decision.removesuffix(" approval"),  # for its narrow column
        first,
        *(f"{_value(row.champion, metric)} {_value(row.naive, metric)}" for metric in metrics),
        f"{sum(row.seconds.values()):.1f}" if row.seconds else "-",
        _largest(row.seconds),
    ]
    return [_line(cells), *(_line(["", "", "", "", part, "", "", "", ""]) for part in rest)]


def _line(cells: Sequence[str]) -> str:
    day, rows_, drift, decision, why, left, right, seconds, largest = cells
    return (
        f"{day:10}  {rows_:>6}  {drift:>6}  {decision:11}  {why:{WHY_WIDTH}}  {left:13}  "
        f"{right:13}  {seconds:>5} {largest:{LARGEST_WIDTH}}"
    ).rstrip()


def _value(metrics: dict[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else f"{'-':>6}"


def _largest(seconds: dict[str, float]) -> str:
    """The steps that took longest, as many as there is room for."""
    text = ""
    for step, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        part = f"{text} {SHORT_STEPS.get(step, step)} {spent:.1f}".lstrip()
        if len(part) > LARGEST_WIDTH:
            break
        text = part
    return text

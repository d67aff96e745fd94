"""Step: one page that shows every night, and the same as lines for a terminal."""

import datetime as dt
import os
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks import days, workspace
from tasks.ahead import ahead, next_run
from tasks.alerts import open_alerts
from tasks.ledger import Ledger
from tasks.nights import Night, ReportRow, beside, nights
from tasks.page import DRIFT, Coming, Entry, index, page
from tasks.params import Params

PAGE = "index.html"
DRIFT_PAGE = "drift.html"
COPIED = ("verdict.json", "card.md")
FILES = {DRIFT: DRIFT_PAGE, "verdict.json": "verdict.json", "model card": "card.md"}
WIDTH = 120
WHY_WIDTH, WHY_LINES, LARGEST_WIDTH = 22, 3, 19
SHORT_STEPS = {"finish_snapshots": "snapshot", "fine_tune": "learn", "prequential": "score"}


def write_report(
    ledger: Ledger, application: str, params: Params, reports: Path = workspace.REPORTS
) -> Path:
    """Write `<reports>/<application>/index.html`, one file that needs no network; returns it.

    The files that its days link to are put beside it first; after it, the index of all
    applications. A version without attachments (the first one, an operator's rollback) has no
    point in the plots.
    """
    known = nights(ledger, application)
    links = {night.day: keep_files(application, night, reports) for night in known}
    coming = _coming(ledger, application, params, known)
    alerts = open_alerts(ledger, application, params)
    made = page(ledger, application, known, links, alerts, coming)
    written = _write(made, reports / application / PAGE)
    _write(index(_entries(ledger, params, reports)), reports / PAGE)
    return written


def _write(content: str, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")  # applications share the index
    draft.write_text(content, encoding="utf-8")
    return draft.replace(path)


def _coming(
    ledger: Ledger, application: str, params: Params, known: Sequence[Night]
) -> Coming | None:
    """The next run, by the data that is pulled: the registry may be far."""
    line = ledger.line(application)
    if line is None:
        return None
    landed = days.by_day(days.manifest()) if workspace.DATA.exists() else {}
    return next_run(line, ahead(ledger, line, params.shop, landed), known, params)


def _entries(ledger: Ledger, params: Params, reports: Path) -> Iterator[Entry]:
    for name in params.applications:
        line = ledger.line(name)
        champions = ledger.champions(name)
        fates = [fate for fate in ledger.fates(name).values() if fate.action != "first"]
        yield Entry(
            application=name,
            line=line,
            serving=champions[-1] if champions else None,
            last=Night(fates[-1], None, {}) if fates else None,
            alerts=open_alerts(ledger, name, params),
            link=f"{name}/{PAGE}" if (reports / name / PAGE).exists() else None,
        )


def rows(ledger: Ledger, application: str) -> list[ReportRow]:
    """Every day since the first champion, oldest first."""
    return [night.row() for night in nights(ledger, application)]


def keep_files(
    application: str, night: Night, reports: Path = workspace.REPORTS
) -> dict[str, str]:
    """Put the day's files beside the page, for a browser; their addresses, by name."""
    if night.version is None:
        return {}
    place = reports / application / str(night.day)
    keep_drift_page(application, night.version, night.day, reports)
    for name in COPIED:
        made = beside(application, night.version, name)
        if made.exists():
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, place / name)
    return {
        title: f"{night.day}/{name}" for title, name in FILES.items() if (place / name).exists()
    }


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

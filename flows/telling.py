"""What the command line shows: tables for a terminal, from the records that steps hand over."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasks.figures import figure
from tasks.nights import Night, ReportRow
from tasks.records import Check
from tasks.standing import Standing
from tasks.verify import Verified

COLOURS = {
    "promote": "green",
    "roll back": "red",
    "quarantined": "red",
    "to relearn": "yellow",
    "awaiting approval": "yellow",
}


def standings(found: Sequence[Standing]) -> Iterator[RenderableType]:
    """A line for each application, and what needs a person below."""
    table = _table("application", "champion", "since", "learned", "days", "due", "health")
    for one in found:
        table.add_row(
            one.application,
            one.champion[:12],
            f"{one.since}",
            f"{one.learned_through}",
            f"{one.learned}",
            f"{len(one.due)}",
            Text("look", "red") if one.attention else Text("well", "green"),
        )
    yield table
    for one in found:
        for said in one.attention:
            yield Text.assemble((f"{one.application}: ", "bold"), said)


def history(application: str, rows: Sequence[ReportRow]) -> Iterator[RenderableType]:
    """A line for each day; the champion's metrics beside the naive rival's."""
    shown = next((row.shown for row in reversed(rows) if row.shown), ())
    table = _table("day", "rows", "drift", "decision", title=application)
    table.add_column("why")
    for metric in shown:
        table.add_column(f"{metric} (naive)", justify="right")
    for row in rows:
        table.add_row(
            f"{row.day}",
            f"{row.rows:,}",
            row.drift,
            _decision(row.decision),
            Text(row.short),
            *(_beside(row, metric) for metric in shown),
        )
    yield table


def night(application: str, found: Night) -> RenderableType:
    """All that is known of a day, the reason first."""
    version = f"version {found.version[:12]}" if found.version else "no version"
    head = Text.assemble(
        (f"{application}, {found.day}: ", "bold"), _decision(found.decision), f" ({version})"
    )
    parts: list[RenderableType] = [head, Text(found.fate.reason)]
    if found.plan:
        parts.append(Text(f"Plan: {found.plan.told}"))
    if found.drift:
        moved = [name for name, column in found.drift.columns.items() if column.drifted]
        parts.append(Text(f"Drift: {found.drift.reason}; moved: {', '.join(moved) or 'nothing'}"))
    if found.verdict:
        parts += [Text(alarm, "red") for alarm in found.verdict.alarms]
        parts += _checks(found.verdict.checks)
    return Group(*parts)


def night_record(found: Night) -> dict[str, Any]:
    """The same as JSON: the ledger's entry and the records beside the version."""
    records = {
        "fate": found.fate,
        "prequential": found.prequential,
        "drift": found.drift,
        "plan": found.plan,
        "verdict": found.verdict,
        "fit": found.fit,
    }
    told = {name: r.model_dump(mode="json") for name, r in records.items() if r is not None}
    return {"version": found.version, "seconds": found.seconds, **told}


def verified(found: Sequence[Verified], files: int, damage: Sequence[str]) -> RenderableType:
    """What was looked at, then each damage on a line of its own."""
    lines = [
        Text(
            f"{one.application}: {one.versions} versions, {one.attachments} attachments, "
            f"{len(one.damage)} damaged"
        )
        for one in found
    ]
    lines.append(Text(f"data: {files} files, {len(damage)} damaged"))
    every = [said for one in found for said in one.damage] + list(damage)
    return Group(*lines, *(Text(said, "red") for said in every))


def _table(*columns: str, title: str | None = None) -> Table:
    """Columns that are never broken; the last ones, of words, are added to it."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _decision(decision: str) -> Text:
    return Text(decision, COLOURS.get(decision, ""))


def _beside(row: ReportRow, metric: str) -> str:
    if metric not in row.champion or metric not in row.naive:
        return "-"
    return f"{figure(row.champion[metric])} ({figure(row.naive[metric])})"


def _checks(checks: Sequence[Check]) -> Iterator[RenderableType]:
    """A line of figures for each check; below, why one failed, or what it says without figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("check", overflow="fold")
    for column in ("effect", "interval", "margin", "n"):
        table.add_column(column, no_wrap=True, justify="right")
    for check in checks:
        table.add_row(
            Text(f"{'✓' if check.passed else '✗'} {check.name}", "" if check.passed else "red"),
            figure(check.effect, "+"),
            "" if check.low is None else f"{figure(check.low, '+')} to {figure(check.high, '+')}",
            figure(check.margin),
            f"{check.units}" if check.units else "",
        )
    yield table
    for check in checks:
        if not check.passed or check.effect is None:
            yield Text(f"{check.name}: {check.why}", "" if check.passed else "red")

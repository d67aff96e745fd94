"""What a run leaves in Prefect's UI: the verdict, the metrics, a link to the day's drift page."""

import datetime as dt
import os
from pathlib import Path

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from flows.markdown import as_text
from tasks import workspace
from tasks.collect import Collection
from tasks.due import answer_command
from tasks.figures import figure
from tasks.ledger import Day
from tasks.nights import awaiting_folder, metric_names
from tasks.page import CHECK_WORDS
from tasks.records import Check, Increment, Prequential, Verdict
from tasks.report import keep_drift_page

ROLES = ("champion", "predecessor", "anchor", "naive")


def show_increment(increment: Increment, head: str) -> None:
    """Leave the artifacts of a committed increment, whose version is `head`.

    Their keys stay the same from day to day, so that the UI shows a history of each.
    """
    application, day = increment.application, increment.day
    _show_records(application, day, workspace.ATTACHMENTS / application / head)
    if page := keep_drift_page(application, head, day):
        create_link_artifact(
            report_url(page),
            link_text=f"Evidently: {application}, {day}",
            key=_key(application, "drift"),
            description=f"{day} beside the days before",
        )


def show_question(application: str, asked: Day) -> None:
    """Leave what a person is asked to approve, under the same keys: verdict and metrics."""
    _show_records(application, asked.day, awaiting_folder(application, asked))


def _show_records(application: str, day: dt.date, place: Path) -> None:
    verdict = Verdict.read(place / "verdict.json")
    scored = Prequential.read(place / "prequential.json")
    create_markdown_artifact(
        verdict_markdown(verdict),
        key=_key(application, "verdict"),
        description=f"{day}: {verdict.outcome.replace('_', ' ')}",
    )
    units = f"{scored.units} {scored.unit.removesuffix('_id')}s"
    create_table_artifact(
        metric_table(scored),
        key=_key(application, "metrics"),
        description=f"{day} before learning: {units}",
    )


def show_plan(application: str, plan: str) -> None:
    """Leave what tonight would do, as Markdown: the artifact of a dry run."""
    create_markdown_artifact(plan, key=_key(application, "plan"), description="a dry run")


def show_collection(found: Collection, dry_run: bool) -> str:
    """Leave what a collection removed, or would, as Markdown; returns it."""
    going = "would go" if dry_run else "went"
    sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in found.bytes.items())
    text = (
        f"{found.application}: {sum(found.bytes.values()) / 1e6:.1f} MB {going} ({sizes}), of "
        f"{len(found.versions)} versions and {len(found.experiments)} experiments. The line can "
        f"go back to {len(found.targets)}: {', '.join(name[:12] for name in found.targets)}"
    )
    create_markdown_artifact(text, key=_key(found.application, "collection"), description=going)
    return text


def verdict_markdown(verdict: Verdict) -> str:
    """The decision, why, and every check with all that it was judged by.

    Four columns are what fits on Prefect's page, and two on a phone's: passed or not comes first.
    The rest of each check is said below.
    """
    title = f"## {verdict.application}, {verdict.day}: {verdict.outcome.replace('_', ' ')}"
    alarms = [f"> **A person must look:** {as_text(alarm)}\n" for alarm in verdict.alarms]
    head = "| passed | check | effect | interval |\n|---|---|---:|---|"
    lines = map(_check_line, verdict.checks)
    why = map(_check_why, verdict.checks)
    plan = [f"Plan: {as_text(verdict.plan)}\n"] if verdict.plan else []
    reason = f"{as_text(verdict.reason)}\n"
    asks = [_question(verdict)] if verdict.awaits else []
    words = f"\n{CHECK_WORDS}"
    return "\n".join([title, "", reason, *asks, *plan, *alarms, head, *lines, "", *why, words])


def _question(verdict: Verdict) -> str:
    """Apart from the rest, and the command as it is typed."""
    command = answer_command(verdict.application, verdict.day)
    return (
        f"> **A person is asked:** the gate would {verdict.action} challenger "
        f"{(verdict.awaits or '')[:12]}.\n\n"
        f"Approve or reject it in Prefect, Deployments > {verdict.application} (approve) > Run "
        "> Custom run (the list *decision* opens by the key ↓), or in the workspace:\n\n"
        f'```\n{command} \\\n    --decision approve --reason "..."\n```\n'
    )


def metric_table(scored: Prequential) -> list[dict[str, str | float | None]]:
    """One line per metric, one column per role; the metric that decides comes first."""
    return [
        {"metric": name, **{role: _rounded(getattr(scored, role).get(name)) for role in ROLES}}
        for name in metric_names(scored)
    ]


def report_url(page: Path) -> str:
    """Where a person's browser finds a page of the reports.

    Under DAYSHIFT_REPORTS_URL if something serves this workspace's; else the file itself.
    """
    base = os.environ.get("DAYSHIFT_REPORTS_URL")
    if base is None or _elsewhere():
        return page.resolve().as_uri()
    return f"{base.rstrip('/')}/{page.relative_to(workspace.REPORTS).as_posix()}"


def _elsewhere() -> bool:
    """Whether this is not the workspace that the server belongs to, but that of a backfill."""
    home = os.environ.get("DAYSHIFT_WORKSPACE")
    return home is not None and Path(home).resolve() != Path.cwd()


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(figure(value))


def _check_line(check: Check) -> str:
    cells = [
        "yes" if check.passed else "**no**",
        as_text(check.name),
        figure(check.effect, "+"),
        "" if check.low is None else f"[{figure(check.low, '+')}, {figure(check.high, '+')}]",
    ]
    return "| " + " | ".join(cells) + " |"


def _check_why(check: Check) -> str:
    measures = {
        "margin": figure(check.margin) or None,
        "n": check.units or None,
        "looks": None if check.effect is None else check.looks,
        "power": None if check.power is None else f"{check.power:.0%}",
    }
    known = ", ".join(f"{name} {value}" for name, value in measures.items() if value is not None)
    failed = "" if check.passed else "failed, "
    told = f"- **{as_text(check.name)}:** {failed}{as_text(check.why)}"
    return told + (f" ({known})" if known else "")


def _key(application: str, what: str) -> str:
    """Lowercase letters, digits and dashes, as Prefect asks; a backfill has its own history."""
    replay = "backfill-" if _elsewhere() else ""
    return f"{replay}{application.lower().replace('_', '-')}-{what}"

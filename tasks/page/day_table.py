"""Day by day: a line each, the verdict with every check unfolded below it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from html import escape

from tasks.faults import Fault
from tasks.figures import figure
from tasks.nights import Night
from tasks.page.headline import label
from tasks.records import Check, Metrics

Links = Mapping[dt.date, Mapping[str, str]]  # of a day, by what it is: addresses beside the page
DRIFT = "Evidently report"
CHECK_COLUMNS = ("check", "effect", "interval", "margin", "n", "looks", "power", "why")
CHECK_WORDS = (
    "Effect: by how much it is better (+) or worse (-); the interval allows for chance. "
    "Margin: the loss that is allowed. n: how many were compared. Looks: how often it was asked "
    "in these weeks; each time asks for more proof. Power: how likely it is to be right."
)


def day_table(nights: Sequence[Night], links: Links, metrics: Sequence[str]) -> str:
    """The newest day first."""
    names = ["Day", "Rows", "Drift", "Decision and why"]
    names += [f"{label(metric)} (naive)" for metric in metrics] + ["Seconds"]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f'<tr id="day-{night.day}">'
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>'
            for name, cell in zip(names, _cells(night, links, metrics), strict=True)
        )
        + f"</tr>{_details(night, links.get(night.day, {}), len(names))}"
        for night in reversed(nights)
    )
    return f'<table class="days"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(night: Night, links: Links, metrics: Sequence[str]) -> list[str]:
    row = night.row()
    drift = escape(row.drift)
    if address := links.get(night.day, {}).get(DRIFT):
        drift = f'<a href="{escape(address)}">{drift}</a>'
    kind = row.decision.replace(" ", "-")
    return [
        f"{row.day}",
        f"{row.rows:,}",
        drift,
        f'<b class="{kind}">{escape(row.decision)}</b> {escape(row.short)}',
        *(_beside(row.champion, row.naive, metric) for metric in metrics),
        f"{sum(row.seconds.values()):.1f}" if row.seconds else "-",
    ]


def _details(night: Night, links: Mapping[str, str], width: int) -> str:
    """A second line: alarms, and unfolded the verdict or what was wrong with the day."""
    verdict = night.verdict
    if verdict is None and not night.faults and not links and not night.ignored:
        return ""
    alarms = list(verdict.alarms) if verdict else []
    alarms += [night.ignored.reason] if night.ignored else []
    said = "".join(f'<p class="alarm">{escape(alarm)}</p>' for alarm in alarms)
    if verdict:
        unfolded = _unfolded(f"{len(verdict.checks)} checks", _verdict(night))
    else:
        unfolded = _unfolded(f"{len(night.faults)} faults", _faults(night.faults))
    files = "".join(f'<a href="{escape(to)}">{escape(name)}</a>' for name, to in links.items())
    files = f'<p class="files">{files}</p>' if files else ""
    return f'<tr class="more"><td colspan="{width}">{said}{unfolded}{files}</td></tr>'


def _unfolded(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>{content}</details>" if content else ""


def _verdict(night: Night) -> str:
    """Plan, the reason in full, every check."""
    if night.verdict is None:
        return ""
    plan = f"<p>Plan: {escape(night.plan.told)}</p>" if night.plan else ""
    checks = _wide(CHECK_COLUMNS, "".join(map(_check, night.verdict.checks)), "checks")
    told = f"{plan}<p>Verdict: {escape(night.verdict.reason)}</p>{checks}"
    return f'{told}<p class="words">{CHECK_WORDS}</p>'


def _faults(faults: Sequence[Fault]) -> str:
    body = "".join(
        f"<tr><td>{escape(fault.column or '')}</td><td>{escape(fault.rule)}</td>"
        f"<td>{fault.count:,}</td><td>{', '.join(map(str, fault.rows))}</td></tr>"
        for fault in faults
    )
    return _wide(("column", "is not, or has", "rows", "first rows"), body) if faults else ""


def _wide(names: Sequence[str], body: str, kind: str = "") -> str:
    """A table that scrolls by itself where the screen is narrow; `checks` are stacked there."""
    head = "".join(f"<th>{name}</th>" for name in names)
    kinds = f"wide {kind}".rstrip()
    return (
        f'<div class="{kinds}" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _check(check: Check) -> str:
    low, high = figure(check.low, "+"), figure(check.high, "+")
    cells = [
        f"{'✓' if check.passed else '✗'} {check.name}",
        figure(check.effect, "+"),
        f"{low} to {high}" if low else "",
        figure(check.margin),
        f"{check.units}",
        "" if check.effect is None else f"{check.looks}",
        "" if check.power is None else f"{check.power:.0%}",
        check.why,
    ]
    kind = "passed" if check.passed else "failed"
    told = "".join(
        f'<td data-label="{name}">{escape(cell)}</td>'
        for name, cell in zip(CHECK_COLUMNS, cells, strict=True)
    )
    return f'<tr class="{kind}">{told}</tr>'


def _beside(champion: Metrics, naive: Metrics, name: str) -> str:
    if name not in champion or name not in naive:
        return "-"
    return f"{figure(champion[name])} <small>({figure(naive[name])})</small>"

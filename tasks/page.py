"""The report's HTML: one file with its own style, data and plotly.js, for a phone or a desktop."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from tasks import charts
from tasks.faults import Fault
from tasks.ledger import DayEntry, Ledger
from tasks.nights import Night
from tasks.records import Alert, Check, Metrics

STYLE = files("tasks").joinpath("page.css")
PLOTLY = files("plotly").joinpath("package_data/plotly.min.js")
DRAW = """
for (const [name, figure] of Object.entries(JSON.parse(document.getElementById("data").text))) {
  Plotly.newPlot(name, figure.data, figure.layout, {responsive: true, displayModeBar: false});
}
"""


def page(
    ledger: Ledger,
    application: str,
    nights: Sequence[Night],
    links: Mapping[dt.date, str],
    alerts: Sequence[Alert] = (),
) -> str:
    """The whole page; `links` are the days' drift pages, relative to it."""
    champions = ledger.champions(application)
    metrics = _metrics(nights)
    figures = {
        f"quality-{number}": (
            f"{_label(metric)} before learning the day",
            charts.quality(nights, champions, metric),
        )
        for number, metric in enumerate(metrics)
    } | {
        "drift": ("Drift: population stability index by column; ● moved", charts.drift(nights)),
        "curves": ("Learning curves of the last increments", charts.curves(nights)),
        "seconds": ("Seconds by step", charts.seconds(nights)),
    }
    drawn = {name: figure for name, (_, figure) in figures.items() if figure}
    plots = "".join(
        f'<figure id="about-{name}"><figcaption>{escape(title)}</figcaption>'
        f'<div class="plot" id="{name}">'
        f"{'' if figure else '<p>Nothing to show yet.</p>'}</div></figure>"
        for name, (title, figure) in figures.items()
    )
    data = json.dumps(drawn, allow_nan=False).replace("<", "\\u003c")
    title = f"Dayshift: {escape(application)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE.read_text()}</style></head><body><main><h1>{title}</h1>"
        f"{_alerts(alerts)}{_headline(ledger, application, nights, metrics)}"
        f'<section class="plots">{plots}</section>'
        f"<h2>Day by day</h2>{_table(nights, links, metrics)}</main>"
        f'<script type="application/json" id="data">{data}</script>'
        f"<script>{PLOTLY.read_text(encoding='utf-8')}</script><script>{DRAW}</script>"
        "</body></html>\n"
    )


def _alerts(alerts: Sequence[Alert]) -> str:
    """One line each, before all else."""
    lines = "".join(
        f"<li><b>{escape(alert.kind)}</b> {alert.day}: {escape(alert.reason)} "
        f"<small>{escape(alert.cure)}</small></li>"
        for alert in alerts
    )
    return f'<ul class="alerts">{lines}</ul>' if lines else ""


def _metrics(nights: Sequence[Night]) -> list[str]:
    """Those that the learner says are looked at first."""
    scored = [night.prequential for night in nights if night.prequential]
    return list(scored[-1].shown) if scored else []


def _headline(
    ledger: Ledger, application: str, nights: Sequence[Night], metrics: Sequence[str]
) -> str:
    line = ledger.line(application)
    if line is None:
        return "<p>There is no champion yet: run the bootstrap flow first.</p>"
    serving = ledger.champions(application)[-1]
    waiting = [night.fate for night in nights if night.decision == "quarantined"]
    again = sum(night.fate.is_due(night.fate.digest) for night in nights)
    learned = sum(night.fate.outcome == "learned" for night in nights)
    alarms = sum(bool(night.verdict and night.verdict.alarms) for night in nights)
    cards = [
        (
            "Serving",
            f"<code>{serving.version[:12]}</code>",
            f"since {serving.day}, {escape(serving.action.replace('_', ' '))} by "
            f"{escape(serving.actor)}: {escape(serving.reason)}",
        ),
        (
            "Learned through",
            f"{line.day}",
            f"{learned} days since the first champion"
            + (f", {again} to be learned again" if again else ""),
        ),
        *(_gain(nights, metric) for metric in metrics),
        ("Set aside", f"{len(waiting)}", _reasons(waiting) or "no day is quarantined"),
    ]
    if ignored := [night.ignored for night in nights if night.ignored]:
        cards.append(("Corrections not learned", f"{len(ignored)}", _reasons(ignored)))
    if alarms:
        cards.append(("Alarms", f"{alarms}", "days that a person must look at, see below"))
    return '<section class="cards">' + "".join(map(_card, cards)) + "</section>"


def _card(card: tuple[str, str, str]) -> str:
    name, value, more = card
    return f"<div><h3>{escape(name)}</h3><strong>{value}</strong><p>{more}</p></div>"


def _reasons(waiting: Sequence[DayEntry]) -> str:
    return "; ".join(f"{entry.day}: {escape(entry.reason)}" for entry in waiting[-3:])


def _gain(nights: Sequence[Night], metric: str) -> tuple[str, str, str]:
    """The champion beside the naive rival, a mean over all unit-days shown."""
    scored = [
        night.prequential
        for night in nights
        if night.prequential
        and {metric} <= set(night.prequential.champion) & set(night.prequential.naive)
    ]
    units = sum(record.units for record in scored)
    if not units:
        return _label(metric), "-", "no day was scored yet"
    ours, naive = (
        sum(getattr(record, who)[metric] * record.units for record in scored) / units
        for who in ("champion", "naive")
    )
    more = f", {ours / naive - 1:+.1%}" if naive else ""
    kind = scored[-1].unit.removesuffix("_id")
    return (
        _label(metric),
        f"{ours:.4f}",
        f"naive {naive:.4f}{more}; {units:,} {kind}-days, scored before learning",
    )


def _table(nights: Sequence[Night], links: Mapping[dt.date, str], metrics: Sequence[str]) -> str:
    """The newest day first."""
    names = ["Day", "Rows", "Drift", "Decision and why"]
    names += [f"{_label(metric)} (naive)" for metric in metrics] + ["Seconds"]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>'
            for name, cell in zip(names, _cells(night, links, metrics), strict=True)
        )
        + f"</tr>{_details(night, len(names))}"
        for night in reversed(nights)
    )
    return f'<table class="days"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(night: Night, links: Mapping[dt.date, str], metrics: Sequence[str]) -> list[str]:
    row = night.row()
    drift = escape(row.drift)
    if night.day in links:
        drift = f'<a href="{escape(links[night.day])}">{drift}</a>'
    kind = row.decision.replace(" ", "-")
    return [
        f"{row.day}",
        f"{row.rows:,}",
        drift,
        f'<b class="{kind}">{escape(row.decision)}</b> {escape(row.short)}',
        *(_beside(row.champion, row.naive, metric) for metric in metrics),
        f"{sum(row.seconds.values()):.1f}" if row.seconds else "-",
    ]


def _details(night: Night, width: int) -> str:
    """A second line, the verdict unfolded: alarms, plan, the reason in full, every check."""
    verdict = night.verdict
    if verdict is None:
        return _fault_table(night.faults, width) if night.faults else ""
    alarms = "".join(f'<p class="alarm">{escape(alarm)}</p>' for alarm in verdict.alarms)
    plan = f"<p>Plan: {escape('; '.join(night.plan.reasons))}</p>" if night.plan else ""
    names = ("check", "effect", "interval", "margin", "n", "looks", "power", "why")
    head = "".join(f"<th>{name}</th>" for name in names)
    checks = "".join(map(_check, verdict.checks))
    return (
        f'<tr class="more"><td colspan="{width}">{alarms}<details>'
        f"<summary>{len(verdict.checks)} checks</summary>{plan}"
        f'<p>Verdict: {escape(verdict.reason)}</p><div class="wide"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{checks}</tbody></table></div></details></td></tr>"
    )


def _fault_table(faults: Sequence[Fault], width: int) -> str:
    names = ("column", "is not, or has", "rows", "first rows")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        f"<tr><td>{escape(fault.column or '')}</td><td>{escape(fault.rule)}</td>"
        f"<td>{fault.count:,}</td><td>{', '.join(map(str, fault.rows))}</td></tr>"
        for fault in faults
    )
    return (
        f'<tr class="more"><td colspan="{width}"><details><summary>{len(faults)} faults</summary>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div></details></td></tr>"
    )


def _check(check: Check) -> str:
    interval = "" if check.low is None else f"{check.low:+.4f} to {check.high:+.4f}"
    cells = [
        f"{'✓' if check.passed else '✗'} {check.name}",
        "" if check.effect is None else f"{check.effect:+.4f}",
        interval,
        "" if check.margin is None else f"{check.margin:.4f}",
        f"{check.units}",
        "" if check.effect is None else f"{check.looks}",
        "" if check.power is None else f"{check.power:.0%}",
        check.why,
    ]
    kind = "passed" if check.passed else "failed"
    return f'<tr class="{kind}">' + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>"


def _beside(champion: Metrics, naive: Metrics, name: str) -> str:
    if name not in champion or name not in naive:
        return "-"
    return f"{champion[name]:.4f} <small>({naive[name]:.4f})</small>"


def _label(metric: str) -> str:
    return metric.replace("ndcg", "NDCG").replace("recall", "Recall")

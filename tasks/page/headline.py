"""What a person sees first: alerts, who serves, what comes next."""

import datetime as dt
import textwrap
from collections.abc import Sequence
from html import escape

from tasks.figures import figure
from tasks.ledger import DayEntry, Ledger
from tasks.nights import Night
from tasks.records import Alert

Coming = tuple[dt.date, tuple[str, ...]]  # the next run's day, and what it does, in sentences

NO_CHAMPION = "<p>There is no champion yet: run the bootstrap flow first.</p>"


def alert_list(alerts: Sequence[Alert]) -> str:
    """One line each, before all else."""
    lines = "".join(
        f"<li><b>{escape(alert.kind)}</b> {alert.day}: {escape(alert.reason)} "
        f"<small>{escape(alert.cure)}</small></li>"
        for alert in alerts
    )
    return f'<ul class="alerts">{lines}</ul>' if lines else ""


def headline(
    ledger: Ledger,
    application: str,
    nights: Sequence[Night],
    metrics: Sequence[str],
    coming: Coming | None,
) -> str:
    """The cards."""
    line = ledger.line(application)
    if line is None:
        return NO_CHAMPION
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
    following = _next_run(application, coming) if coming else ""
    return f'<section class="cards">{"".join(map(card, cards))}</section>{following}'


def _next_run(application: str, coming: Coming) -> str:
    """No dry run: that costs half a night, and may be asked for."""
    day, told = coming
    said = " ".join(f"{escape(sentence)}." for sentence in told)
    return (
        f'<section class="cards next"><div><h3>Next run</h3><strong>{day}</strong><p>{said} '
        f"Dry run: <code>dayshift plan -a {escape(application)}</code></p></div></section>"
    )


def card(told: tuple[str, str, str]) -> str:
    """Its name, what it says, and in small what more there is: the last two are HTML."""
    name, value, more = told
    return f"<div><h3>{escape(name)}</h3><strong>{value}</strong><p>{more}</p></div>"


def _reasons(waiting: Sequence[DayEntry]) -> str:
    """In short: the day's row has all of it."""
    told = [(entry.day, textwrap.shorten(entry.reason, 80, placeholder=" …")) for entry in waiting]
    return "; ".join(f"{day}: {escape(reason)}" for day, reason in told[-3:])


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
        return label(metric), "-", "no day was scored yet"
    ours, naive = (
        sum(getattr(record, who)[metric] * record.units for record in scored) / units
        for who in ("champion", "naive")
    )
    more = f", {ours / naive - 1:+.1%}" if naive else ""
    kind = scored[-1].unit.removesuffix("_id")
    return (
        label(metric),
        figure(ours),
        f"naive {figure(naive)}{more}; {units:,} {kind}-days, scored before learning",
    )


def label(metric: str) -> str:
    """The metric as people write it."""
    return metric.replace("ndcg", "NDCG").replace("recall", "Recall")

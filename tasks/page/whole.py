"""The page of one application."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from tasks import charts
from tasks.charts import Figure
from tasks.forgetting import forgetting
from tasks.ledger import Ledger
from tasks.nights import Night
from tasks.page.day_table import Links, day_table
from tasks.page.headline import Coming, alert_list, headline, label
from tasks.records import Alert

STYLE = files("tasks").joinpath("page/page.css")
SCRIPT = files("tasks").joinpath("page/page.js")
PLOTLY = files("plotly").joinpath("package_data/plotly.min.js")


def page(
    ledger: Ledger,
    application: str,
    nights: Sequence[Night],
    links: Links,
    alerts: Sequence[Alert],
    coming: Coming | None,
) -> str:
    """The whole page; `links` are the days' files, relative to it."""
    metrics = _metrics(nights)
    figures = _figures(ledger, application, nights, metrics)
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
        f"{head(title)}<body><main>"
        f'<nav><a href="../index.html">All applications</a></nav><h1>{title}</h1>'
        f"{alert_list(alerts)}{headline(ledger, application, nights, metrics, coming)}"
        f'<section class="plots">{plots}</section>'
        f"<h2>Day by day</h2>{day_table(nights, links, metrics)}</main>"
        f'<script type="application/json" id="data">{data}</script>'
        f"<script>{PLOTLY.read_text(encoding='utf-8')}</script>"
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script></body></html>\n"
    )


def head(title: str) -> str:
    """The beginning of a file of the report."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
    )


def _metrics(nights: Sequence[Night]) -> list[str]:
    """Those that the learner says are looked at first."""
    scored = [night.prequential for night in nights if night.prequential]
    return list(scored[-1].shown) if scored else []


def _figures(
    ledger: Ledger, application: str, nights: Sequence[Night], metrics: Sequence[str]
) -> Mapping[str, tuple[str, Figure | None]]:
    """By name, in the order of the page: what it shows, and the figure."""
    champions = ledger.champions(application)
    served = charts.champions(nights, champions, ledger.history(application))
    first = _first_fit(ledger, application)
    return {
        f"quality-{number}": (
            f"{label(metric)} before learning the day",
            charts.quality(nights, champions, metric),
        )
        for number, metric in enumerate(metrics)
    } | {
        "champions": ("Champions, each since the last day it had learned", served),
        "drift": (
            "Drift by column (population stability index; ● moved), and what the night did",
            charts.drift(nights),
        ),
        "forgetting": (
            "Forgetting: how much the challenger's loss on a past day rose (red) or fell",
            charts.forgetting(forgetting(application, nights)),
        ),
        "curves": ("Learning curves of the last increments", charts.curves(nights)),
        "cost": (
            "Cost of a night beside a full fit" + ("" if first else " (none was timed yet)"),
            charts.cost(nights, first),
        ),
        "seconds": ("Seconds by step", charts.seconds(nights)),
        "growth": (
            "New ids: their share of the day's (above), and the tables' growth (below)",
            charts.growth(nights),
        ),
    }


def _first_fit(ledger: Ledger, application: str) -> tuple[dt.date, float] | None:
    """The day and the seconds of the bootstrap; an older release has noted none."""
    found = [one for one in ledger.attempts(application) if one.outcome == "first"]
    return (found[-1].day, sum((found[-1].seconds or {}).values())) if found else None

"""Staleness of the gradients and throughput of the cases, as one plot."""

import json
import logging
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.asynchronous_figures import EVEN, SLOW, Runs, rival_of

log = logging.getLogger(__name__)

Figure = dict[str, Any]
INK, GRID = "#1d2530", "#e6e9ee"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
STALE = ("#dbe6f5", "#a9c8ee", "#6f9fdd", "#2f6fc4", "#173f7d")  # 0, 1, 2, ... updates
DELAYS = ("#1857b8", "#c62f2f")
WIDTH, HEIGHT = 1180, 640
PLOTLY = files("plotly").joinpath("package_data/plotly.min.js")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PANELS = ([0, 0.235], [0.285, 0.52], [0.57, 1])


def figure(every: Sequence[Runs]) -> Figure:
    """Cases down; gradients by staleness with even workers and a slow one, and throughput."""
    asynchronous = [one for one in every if not one.case.synchronous]
    names = list(dict.fromkeys(one.case.name for one in asynchronous))
    data = []
    for axis, delay in (("x", EVEN), ("x2", SLOW)):
        runs = [one for one in asynchronous if one.delay == delay]
        data += _staleness(runs, axis, legend=delay == EVEN)
    for number, delay in enumerate(dict.fromkeys(one.delay for one in asynchronous)):
        runs = [one for one in asynchronous if one.delay == delay]
        data.append(_throughput(runs, every, delay, DELAYS[number], (number - 0.5) * 0.3, names))
    return {"data": data, "layout": _layout(names)}


def _staleness(runs: Sequence[Runs], axis: str, *, legend: bool) -> list[Figure]:
    shares = {one.case.name: one.histogram() for one in runs}
    most = max((stale for found in shares.values() for stale in found), default=0)
    return [
        {
            "type": "bar",
            "orientation": "h",
            "xaxis": axis,
            "name": f"{stale} updates stale",
            "legendgroup": f"{stale}",
            "showlegend": legend,
            "y": [list(shares).index(name) for name in shares],
            "x": [found.get(stale, 0.0) for found in shares.values()],
            "marker": {"color": STALE[min(stale, len(STALE) - 1)]},
            "hovertemplate": "%{x:.0%}",
        }
        for stale in range(most + 1)
    ]


def _throughput(
    runs: Sequence[Runs],
    every: Sequence[Runs],
    delay: str,
    colour: str,
    offset: float,
    names: list[str],
) -> Figure:
    ratios = [one.rates() / rival_of(one, every, delay).rates() for one in runs]
    middle = [float(sorted(each)[len(each) // 2]) for each in ratios]
    return {
        "type": "scatter",
        "mode": "markers",
        "xaxis": "x3",
        "name": delay,
        "y": [names.index(one.case.name) + offset for one in runs],
        "x": middle,
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [float(max(each)) - m for each, m in zip(ratios, middle, strict=True)],
            "arrayminus": [m - float(min(each)) for each, m in zip(ratios, middle, strict=True)],
            "thickness": 1.5,
            "width": 0,
        },
        "marker": {"color": colour, "size": 9},
        "hovertemplate": "%{x:.2f}",
    }


def _layout(names: list[str]) -> Figure:
    titles = (
        "gradients by staleness: even workers",
        "one worker slow",
        "batches a second, of the synchronous rule's with two workers",
    )
    axis: Figure = {"gridcolor": GRID, "zeroline": False, "anchor": "y"}
    share = {**axis, "range": [0, 1], "tickformat": ".0%", "tickvals": [0, 0.5, 1]}
    return {
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "barmode": "stack",
        "bargap": 0.25,
        "width": WIDTH,
        "height": HEIGHT,
        "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
        "xaxis": {**share, "domain": PANELS[0]},
        "xaxis2": {**share, "domain": PANELS[1]},
        "xaxis3": {**axis, "domain": PANELS[2], "rangemode": "tozero"},
        "yaxis": {
            "autorange": "reversed",
            "tickvals": list(range(len(names))),
            "ticktext": [f"{name}  " for name in names],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
        "legend": {"orientation": "h", "x": 0, "y": -0.07, "yanchor": "top", "entrywidth": 108},
        "shapes": [
            {
                "type": "line", "xref": "x3", "yref": "paper", "x0": 1, "x1": 1, "y0": 0, "y1": 1,
                "line": {"color": INK, "width": 1, "dash": "dot"},
            }
        ],
        "annotations": [
            {
                "text": title, "xref": "paper", "yref": "paper", "x": panel[0], "y": 1.0,
                "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"size": 13},
            }
            for title, panel in zip(titles, PANELS, strict=True)
        ],
    }  # fmt: skip


def write(every: Sequence[Runs], stem: Path) -> None:
    """`<stem>.html`, and `<stem>.png` where there is a browser to draw it."""
    data = json.dumps(figure(every), allow_nan=False)
    page = stem.with_name(f"{stem.name}.html")
    page.write_text(
        '<!doctype html><html><head><meta charset="utf-8"></head><body style="margin:0">'
        f'<div id="plot"></div><script>{PLOTLY.read_text(encoding="utf-8")}</script>'
        f"<script>const f = {data}; Plotly.newPlot('plot', f.data, f.layout, "
        "{displayModeBar: false});</script></body></html>\n"
    )
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        log.warning("no browser among %s: %s is not drawn as PNG", ", ".join(BROWSERS), page)
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        sheet = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        sheet.goto(page.resolve().as_uri())
        sheet.screenshot(path=str(stem.with_name(f"{stem.name}.png")))
        chromium.close()

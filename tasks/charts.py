"""The report's plots, as plotly's own JSON; plotly.js draws them in the page.

Each function takes the nights, oldest first, and returns a figure, or None with nothing to show.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from tasks.ledger import ChampionEntry
from tasks.nights import Night

Figure = dict[str, Any]

INK, GRID, BAD = "#1d2530", "#e6e9ee", "#c62f2f"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
RIVALS = {  # colour and dash, the champion last so that it lies on top
    "naive": ("#8b919b", "dot"),
    "anchor": ("#c9822b", "dash"),
    "predecessor": ("#86b6ee", "solid"),
    "champion": ("#1857b8", "solid"),
}
MARKS = {
    "promote": ("triangle-up", "#1a8a4a"),
    "keep": ("circle-open", INK),
    "roll back": ("triangle-down", BAD),
    "quarantined": ("x", BAD),
    "awaiting approval": ("diamond-open", "#c9822b"),
    "taken back": ("arrow-bar-left", BAD),
}
STEPS = {  # in the order of the night; a step not named here comes last
    "validate": "#9aa7b8",
    "prequential": "#86b6ee",
    "drift": "#c9822b",
    "plan": "#d9d2c0",
    "fine_tune": "#1857b8",
    "evaluate": "#4f8ddb",
    "decide": "#7b61a8",
    "promote": "#1a8a4a",
    "finish_snapshots": "#6fb58c",
}
PSI_COLOURS = [[0.0, "#f7f8fa"], [0.4, "#f6d9ae"], [0.7, "#e0873a"], [1.0, "#a3261c"]]
PSI_TOP = 0.5  # beyond it the colour says no more
LAST_CURVES = 7


def quality(
    nights: Sequence[Night], champions: Iterable[ChampionEntry], metric: str
) -> Figure | None:
    """A metric on each day before it was learned, champion beside rivals, decisions marked."""
    scored = [night.prequential for night in nights if night.prequential]
    lines = [
        _line(who, {record.day: getattr(record, who).get(metric) for record in scored}, *style)
        for who, style in RIVALS.items()
    ]
    values = [value for line in lines for value in line["y"] if value is not None]
    if not values:
        return None
    ours = {record.day: record.champion.get(metric) for record in scored}
    floor = min(values) - 0.08 * (max(values) - min(values) or max(values) or 1)
    events = [(n.decision, n.day, ours.get(n.day, floor), n.fate.reason) for n in nights]
    events += [
        ("taken back", entry.day, floor, f"by an operator, to this day: {entry.reason}")
        for entry in champions
        if entry.action == "roll_back" and entry.actor == "operator"
    ]
    marks = [
        _marks(name, [event[1:] for event in events if event[0] == name], *look)
        for name, look in MARKS.items()
    ]
    layout = _layout([night.day for night in nights]) | {"hovermode": "closest"}
    layout["yaxis"]["tickformat"] = ".3f"
    return {"data": lines + [mark for mark in marks if mark["x"]], "layout": layout}


def drift(nights: Sequence[Night]) -> Figure | None:
    """PSI of each column and day as a heat map; above it the share of columns that moved."""
    days = [str(night.day) for night in nights]  # a day without drift leaves a gap of its width
    found = [night.drift.columns if night.drift else {} for night in nights]
    names = sorted({name for columns in found for name in columns}, reverse=True)
    if not names:
        return None
    cells = [[columns.get(name) for columns in found] for name in names]
    heat = {
        "type": "heatmap",
        "x": days,
        "y": names,
        "z": [[cell and cell.psi for cell in line] for line in cells],
        "text": [["●" if cell and cell.drifted else "" for cell in line] for line in cells],
        "texttemplate": "%{text}",
        "textfont": {"color": INK, "size": 9},
        "hovertemplate": "%{y}, %{x}<br>PSI %{z:.3f}<extra></extra>",
        "hoverongaps": False,
        "colorscale": PSI_COLOURS,
        "zmin": 0,
        "zmax": PSI_TOP,
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"orientation": "h", "thickness": 8, "len": 0.5, "y": -0.12, "yanchor": "top"},
    }
    layout = _layout([night.day for night in nights]) | {"showlegend": False, "bargap": 0.3}
    layout["yaxis"] |= {"domain": [0, 0.72], "showgrid": False}
    layout["xaxis"]["anchor"] = "y"
    layout["yaxis2"] = {
        "domain": [0.8, 1],
        "range": [0, 1],
        "tickformat": ".0%",
        "gridcolor": GRID,
        "nticks": 3,
        "title": {"text": "moved", "font": {"size": 11}},
    }
    return {"data": [heat, _moved(nights)], "layout": layout}


def _moved(nights: Sequence[Night]) -> Figure:
    known = [night.drift for night in nights if night.drift and night.drift.columns]
    return {
        "type": "bar",
        "x": [str(record.day) for record in known],
        "y": [record.share for record in known],
        "yaxis": "y2",
        "marker": {"color": [BAD if record.detected else "#9aa7b8" for record in known]},
        "hovertemplate": "%{x}<br>%{y:.0%} of the columns moved<extra></extra>",
    }


def curves(nights: Sequence[Night]) -> Figure | None:
    """Loss by step of the last increments that learned; the newest is the darkest."""
    learned = [night for night in nights if night.fit and night.fit.curve][-LAST_CURVES:]
    if not learned:
        return None
    lines = []
    for number, night in enumerate(learned, 1):
        points = night.fit.curve if night.fit else ()
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{night.day}",
                "x": [point["step"] for point in points],
                "y": [point["loss"] for point in points],
                "line": {
                    "color": f"rgba(24, 87, 184, {0.2 + 0.8 * number / len(learned):.2f})",
                    "width": 2.5 if number == len(learned) else 1.5,
                },
                "hovertemplate": "step %{x}<br>loss %{y:.4f}",
            }
        )
    layout = _layout([])
    layout["xaxis"] |= {"type": "linear", "title": {"text": "optimizer step"}}
    layout["yaxis"]["title"] = {"text": "loss"}
    layout["legend"]["y"] = -0.28  # below the axis' title
    return {"data": lines, "layout": layout}


def seconds(nights: Sequence[Night]) -> Figure | None:
    """Seconds of each step, day by day, stacked in the order of the night."""
    timed = [night for night in nights if night.seconds]
    found = {step for night in timed for step in night.seconds}
    if not found:
        return None
    order = [step for step in STEPS if step in found] + sorted(found - set(STEPS))
    bars = [
        {
            "type": "bar",
            "name": step.replace("_", " "),
            "x": [str(night.day) for night in timed],
            "y": [night.seconds.get(step, 0) for night in timed],
            "marker": {"color": STEPS.get(step, "#444c58")},
            "hovertemplate": "%{y:.2f} s",
        }
        for step in order
    ]
    layout = _layout([night.day for night in nights])
    layout |= {"barmode": "stack", "hovermode": "x unified", "bargap": 0.3}
    layout["yaxis"] |= {"title": {"text": "seconds"}, "rangemode": "tozero"}
    return {"data": bars, "layout": layout}


def _line(name: str, values: dict[dt.date, float | None], colour: str, dash: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "connectgaps": True,
        "name": name,
        "legendrank": 10 - list(RIVALS).index(name),
        "x": [str(day) for day in values],
        "y": list(values.values()),
        "line": {"color": colour, "dash": dash, "width": 3 if name == "champion" else 2},
        "marker": {"size": 4},
        "hovertemplate": "%{x}<br>%{y:.4f}",
    }


def _marks(
    name: str, points: list[tuple[dt.date, float | None, str]], symbol: str, colour: str
) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [str(day) for day, _, _ in points],
        "y": [value for _, value, _ in points],
        "text": [_cut(why) for _, _, why in points],
        "marker": {
            "symbol": symbol,
            "color": colour,
            "size": 11,
            "line": {"width": 2 if "open" in symbol else 0},
        },
        "legendrank": 100,
        "hovertemplate": "%{x}<br>%{text}",
    }


def _layout(days: Sequence[dt.date]) -> Figure:
    axis: Figure = {"gridcolor": GRID, "zeroline": False, "automargin": True, "ticks": ""}
    across: Figure = {**axis, "showgrid": False}
    if days:
        before, after = days[0] - dt.timedelta(days=1), days[-1]
        across |= {
            "type": "date",
            "range": [f"{before} 10:00", f"{after} 14:00"],
            "tick0": str(days[0]),
            "dtick": 86_400_000 * max(1, -(-len(days) // 8)),  # milliseconds
            "tickformat": "%-d %b",
        }
    return {
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": across,
        "yaxis": axis,
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": -0.14,
            "yanchor": "top",
            "entrywidth": 72,
        },
    }


def _cut(reason: str) -> str:
    """Short enough for a hover label, where Plotly would make links and bold type of markup."""
    return escape(reason if len(reason) <= 90 else f"{reason[:89]}…", quote=False)

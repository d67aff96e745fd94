"""What all plots share: colours, axes, and text that plotly must not take for markup."""

import datetime as dt
from collections.abc import Sequence
from html import escape
from typing import Any

Figure = dict[str, Any]

INK, GRID, SOFT = "#1d2530", "#e6e9ee", "#9aa7b8"
BLUE, GREEN, AMBER, BAD = "#1857b8", "#1a8a4a", "#c9822b", "#c62f2f"
MILLISECONDS = 86_400_000  # of a day
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def layout(days: Sequence[dt.date]) -> Figure:
    """White, with a legend below; across the days, or across anything where there are none."""
    axis: Figure = {"gridcolor": GRID, "zeroline": False, "automargin": True, "ticks": ""}
    across: Figure = {**axis, "showgrid": False}
    if days:
        before, after = days[0] - dt.timedelta(days=1), days[-1]
        across |= {
            "type": "date",
            "range": [f"{before} 10:00", f"{after} 14:00"],
            "tick0": str(days[0]),
            "dtick": MILLISECONDS * max(1, -(-len(days) // 8)),
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


def cut(reason: str) -> str:
    """Short enough for a hover label, where Plotly would make links and bold type of markup."""
    return escape(reason if len(reason) <= 90 else f"{reason[:89]}…", quote=False)

"""What a night taught: the loss of today's rows, and that of past days beside it."""

import datetime as dt
from collections.abc import Mapping, Sequence

from tasks.charts.drawing import Figure, layout
from tasks.nights import Night

LAST_CURVES = 7
FORGOTTEN = [[0.0, "#1a8a4a"], [0.5, "#f7f8fa"], [1.0, "#a3261c"]]
Past = Mapping[str, tuple[float, int]]  # of each past day: mean rise of the loss, and units


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
                "customdata": [str(night.day)] * len(points),
                "hovertemplate": "step %{x}<br>loss %{y:.4~g}",
            }
        )
    made = layout([])
    made["xaxis"] |= {"type": "linear", "title": {"text": "optimizer step"}}
    made["yaxis"]["title"] = {"text": "loss"}
    made["legend"]["y"] = -0.33  # below the axis' title
    return {"data": lines, "layout": made}


def forgetting(nights: Mapping[str, Past]) -> Figure | None:
    """By day learned and past day: how much higher the challenger's mean loss on it is."""
    rows = sorted({row for past in nights.values() for row in past})
    if not rows:
        return None
    first, last = (dt.date.fromisoformat(end(nights)) for end in (min, max))
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    across = [nights.get(str(day), {}) for day in days]  # a night without any leaves a gap
    cells = [[past.get(row) for past in across] for row in rows]
    most = max(abs(cell[0]) for line in cells for cell in line if cell) or 1.0
    heat = {
        "type": "heatmap",
        "x": [str(day) for day in days],
        "y": rows,
        "z": [[cell and cell[0] for cell in line] for line in cells],
        "customdata": [[cell and cell[1] for cell in line] for line in cells],
        "hovertemplate": "%{x} learned, %{y}<br>loss %{z:+.4~g}, "
        "%{customdata} units<extra></extra>",
        "hoverongaps": False,
        "colorscale": FORGOTTEN,
        "zmin": -most,
        "zmax": most,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 8, "outlinewidth": 0, "tickformat": "+.3~g", "nticks": 5},
    }
    made = layout(days) | {"hovermode": "closest"}
    made["xaxis"]["title"] = {"text": "day learned"}
    made["xaxis"]["dtick"] *= 2  # room for a phone
    made["yaxis"] |= {"type": "category", "nticks": 10, "showgrid": False}
    return {"data": [heat], "layout": made}

"""New users and items, and how the tables grow by them."""

from collections.abc import Sequence

from tasks.charts.drawing import AMBER, BLUE, GRID, Figure, layout
from tasks.nights import Night
from tasks.records import IdCount

COLUMNS = {"user_id": ("users", BLUE), "item_id": ("items", AMBER)}


def growth(nights: Sequence[Night]) -> Figure | None:
    """Above, the share of a day's ids without a row; below, how the number of rows grew."""
    counted = [(str(n.day), n.prequential.ids) for n in nights if n.prequential]
    lines = []
    for column, look in COLUMNS.items():
        known = [(day, ids[column]) for day, ids in counted if column in ids]
        if known:
            lines += _lines(known, *look)
    if not lines:
        return None
    made = layout([night.day for night in nights]) | {"hovermode": "closest"}
    made["xaxis"]["anchor"] = "y"
    made["legend"]["entrywidth"] = 100
    made["yaxis"] |= {"domain": [0, 0.44], "tickformat": "+.2~%", "nticks": 4}
    made["yaxis"]["title"] = {"text": "rows"}
    made["yaxis2"] = {
        "domain": [0.56, 1],
        "tickformat": ".1~%",
        "rangemode": "tozero",
        "gridcolor": GRID,
        "zeroline": False,
        "automargin": True,
        "nticks": 4,
        "title": {"text": "new"},
    }
    return {"data": lines, "layout": made}


def _lines(known: Sequence[tuple[str, IdCount]], name: str, colour: str) -> list[Figure]:
    first = known[0][1].known or 1
    new = {
        "name": f"new {name}",
        "y": [count.new / count.today if count.today else None for _, count in known],
        "text": [f"{count.new:,} of {count.today:,} {name}" for _, count in known],
        "yaxis": "y2",
    }
    rows = {
        "name": f"rows of {name}",
        "y": [count.known / first - 1 for _, count in known],
        "text": [f"{count.known:,} {name} known before the day" for _, count in known],
    }
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [day for day, _ in known],
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 5},
            "hovertemplate": "%{x}<br>%{text}<extra></extra>",
            **line,
        }
        for line, dash in ((new, "solid"), (rows, "dot"))
    ]

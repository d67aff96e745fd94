"""Drift of each column and day, and what was done about it."""

from collections.abc import Sequence

from tasks.charts.drawing import BAD, BLUE, GREEN, GRID, INK, SOFT, Figure, cut, layout
from tasks.nights import Night

PSI_COLOURS = [[0.0, "#f7f8fa"], [0.4, "#f6d9ae"], [0.7, "#e0873a"], [1.0, "#a3261c"]]
PSI_TOP = 0.5  # beyond it the colour says no more
ANSWERS = {  # what the night did about the day
    "fine tune": ("circle", BLUE),
    "full retrain": ("square", GREEN),
    "skip": ("circle-open", INK),
    "not learned": ("x", BAD),
}


def drift(nights: Sequence[Night]) -> Figure | None:
    """PSI of each column and day as a heat map; above it how many moved, and what was done."""
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
        "showlegend": False,
        "colorbar": {
            "thickness": 8,
            "outlinewidth": 0,
            "nticks": 4,
            "len": 0.68,
            "y": 0,
            "yanchor": "bottom",
        },
    }
    made = layout([night.day for night in nights]) | {"bargap": 0.3, "hovermode": "closest"}
    made["yaxis"] |= {"domain": [0, 0.68], "showgrid": False}
    made["xaxis"]["anchor"] = "y"
    made["yaxis2"] = {
        "domain": [0.74, 0.9],
        "range": [0, 1],
        "tickformat": ".0%",
        "gridcolor": GRID,
        "nticks": 3,
        "automargin": True,
    }
    made["yaxis3"] = {"domain": [0.93, 1], "showgrid": False, "automargin": True}
    return {"data": [heat, _moved(nights), *_answers(nights)], "layout": made}


def _moved(nights: Sequence[Night]) -> Figure:
    known = [night.drift for night in nights if night.drift and night.drift.columns]
    return {
        "type": "bar",
        "x": [str(record.day) for record in known],
        "y": [record.share for record in known],
        "yaxis": "y2",
        "showlegend": False,
        "marker": {"color": [BAD if record.detected else SOFT for record in known]},
        "hovertemplate": "%{x}<br>%{y:.0%} of the columns moved<extra></extra>",
    }


def _answers(nights: Sequence[Night]) -> list[Figure]:
    """A mark for each day, by its plan; of a day without one, that it was not learned."""
    told: dict[str, list[tuple[str, str]]] = {}
    for night in nights:
        plan = night.plan
        answer = plan.action.replace("_", " ") if plan else "not learned"
        if plan is None and night.fate.outcome == "learned":
            continue  # an operator kept it, or the record is one of another release
        why = "; ".join(plan.reasons) if plan else night.fate.reason
        told.setdefault(answer, []).append((str(night.day), cut(why)))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": answer,
            "x": [day for day, _ in told[answer]],
            "y": ["plan"] * len(told[answer]),
            "yaxis": "y3",
            "text": [why for _, why in told[answer]],
            "marker": {
                "symbol": symbol,
                "color": colour,
                "size": 10,
                "line": {"width": 2 if "open" in symbol else 0},
            },
            "hovertemplate": "%{x}<br>%{text}",
        }
        for answer, (symbol, colour) in ANSWERS.items()
        if answer in told
    ]

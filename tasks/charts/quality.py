"""Quality day by day, with what was decided about each day."""

import datetime as dt
from collections.abc import Iterable, Sequence

from tasks.charts.drawing import AMBER, BAD, BLUE, GREEN, INK, Figure, cut, layout
from tasks.ledger import ChampionEntry
from tasks.nights import Night

RIVALS = {  # colour and dash, the champion last so that it lies on top
    "naive": ("#8b919b", "dot"),
    "anchor": (AMBER, "dash"),
    "predecessor": ("#86b6ee", "solid"),
    "champion": (BLUE, "solid"),
}
MARKS = {
    "promote": ("triangle-up", GREEN),
    "keep": ("circle-open", INK),
    "roll back": ("triangle-down", BAD),
    "quarantined": ("x", BAD),
    "awaiting approval": ("diamond-open", AMBER),
    "taken back": ("arrow-bar-left", BAD),
}
ANOTHER = ("diamond", AMBER)  # any other decision: to relearn, given up, ...
Event = tuple[dt.date, float | None, str]


def quality(
    nights: Sequence[Night], champions: Iterable[ChampionEntry], metric: str
) -> Figure | None:
    """A metric on each day before it was learned, champion beside rivals, decisions marked.

    A day that was not scored has its mark below all lines.
    """
    scored = [night.prequential for night in nights if night.prequential]
    lines = [
        _line(who, {record.day: getattr(record, who).get(metric) for record in scored}, *style)
        for who, style in RIVALS.items()
    ]
    values = [value for line in lines for value in line["y"] if value is not None]
    if not values:
        return None
    ours = {record.day: record.champion.get(metric) for record in scored}
    step = 0.12 * (max(values) - min(values) or max(values) or 1)
    floor = min(values) - step
    events: dict[str, list[Event]] = {name: [] for name in MARKS}
    for night in nights:
        value = ours.get(night.day)
        known = (night.day, floor if value is None else value, night.fate.reason)
        events.setdefault(night.decision, []).append(known)
    events["taken back"] += [
        (entry.day, floor - step, f"by an operator, to this day: {entry.reason}")
        for entry in champions
        if entry.action == "roll_back" and entry.actor == "operator"
    ]
    marks = [_marks(name, found, *MARKS.get(name, ANOTHER)) for name, found in events.items()]
    made = layout([night.day for night in nights]) | {"hovermode": "closest"}
    made["yaxis"]["tickformat"] = ".3~g"
    return {"data": lines + [mark for mark in marks if mark["x"]], "layout": made}


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
        "hovertemplate": "%{x}<br>%{y:.4~g}",
    }


def _marks(name: str, points: list[Event], symbol: str, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [str(day) for day, _, _ in points],
        "y": [value for _, value, _ in points],
        "text": [cut(why) for _, _, why in points],
        "marker": {
            "symbol": symbol,
            "color": colour,
            "size": 11,
            "line": {"width": 2 if "open" in symbol else 0},
        },
        "legendrank": 100,
        "hovertemplate": "%{x}<br>%{text}",
    }

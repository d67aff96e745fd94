"""Who served from when to when."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.charts.drawing import AMBER, BLUE, GREEN, INK, MILLISECONDS, Figure, cut, layout
from tasks.ledger import ChampionEntry, DayEntry
from tasks.nights import Night

COLOURS = (BLUE, AMBER, GREEN, "#7b61a8", "#2b8c94", "#b0538a")  # in turn, by version
SERVED, TAKEN_BACK = "served", "taken back"
ONE_DAY = dt.timedelta(days=1)


@dataclass
class Term:
    """The days that a champion served on; `row` tells whether they still count."""

    entry: ChampionEntry
    begin: dt.date
    end: dt.date
    row: str = SERVED


def champions(
    nights: Sequence[Night], entries: Sequence[ChampionEntry], history: Sequence[DayEntry]
) -> Figure | None:
    """A band of the champions, each since the day that it had learned when it came to serve.

    Where an operator went back, the days since were served by one that was taken back.
    """
    if not nights or not entries:
        return None
    first, last = nights[0].day - ONE_DAY, nights[-1].day + ONE_DAY
    order = list(dict.fromkeys(entry.version for entry in entries))
    terms = [term for term in _terms(entries, history, last) if term.end > first]
    bars = {
        "type": "bar",
        "orientation": "h",
        "base": [str(max(term.begin, first)) for term in terms],
        "x": [(term.end - max(term.begin, first)).days * MILLISECONDS for term in terms],
        "y": [term.row for term in terms],
        "text": [term.entry.version[:7] for term in terms],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"color": ["#fff" if t.row == SERVED else INK for t in terms]},
        "textangle": 0,
        "customdata": [str(term.entry.day) for term in terms],
        "hovertext": [_told(term) for term in terms],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": [COLOURS[order.index(t.entry.version) % len(COLOURS)] for t in terms],
            "opacity": [1.0 if term.row == SERVED else 0.35 for term in terms],
            "line": {"color": "#fff", "width": 2},
        },
    }
    made = layout([night.day for night in nights])
    made |= {"barmode": "overlay", "bargap": 0.1, "hovermode": "closest", "showlegend": False}
    made["uniformtext"] = {"minsize": 10, "mode": "hide"}
    made["xaxis"]["range"] = [str(first), str(last)]
    made["xaxis"]["dtick"] *= 2  # room for a phone
    made["yaxis"] |= {"categoryarray": [TAKEN_BACK, SERVED], "categoryorder": "array"}
    return {"data": [bars], "layout": made}


def _terms(
    entries: Sequence[ChampionEntry], history: Sequence[DayEntry], last: dt.date
) -> list[Term]:
    terms: list[Term] = []
    for entry in entries:
        learned = []
        if entry.action == "roll_back" and entry.actor == "operator":
            learned = [one.day for one in history if one.sequence < entry.sequence and one.version]
        for term in [term for term in terms if term.row == SERVED and term.end > entry.day]:
            if learned:
                end = min(term.end, max(learned) + ONE_DAY)
                terms.append(Term(term.entry, max(term.begin, entry.day), end, TAKEN_BACK))
            term.end = entry.day
        terms.append(Term(entry, entry.day, last))
    return [term for term in terms if term.begin < term.end]


def _told(term: Term) -> str:
    entry = term.entry
    kind = entry.action.replace("_", " ")
    since = f"{entry.version[:12]}, since {entry.day}<br>{kind} by {cut(entry.actor)}"
    return f"{since}<br>{cut(entry.reason)}" + (
        f"<br>{TAKEN_BACK} later" if term.row == TAKEN_BACK else ""
    )

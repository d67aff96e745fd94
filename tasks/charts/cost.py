"""What a night costs: seconds by step, and beside those of a full fit."""

import datetime as dt
from collections.abc import Mapping, Sequence

from tasks.charts.drawing import BLUE, GREEN, SOFT, Figure, layout
from tasks.nights import Night

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
            "name": step.removeprefix("finish_").replace("_", " "),
            "x": [str(night.day) for night in timed],
            "y": [night.seconds.get(step, 0) for night in timed],
            "marker": {"color": STEPS.get(step, "#444c58")},
            "hovertemplate": "%{y:.2f} s",
        }
        for step in order
    ]
    made = layout([night.day for night in nights])
    made |= {"barmode": "stack", "hovermode": "x unified", "bargap": 0.3}
    made["yaxis"] |= {"title": {"text": "seconds"}, "rangemode": "tozero"}
    return {"data": bars, "layout": made}


def cost(nights: Sequence[Night], first: tuple[dt.date, float] | None) -> Figure | None:
    """Seconds of each night, of its learning alone, and of the last fit of all history till then.

    `first` is the day and the seconds of the first champion's fit, where they were noted.
    """
    timed = [night for night in nights if night.seconds]
    if not timed:
        return None
    full = {first[0]: first[1]} if first else {}
    full |= {n.day: n.seconds["fine_tune"] for n in timed if _refitted(n)}
    tuned = [n for n in timed if n.fit and n.fit.learned and not _refitted(n)]
    last = {night.day: _last(full, night.day) for night in timed}
    lines = [
        _line("full fit", last, GREEN, "dash"),
        _line("whole night", {n.day: sum(n.seconds.values()) for n in timed}, SOFT, "solid"),
        _line("its learning", {n.day: n.seconds.get("fine_tune") for n in tuned}, BLUE, "solid"),
    ]
    made = layout([night.day for night in nights]) | {"hovermode": "x unified"}
    made["legend"]["entrywidth"] = 92
    made["yaxis"] |= {"type": "log", "title": {"text": "seconds"}}
    made["yaxis"]["dtick"] = 1 if full else "D2"  # powers of ten; also twice and five times each
    return {"data": [line for line in lines if any(line["y"])], "layout": made}


def _refitted(night: Night) -> bool:
    plan = night.plan
    return bool(plan and plan.action == "full_retrain" and "fine_tune" in night.seconds)


def _last(full: Mapping[dt.date, float], day: dt.date) -> float | None:
    known = [fitted for fitted in full if fitted <= day]
    return full[max(known)] if known else None


def _line(name: str, values: Mapping[dt.date, float | None], colour: str, dash: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [str(day) for day in values],
        "y": list(values.values()),
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"size": 5},
        "hovertemplate": "%{y:.3~g} s",
    }

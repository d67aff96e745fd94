"""The plots of bench-learning: quality over days, what is forgotten, quality against cost."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.learning_figures import quality
from benchmarks.learning_shops import Shop
from benchmarks.learning_ways import DEFAULT, FROZEN, GATED, NAIVE, RETRAIN, Course

COLOURS = {
    FROZEN: "#8b919b",
    NAIVE: "#c9822b",
    DEFAULT: "#1857b8",
    GATED: "#1a8a4a",
    RETRAIN: "#c62f2f",
}
SMOOTH = 7  # days of the running mean: a single day's households differ more than the ways do
mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
# Same figure, same bytes.
mpl.rcParams.update({"svg.hashsalt": "dayshift", "svg.fonttype": "none"})


def draw(courses: list[Course], shop: Shop, stem: Path) -> None:
    """Write `<stem>.svg`: three plots one below the other."""
    ways: dict[str, list[Course]] = {}
    for course in courses:
        ways.setdefault(course.way.name, []).append(course)
    figure = Figure(figsize=(9, 12), layout="constrained")
    rows: Any = figure.subfigures(3, 1, height_ratios=[1.1, 0.9, 1.2])
    above, maps, below = rows
    _over_days(above.subplots(), ways, shop)
    _forgetting(maps, ways)
    _against_cost(below.subplots(), ways, shop)
    figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})


def _over_days(axes: Any, ways: dict[str, list[Course]], shop: Shop) -> None:
    """Each main way's quality beside the full retrain's, as a running mean."""
    rival = quality(ways[RETRAIN])
    for name in COLOURS:
        gain = (quality(ways[name]) - rival).rolling(SMOOTH, min_periods=1).mean()
        axes.plot(list(gain.index), gain, label=name, color=COLOURS[name], linewidth=1.4)
    gated = ways[GATED][0]
    gain = (quality([gated]) - rival).rolling(SMOOTH, min_periods=1).mean()
    for promoted, mark, filled in ((True, "^", COLOURS[GATED]), (False, "o", "none")):
        days = [day for day, served in gated.promoted.items() if served is promoted]
        label = "promoted" if promoted else "kept"
        axes.plot(
            days,
            [gain[day] for day in days],
            mark,
            mfc=filled,
            mec=COLOURS[GATED],
            ms=4,
            label=label,
        )
    for name, day in shop.drifts.items():
        axes.axvline(day, color="#1d2530", linewidth=0.7, linestyle=":")
        axes.text(day, axes.get_ylim()[1], f" {name}", va="top", fontsize=8)
    axes.set_title(
        f"{shop.learner.metric}, minus the full retrain's ({SMOOTH}-day mean; "
        f"{'higher' if shop.learner.higher_is_better else 'lower'} is better)",
        loc="left",
    )
    axes.legend(ncols=4, fontsize=8, frameon=False, loc="lower left")
    ticks = AutoDateLocator()
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(ticks))


def _forgetting(figure: Any, ways: dict[str, list[Course]]) -> None:
    """The rise of the loss on each past week's units, week after week."""
    names = (NAIVE, DEFAULT, RETRAIN)
    maps = {name: _rises(ways[name]) for name in names}
    most = max(float(np.nanmax(np.abs(rises))) for rises in maps.values()) or 1.0
    panels = figure.subplots(1, len(names), sharey=True)
    for axes, name in zip(panels, names, strict=True):
        image = axes.imshow(
            maps[name], cmap="RdBu_r", vmin=-most, vmax=most, origin="lower", aspect="auto"
        )
        axes.set_title(name, loc="left")
        axes.set_xlabel("after week")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(6, integer=True))
    panels[0].set_ylabel("units of week")
    figure.suptitle("forgetting: rise of the loss since the week's own end (red: worse)", x=0.3)
    figure.colorbar(image, ax=list(panels))


def _rises(group: list[Course]) -> Any:
    weeks = 1 + max((week for week, _ in group[0].losses), default=0)
    rises = np.full((weeks, weeks), np.nan)
    for course in group[:1]:
        for week, past in course.losses:
            rise = course.losses[week, past] - course.losses[past, past]
            rises[past, week] = float(np.nanmean(rise)) if len(rise) else np.nan
    return rises


def _against_cost(axes: Any, ways: dict[str, list[Course]], shop: Shop) -> None:
    """Mean quality against training's CPU seconds; frozen costs nothing and is a line."""
    for name, group in ways.items():
        value = float(quality(group).mean())
        seconds = float(np.mean([course.seconds for course in group]))
        colour = COLOURS.get(name, "#7b61a8")
        if not seconds:
            axes.axhline(value, color=colour, linewidth=0.8, linestyle="--")
            axes.text(1.0, value, f"{name} ", transform=axes.get_yaxis_transform(), ha="right",
                      va="bottom", color=colour, fontsize=8)  # fmt: skip
            continue
        axes.plot(seconds, value, "o", color=colour, ms=5)
        axes.annotate(name, (seconds, value), xytext=(4, 3), textcoords="offset points",
                      fontsize=7, color=colour)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("CPU seconds of training, all days")
    axes.set_title(f"mean {shop.learner.metric} against cost", loc="left")

"""Staleness of the gradients and throughput of the cases, as one plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.asynchronous_figures import EVEN, SLOW, Runs, rival_of

STALE = ("#dbe6f5", "#a9c8ee", "#6f9fdd", "#2f6fc4", "#173f7d")  # 0, 1, 2, ... updates
DELAYS = {EVEN: "#1857b8", SLOW: "#c62f2f"}
mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
mpl.rcParams.update({"svg.hashsalt": "dayshift", "svg.fonttype": "none"})  # same plot, same bytes


def draw(every: Sequence[Runs], stem: Path) -> None:
    """Write `<stem>.svg`: gradients by staleness under both delays, and throughput."""
    asynchronous = [one for one in every if not one.case.synchronous]
    names = list(dict.fromkeys(one.case.name for one in asynchronous))
    figure = Figure(figsize=(11, 1.5 + 0.4 * len(names)), layout="constrained")
    even, slow, speed = figure.subplots(1, 3, sharey=True, width_ratios=[1, 1, 1.6])
    for axes, delay in ((even, EVEN), (slow, SLOW)):
        _staleness(axes, [one for one in asynchronous if one.delay == delay], names)
        axes.set_title(f"staleness, {delay}", loc="left", fontsize=9)
    for number, (delay, colour) in enumerate(DELAYS.items()):
        runs = [one for one in asynchronous if one.delay == delay]
        _throughput(speed, runs, every, colour, (number - 0.5) * 0.3, names)
    speed.axvline(1, color="#1d2530", linewidth=0.8, linestyle=":")
    speed.set_xlim(left=0)
    speed.set_title("batches a second, of synchronous with two workers", loc="left", fontsize=9)
    even.set_yticks(range(len(names)), names)
    even.invert_yaxis()
    for axes, place in ((even, "outside lower left"), (speed, "outside lower right")):
        figure.legend(*axes.get_legend_handles_labels(), loc=place, ncols=3, fontsize=8,
                      frameon=False)  # fmt: skip
    figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})


def _staleness(axes: Any, runs: Sequence[Runs], names: list[str]) -> None:
    shares = {one.case.name: one.histogram() for one in runs}
    rows = [names.index(name) for name in shares]
    left = np.zeros(len(rows))
    for stale in range(1 + max((k for found in shares.values() for k in found), default=0)):
        width = np.array([found.get(stale, 0.0) for found in shares.values()])
        colour = STALE[min(stale, len(STALE) - 1)]
        axes.barh(rows, width, 0.7, left, color=colour, label=f"{stale} updates stale")
        left += width


def _throughput(
    axes: Any,
    runs: Sequence[Runs],
    every: Sequence[Runs],
    colour: str,
    offset: float,
    names: list[str],
) -> None:
    """The median of the rounds' ratios, from the least to the most."""
    for number, one in enumerate(runs):
        ratios = one.rates() / rival_of(one, every, one.delay).rates()
        row = names.index(one.case.name) + offset
        axes.plot([ratios.min(), ratios.max()], [row, row], color=colour, linewidth=1.5)
        label = None if number else one.delay
        axes.plot(np.median(ratios), row, "o", color=colour, ms=6, label=label)

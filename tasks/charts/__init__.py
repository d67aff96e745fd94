"""The report's plots, as plotly's own JSON; plotly.js draws them in the page.

Each function takes the nights, oldest first, and returns a figure, or None with nothing to show.
"""

from tasks.charts.champions import champions
from tasks.charts.cost import cost, seconds
from tasks.charts.drawing import Figure
from tasks.charts.drift import drift
from tasks.charts.growth import growth
from tasks.charts.learning import curves, forgetting
from tasks.charts.quality import quality

__all__ = [
    "Figure",
    "champions",
    "cost",
    "curves",
    "drift",
    "forgetting",
    "growth",
    "quality",
    "seconds",
]

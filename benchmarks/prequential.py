"""Does the champion beat the simple methods on days that it has not learned yet?

`make bench-prequential` replays October 2017 in a workspace of its own, day by day with the real
flow, and puts the champion's prequential results beside the rivals', household-day by
household-day. `--workspace DIR` scores a workspace that already holds the days, `--quick` takes
three days; neither is to be quoted.
"""

import argparse
import datetime as dt
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks import findings, rivals
from benchmarks.findings import Finding
from benchmarks.purchases import read_purchases
from benchmarks.replay import APPLICATION, FIRST, replay

log = logging.getLogger(__name__)

LAST = dt.date(2017, 10, 31)
QUICK_LAST = dt.date(2017, 10, 3)
OWN_WORKSPACE = Path(".workspaces/bench-prequential")
CHAMPION = "champion"
HARDEST = "tifu_knn"  # the one the champion must beat
DRAWS = 10_000
SEED = 20171001

Frame = pd.DataFrame


class DifferentRowsError(ValueError):
    """Two methods were not scored on the same household-days, so they cannot be compared."""


def main() -> None:
    """Score the champion beside the rivals and write results/prequential.{json,md,html}."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each call of Prefect's
    last = QUICK_LAST if given.quick else LAST
    workspace = given.workspace
    if workspace is None:
        workspace = OWN_WORKSPACE
        replay(workspace, last)
    learned = read_champion(workspace, FIRST, last)
    simple, cost = score_rivals(workspace, FIRST, last)
    table = join(learned, simple)
    found = compare(table, cost)
    # What another commit may have learned is not this one's to be quoted for.
    quick = given.quick or given.workspace is not None
    published = findings.publish(
        "prequential", found, _tables(found), notes=_notes(table), quick=quick
    )
    _plot(table, findings.RESULTS / f"{published.stem}.html")
    log.info("%s", _tables(found))


def read_champion(workspace: Path, first: dt.date, last: dt.date) -> Frame:
    """What the workspace's increments noted per household before learning each day.

    Raises FileNotFoundError when a workspace has learned nothing, DifferentRowsError when a day
    was scored twice (learned again after a rollback), for then it is not clear which one counts.
    """
    folder = workspace / "var" / "attachments" / APPLICATION
    files = sorted(folder.glob("*/prequential.parquet"))
    if not files:
        raise FileNotFoundError(
            f"{folder} holds no prequential results: replay the days there first"
        )
    columns = [*rivals.KEY, *rivals.METRICS]
    parts = [pq.ParquetFile(file).read(columns, use_threads=False).to_pandas() for file in files]
    table: Frame = pd.concat(parts, ignore_index=True)
    table = table.loc[table["day"].between(first.isoformat(), last.isoformat())]
    twice = table.loc[table.duplicated(rivals.KEY), "day"]
    if len(twice):
        raise DifferentRowsError(f"{folder} scored {twice.iloc[0]} more than once: use a new one")
    return table


def score_rivals(workspace: Path, first: dt.date, last: dt.date) -> tuple[Frame, dict[str, float]]:
    """The rivals' rows on the same data, and the CPU seconds that each took."""
    purchases = read_purchases(workspace, last)
    parts, cost = [], {}
    for name, method in rivals.METHODS.items():
        start = time.process_time()
        parts.append(rivals.score_days(purchases, first, last, {name: method}))
        cost[name] = time.process_time() - start
        log.info("%s: %.0f CPU seconds", name, cost[name])
    return pd.concat(parts, ignore_index=True), cost


def join(learned: Frame, simple: Frame) -> Frame:
    """All methods in one frame; raises DifferentRowsError unless all have the same rows."""
    table = pd.concat([learned, simple], ignore_index=True)
    rows = {str(name): _household_days(group) for name, group in table.groupby("method")}
    if CHAMPION not in rows:
        raise DifferentRowsError(f"no rows of the champion, only of {', '.join(sorted(rows))}")
    for name, there in rows.items():
        missing, extra = rows[CHAMPION].difference(there), there.difference(rows[CHAMPION])
        if len(missing) or len(extra):
            example = (missing if len(missing) else extra)[0]
            raise DifferentRowsError(
                f"{name} lacks {len(missing)} of the champion's {len(rows[CHAMPION])} household-"
                f"days and has {len(extra)} others, such as {example}: the two did not see the "
                "same events"
            )
    return table


def compare(table: Frame, cost: dict[str, float]) -> list[Finding]:
    """Means over household-days, then days; paired differences to the champion; 95% by day."""
    daily = table.groupby(["method", "day"])[rivals.METRICS].mean()
    champion = daily.loc[CHAMPION]
    rows = len(_household_days(table[table["method"] == CHAMPION]))
    found = []
    for name in _order(daily):
        for metric in rivals.METRICS:
            found.append(_finding(metric, name, daily.loc[name][metric], rows, cost.get(name)))
    for name in _order(daily):
        for metric in rivals.METRICS if name != CHAMPION else ():
            gain = champion[metric] - daily.loc[name][metric]
            result = _finding(f"{metric} gain of the champion", name, gain, rows, None)
            if name == HARDEST and result.interval:
                result = result.model_copy(update={"bar": 0.0, "met": result.interval[0] > 0})
            found.append(result)
    return found


def day_interval(daily: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """95% percentile interval of the mean (Efron & Tibshirani 1993, ch. 13), days resampled."""
    drawn = np.random.default_rng(SEED).integers(len(daily), size=(DRAWS, len(daily)))
    low, high = np.percentile(daily[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _finding(
    measure: str, method: str, daily: "pd.Series[float]", rows: int, cpu: float | None
) -> Finding:
    return Finding(
        measure=measure,
        application=APPLICATION,
        method=method,
        value=float(daily.mean()),
        unit="share",
        interval=day_interval(daily.to_numpy()),
        days=len(daily),
        rows=rows,
        cpu_seconds=cpu,
    )


def _household_days(table: Frame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[["day", "user_id"]])


def _order(daily: Frame) -> list[str]:
    """The champion first, then what it was taken from, then the rivals, weakest first."""
    own = [name for name in daily.index.unique("method") if name not in rivals.METHODS]
    return sorted(own, key=lambda name: (name != CHAMPION, name)) + list(rivals.METHODS)


def _tables(found: list[Finding]) -> str:
    """The means, and the champion's gains with their intervals, as two Markdown tables."""
    gains = [finding for finding in found if "gain" in finding.measure]
    levels = [finding for finding in found if "gain" not in finding.measure]
    head = ("method", *rivals.METRICS)
    means = findings.markdown(head, _by_method(levels, lambda one: f"{one.value:.4f}"))
    won = findings.markdown(("champion minus", *rivals.METRICS), _by_method(gains, _with_interval))
    return f"{means}\n\n{won}"


def _by_method(found: list[Finding], text: Callable[[Finding], str]) -> list[tuple[str, ...]]:
    methods = list(dict.fromkeys(one.method for one in found))
    return [(name, *(text(one) for one in found if one.method == name)) for name in methods]


def _with_interval(one: Finding) -> str:
    low, high = one.interval or (one.value, one.value)
    return f"{one.value:+.4f} ({low:+.4f} to {high:+.4f})"


def _notes(table: Frame) -> tuple[str, ...]:
    days = sorted(table["day"].unique())
    rows = len(_household_days(table[table["method"] == CHAMPION]))
    return (
        f"{rows} household-days of {days[0]} to {days[-1]}; means over households, then days. "
        "Denominators hold all that a household bought, items never sold before included.",
        f"In brackets: 95% interval of the paired difference, {len(days)} days resampled "
        f"{DRAWS} times. Training has one seed, whose spread is not in it.",
        "`naive` is the learner's own personal frequency on its own candidates; the rivals rank "
        "every item sold before the day.",
    )


def _plot(table: Frame, page: Path) -> None:
    """NDCG@20 by day, and what the champion has gained on the hardest rival so far."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    daily = table.groupby(["method", "day"])[rivals.METRICS].mean()["ndcg@20"]
    gain = (daily.loc[CHAMPION] - daily.loc[HARDEST]).expanding().mean()
    titles = ("NDCG@20 by day", f"Champion minus {HARDEST}, mean of the days so far")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, subplot_titles=titles)
    for name in [CHAMPION, *rivals.METHODS]:
        line = go.Scatter(x=daily.loc[name].index, y=daily.loc[name], name=name, mode="lines")
        figure.add_trace(line, row=1, col=1)
    figure.add_trace(go.Scatter(x=gain.index, y=gain, name="gain", showlegend=False), row=2, col=1)
    figure.add_hline(y=0, line_width=1, row=2, col=1)
    figure.update_layout(template="plotly_white", height=800)
    figure.write_html(page, include_plotlyjs=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="score this one and replay nothing")
    parser.add_argument("--quick", action="store_true", help="three days, not to be quoted")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What is found of a log of sessions day by day: the measures, the page, what was lost."""

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from benchmarks import findings
from benchmarks.session_rivals import ANOTHER, Ranks, measures
from lightning_modules.recommendation.session_places import Places

CHAMPION, FROZEN = "champion", "frozen"
LEVELS = ("recall@10", "recall@20", "mrr@20", "ndcg@20")


@dataclass
class Curve:
    """What is found of one log: rows per (method, day), facts of the places by day, seconds.

    `chosen` are the rivals by their full names.
    """

    rows: list[pd.DataFrame] = field(default_factory=list)
    facts: list[dict[str, float]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"fit": 0.0, "increments": 0.0})
    chosen: list[str] = field(default_factory=list)

    def record(self, method: str, day: dt.date, places: Places, found: Ranks) -> None:
        """Take the ranks of what came next at a day's places."""
        by_session = measures(places, found)
        means = by_session.mean().to_frame().T
        self.rows.append(means.assign(method=method, day=day.isoformat(), rows=len(by_session)))

    def table(self) -> pd.DataFrame:
        """Means over the day's sessions, and their number, by (method, day)."""
        return pd.concat(self.rows).set_index(["method", "day"]).sort_index()


def all_findings(shop: str, curve: Curve) -> list[findings.Finding]:
    """Every measure of every method, and the champion's gain over each."""
    table = curve.table()
    found = []
    for method in table.index.unique("method"):
        daily = table.loc[method]
        found += [
            _finding(shop, name, method, daily[name].dropna(), int(daily["rows"].sum()))
            for name in (*LEVELS, ANOTHER)
        ]
        if method != CHAMPION:
            gain = table.loc[CHAMPION]["ndcg@20"] - daily["ndcg@20"]
            versus = f"{CHAMPION} minus {method}"
            found.append(_finding(shop, "ndcg@20 gain", versus, gain, int(daily["rows"].sum())))
    return found


def _finding(
    shop: str, measure: str, method: str, daily: "pd.Series[float]", rows: int
) -> findings.Finding:
    return findings.Finding(
        measure=f"{measure}, {shop}",
        application="recommendation",
        method=method,
        value=float(daily.mean()),
        unit="share",
        interval=findings.day_interval(daily.to_numpy()) if len(daily) else None,
        days=len(daily),
        rows=rows,
    )


def page(curve: Curve) -> str:
    """The means over days, and the champion's NDCG@20 gain over each method with its interval."""
    table = curve.table()
    means = table.groupby("method")[[*LEVELS, ANOTHER]].mean()
    full = {name.split(",")[0]: name for name in curve.chosen}
    rows = []
    for method in means["ndcg@20"].sort_values(ascending=False).index:
        gain = (table.loc[CHAMPION]["ndcg@20"] - table.loc[method]["ndcg@20"]).to_numpy()
        low, high = findings.day_interval(gain)
        versus = "" if method == CHAMPION else f"{gain.mean():+.4f} [{low:+.4f}, {high:+.4f}]"
        levels = (f"{value:.4f}" for value in means.loc[method])
        rows.append((full.get(method, method), *levels, versus))
    return findings.markdown(("method", *LEVELS, ANOTHER, "champion's gain in ndcg@20"), rows)


def facts_and_costs(curve: Curve) -> str:
    """How much was measured, what was lost, and what it cost."""
    facts = pd.DataFrame(curve.facts)
    days, total = len(facts), facts[["sessions", "places", "another"]].sum()
    return (
        f"{days} days, {total['sessions']:,.0f} sessions, {total['places']:,.0f} places, "
        f"{total['another']:,.0f} of them with another item than the one before; means over "
        "days, of the means over a day's sessions. Lost, and counted as missed: "
        f"{facts['no candidate'].mean():.1%} of what came was none of the champion's "
        f"{facts['candidates'].mean():.0f} candidates; {facts['never sold before'].mean():.1%} "
        f"had never been there before. CPU seconds: fit {curve.seconds['fit']:.0f}, an increment "
        f"{curve.seconds['increments'] / max(days, 1):.1f}."
    )

"""How well units and prices are foretold, method by method, on the same products and days."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.findings import DifferentRowsError, Finding
from benchmarks.pricing_rivals import Rivals, rivals
from benchmarks.regimes import Cost, live_through, newest_outputs, shop_days
from lightning_modules.pricing.features import FEATURES, RATIO
from lightning_modules.pricing.intervals import HORIZONS
from lightning_modules.pricing.item_days import COLUMN, TODAY, UNITS, ItemDays
from lightning_modules.pricing.quality import LEVELS, deviance
from lightning_modules.pricing.shelf import CHANGE
from tasks.params import PARAMS, load_params

APPLICATION = "pricing"
CHAMPION = "champion"
RETRAIN_DAYS = 14
NO_CHANGE, LAST_WEEK = "no change", "price of last week"
BEFORE = FEATURES.index("before")
BARS = {
    ("WAPE, day", CHAMPION): 0.593,
    ("Poisson deviance, day", CHAMPION): 1.89,
    ("WAPE, week", CHAMPION): 0.314,
    ("Poisson deviance, week", CHAMPION): 3.27,
}
COVERAGE = (0.77, 0.83)  # of an interval that promises 80%

Floats = NDArray[np.float32]
Scores = Mapping[str, Floats]


def measure_pricing(
    place: Path, first: dt.date, last: dt.date
) -> tuple[list[Finding], Cost, list[str]]:
    """Champion, frozen, retrained and rivals on the workspace's days; see `quality`."""
    recorder, section = Recorder(), load_params(place / PARAMS).application(APPLICATION)
    cost = live_through(place, APPLICATION, last, recorder, RETRAIN_DAYS)
    learn_from = first - dt.timedelta(days=section.bootstrap.days)
    others = rivals(
        shop_days(place, last), first, last, settings=section.settings, learn_from=learn_from
    )
    recorder.join(others)
    cost.take(others.seconds)
    slopes = newest_outputs(place, APPLICATION)["demand"]["elasticity"]
    notes = [
        "Products: the 500 most sold before the first day. The week's forecast is that of its "
        f"first open day. Full retrain: every {RETRAIN_DAYS} days.",
        f"Own-price elasticity on the last day: {(slopes < 0).mean():.1%} negative, which the "
        f"network imposes, median {slopes.median():.2f}. Price and promotion move together: it is "
        "what went with a price, not what a price causes.",
    ]
    return recorder.findings(cost.seconds), cost, notes


@dataclass
class Recorder:
    """Keeps every method's forecasts of each day with what was sold, for `regimes`.

    A week's forecast is the one made on its first open day, before anything of the week was
    learned; a price's is the one that the champion served on its own day.
    """

    units: dict[dt.date, "pd.Series[float]"] = field(default_factory=dict)
    scores: dict[str, dict[dt.date, Floats]] = field(default_factory=dict)
    due: list[ItemDays] = field(default_factory=list)

    def record(self, day: dt.date, examples: ItemDays, scores: Scores) -> None:
        """Take the day's units and what each method says of them (L, SLOTS, OUTPUTS)."""
        if len(examples) == 0:
            return
        self.units[day] = pd.Series(examples.labels[:, TODAY, UNITS], index=examples.item_ids)
        for method, found in scores.items():
            self.scores.setdefault(method, {})[day] = found[:, TODAY, :2]
        self.due.append(examples)

    def join(self, others: Rivals) -> None:
        """Take the rivals' scores; raises DifferentRowsError unless they are of the same rows.

        From then on, the products that the rivals name are judged, and no others.
        """
        for day, units in self.units.items():
            if others.ids.get(day) != units.index.tolist():
                raise DifferentRowsError(
                    f"{day}: the rivals were scored on other products; give them the champion's "
                    "settings and its first day with examples"
                )
        for method, by_day in others.scores.items():
            self.scores[method] = {day: by_day[day] for day in self.units}
        kept = {day: units.index.isin(list(others.chosen)) for day, units in self.units.items()}
        self.units = {day: units[kept[day]] for day, units in self.units.items()}
        for method, by_day in self.scores.items():
            self.scores[method] = {day: found[kept[day]] for day, found in by_day.items()}

    def findings(self, seconds: Mapping[str, float] | None = None) -> list[Finding]:
        """Every method's figures over all rows; `seconds` of training."""
        found = []
        days = sorted(self.units)
        weeks = self._weeks()
        for method, by_day in self.scores.items():
            cost = (seconds or {}).get(method)
            sold = np.concatenate([self.units[day].to_numpy(np.float64) for day in days])
            said = np.concatenate([by_day[day][:, 0] for day in days])
            found += _counts(method, "day", sold, said.astype(np.float64), len(days), cost)
            if weeks:
                sold = np.concatenate(list(weeks.values()))
                said = np.concatenate([by_day[begin][:, 1] for begin in weeks])
                found += _counts(method, "week", sold, said.astype(np.float64), len(weeks), cost)
        return found + self._price_findings()

    def _weeks(self) -> dict[dt.date, NDArray[np.float64]]:
        """Units of each whole week, by its first open day, of that day's products.

        A day that is not recorded between recorded ones was a closed one.
        """
        first, last = min(self.units, default=dt.date.max), max(self.units, default=dt.date.min)
        weeks: dict[dt.date, list[dt.date]] = {}
        for day in self.units:
            monday = day - dt.timedelta(day.weekday())
            if first <= monday and monday + dt.timedelta(6) <= last:
                weeks.setdefault(monday, []).append(day)
        found = {}
        for days in weeks.values():
            total = pd.concat([self.units[day] for day in days]).groupby(level=0).sum()
            there = self.units[min(days)].index
            found[min(days)] = np.asarray(total.reindex(there), np.float64)
        return found

    def _price_findings(self) -> list[Finding]:
        """Forecast prices as they came due, beside two simple ways."""
        found = []
        for days, (slot, move, ends) in HORIZONS.items():
            label = np.concatenate([part.labels[:, slot, move] for part in self.due])
            said = np.concatenate([part.forecasts[:, slot] for part in self.due])
            past = np.concatenate([part.features[:, slot] for part in self.due])
            known = np.isfinite(label) & np.isfinite(said[:, ends[0]])
            if not known.any():
                continue
            label, said, past = label[known], said[known], past[known].astype(np.float32)
            back = past[:, BEFORE] - past[:, RATIO]
            chance = said[:, COLUMN[f"chance_{days}"]]
            methods = {
                CHAMPION: (said[:, ends], chance),
                NO_CHANGE: (np.zeros((len(label), 3)), np.zeros(len(label))),
                LAST_WEEK: (np.repeat(back[:, None], 3, axis=1), _changed(back)),
            }
            for method, (quantiles, chances) in methods.items():
                found += _moves(method, days, label, quantiles, chances)
        return found


def _counts(
    method: str,
    span: str,
    sold: NDArray[np.float64],
    said: NDArray[np.float64],
    periods: int,
    seconds: float | None,
) -> list[Finding]:
    if not np.isfinite(said).all():
        return []
    figures = {
        "WAPE": np.abs(sold - said).sum() / sold.sum(),
        "RMSE": np.sqrt(np.mean((sold - said) ** 2)),
        "Poisson deviance": deviance(sold.astype(np.float32), said.astype(np.float32)).mean(),
    }
    return [
        _finding(f"{name}, {span}", method, float(value), len(sold), periods, seconds)
        for name, value in figures.items()
    ]


def _moves(
    method: str,
    days: int,
    label: Floats,
    quantiles: NDArray[np.floating],
    chance: NDArray[np.floating],
) -> list[Finding]:
    miss = label[:, None] - quantiles
    loss = np.maximum(np.multiply(LEVELS, miss), np.subtract(LEVELS, 1) * miss)
    figures = {
        "pinball loss of the log price": loss.mean(),
        "Brier score of a change": np.mean((chance - _changed(label)) ** 2),
    }
    if method == CHAMPION:
        inside = (miss[:, 0] >= -1e-6) & (miss[:, 2] <= 1e-6)
        figures["coverage of 80%"] = inside.mean()
    return [
        _finding(f"{name}, {days} d ahead", method, float(value), len(label), 0, None)
        for name, value in figures.items()
    ]


def _changed(move: Floats) -> Floats:
    changed: Floats = (np.abs(move) > np.log1p(CHANGE)).astype(np.float32)
    return changed


def _finding(
    measure: str, method: str, value: float, rows: int, days: int, seconds: float | None
) -> Finding:
    bar = BARS.get((measure, method))
    met = None if bar is None else value <= bar
    if measure.startswith("coverage"):
        bar, met = COVERAGE[0], COVERAGE[0] <= value <= COVERAGE[1]
    return Finding(
        measure=measure,
        application=APPLICATION,
        method=method,
        value=value,
        unit="log price" if "pinball" in measure else "units" if "RMSE" in measure else "share",
        days=days,
        rows=rows,
        cpu_seconds=seconds,
        bar=bar,
        met=met,
    )

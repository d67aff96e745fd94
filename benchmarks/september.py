"""Settings of recommendation that are chosen on September 2017, before the quarter that is quoted.

`python -m benchmarks.september` fits first champions on the days before September and learns its
thirty days with more or less replay, then the same with a bound on the items that are remembered
of a household. Each is compared, seed by seed and day by day, with replay and no bound. Writes
results/september.{json,md}; without replays, as in `--replays --bounds 400`, september_bounds.
`--quick` takes a short history and four days: not to be quoted.
"""

import argparse
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import findings, learning
from benchmarks.findings import Finding, day_interval
from benchmarks.learning_figures import forgetting
from benchmarks.learning_shops import LAST, SHOPS, WORKSPACE, Shop
from benchmarks.learning_ways import DEFAULT, FROZEN, Course, Way
from benchmarks.regimes import make_place, shop_days
from tasks.params import load_params

log = logging.getLogger(__name__)

FIRST, END = dt.date(2017, 9, 1), dt.date(2017, 9, 30)
QUICK_FROM, QUICK_END = dt.date(2017, 8, 22), dt.date(2017, 9, 4)
REPLAYS = (128, 64, 0)
BOUNDS = (400, 200)
SEEDS = 2  # with a bound one, as each takes a fit of its own
NOTES = (
    "Complete Journey, 2017-09-01 to 2017-09-30, learned day by day without the gate from the "
    "same first champions, fitted on the half year before. Beside default (params.yaml without a "
    "bound): the mean paired difference. In brackets 95%, by resampling days (of forgetting, "
    "weeks).",
    "With a bound all is done again: the state has lived with it from the first day, and the "
    "first champion was fitted with it. Forgetting is that of learning_recommendation.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Live through September in each way and write what it came to."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="few days, not to be quoted")
    parser.add_argument("--replays", type=int, nargs="*", default=REPLAYS, help="lists a night")
    parser.add_argument("--bounds", type=int, nargs="*", default=BOUNDS, help="items a household")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="first champions, without a bound"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    ways = [Way(FROZEN, None, given.seeds), Way(DEFAULT, {}, given.seeds)]
    ways += [Way(f"replay {count}", {"replay": count}, given.seeds) for count in given.replays]
    groups = lived(september(ways, None, given.quick))
    for bound in given.bounds:
        at = september([Way(FROZEN, None), Way(DEFAULT, {})], bound, given.quick)
        found = lived(at)
        groups |= {f"{name}, {bound} items": group for name, group in found.items()}
    figures = [one for name in groups for one in _of(name, groups)]
    table = in_words(figures)
    log.info("%s", table)
    name = "september" if given.replays else "september_bounds"
    findings.publish(name, figures, table, notes=NOTES, quick=given.quick)


def september(ways: list[Way], bound: int | None, quick: bool) -> Shop:
    """The embedded shop up to September's end; `bound` is `most_items`."""
    shop, last = SHOPS["recommendation"](False), QUICK_END if quick else END
    days = load_params().application("recommendation").bootstrap.days
    place = WORKSPACE / "full"
    make_place(place, LAST)
    return replace(
        shop,
        days=lambda: shop_days(place, last),
        fit_from=QUICK_FROM if quick else FIRST - dt.timedelta(days),
        first=FIRST,
        last=last + dt.timedelta(1),  # the last day itself has its memory measured: there is none
        settings={**shop.settings, "most_items": bound},
        ways=ways,
    )


def lived(shop: Shop) -> dict[str, list[Course]]:
    """What became of each way, by its name."""
    found: dict[str, list[Course]] = {}
    for course in learning.live_through(shop):
        found.setdefault(course.way.name, []).append(course)
    return found


def gain(group: list[Course], usual: list[Course]) -> NDArray[np.float64]:
    """By day, how much better a way is than the usual one from the same seeds, in the mean."""
    daily = [
        [ours.quality[day] - theirs.quality[day] for day in ours.quality]
        for ours, theirs in zip(group, usual, strict=False)
    ]
    mean: NDArray[np.float64] = np.mean(daily, axis=0)
    return mean


def _of(name: str, groups: dict[str, list[Course]]) -> list[Finding]:
    group, usual = groups[name], groups[DEFAULT]

    def finding(
        measure: str, value: float, unit: str, by: NDArray[np.float64] | None = None
    ) -> Finding:
        return Finding(
            measure=measure, application="recommendation", method=name, value=value, unit=unit,
            interval=None if by is None else day_interval(by), days=len(group[0].quality),
            rows=group[0].visits,
        )  # fmt: skip

    quality = np.mean([list(course.quality.values()) for course in group], axis=0)
    better, lost = gain(group, usual), forgetting(group)
    return [
        finding("ndcg@20", float(quality.mean()), "per unit", quality),
        finding("beside default", float(better.mean()), "per unit", better),
        finding("forgetting", float(lost.mean()), "nats", lost),
        finding("row visits", float(np.mean([course.visits for course in group])), "rows"),
        finding("CPU seconds", float(np.mean([course.seconds for course in group])), "s"),
    ]


def in_words(found: list[Finding]) -> str:
    """Ways down, measures across, intervals of what is compared."""
    measures = list(dict.fromkeys(one.measure for one in found))
    rows: dict[str, list[str]] = {}
    for one in found:
        places = 0 if one.unit == "rows" else 1 if one.unit == "s" else 5
        text = f"{one.value:.{places}f}"
        if one.interval and one.measure != "ndcg@20":
            low, high = one.interval
            text += f" ({low:+.5f} to {high:+.5f})"
        rows.setdefault(one.method, []).append(text)
    return findings.markdown(("", *measures), [(name, *cells) for name, cells in rows.items()])


if __name__ == "__main__":
    main()

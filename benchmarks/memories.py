"""Which memory of old lists is best replayed from, and how much of it a night?

`python -m benchmarks.memories` lives through the made-up shop with four drifts once for each
policy of `replay.py`, with the ranker of params.yaml and with the one that has no features, and
learns each day with no, few and the usual number of replayed lists. Writes
results/memories.{json,md}.
`--quick` takes few days: not to be quoted.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks import findings
from benchmarks.findings import Finding, day_interval
from benchmarks.learning_figures import forgetting
from benchmarks.learning_shops import SHOPS, Shop
from benchmarks.learning_ways import DEFAULT, NAIVE, Course, Way
from benchmarks.september import gain, lived
from lightning_modules.replay import POLICIES

log = logging.getLogger(__name__)

RANKERS = {"made_up": "with features", "made_up_embedding": "rows alone"}
FEW = 64  # lists a night; the default is 256
SEEDS = 2
NOTES = (
    "The made-up shop of learning_made_up, each policy a line of its own: the memory is a part of "
    "the state. Beside naive: the mean paired difference to the same line without replay. "
    "Forgetting is that of learning_made_up. In brackets 95%, by resampling days (of forgetting, "
    "weeks).",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Live through the shop with each memory and write what it came to."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="few days, not to be quoted")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    found = [
        one
        for name, about in RANKERS.items()
        for policy in sorted(POLICIES)
        for one in figures(lived(shop(name, policy, given.quick)), f"{about}, {policy}")
    ]
    table = in_words(found)
    log.info("%s", table)
    findings.publish("memories", found, table, notes=NOTES, quick=given.quick)


def shop(name: str, policy: str, quick: bool) -> Shop:
    """The made-up shop, remembered by `policy`."""
    made = SHOPS[name](quick)
    seeds = 1 if quick else SEEDS
    ways = [Way(NAIVE, {"replay": 0}, seeds), Way(f"replay {FEW}", {"replay": FEW}, seeds)]
    ways.append(Way(DEFAULT, {}, seeds))
    return replace(made, settings={**made.settings, "replay_policy": policy}, ways=ways)


def figures(groups: dict[str, list[Course]], about: str) -> list[Finding]:
    """Quality, what replay brings, and forgetting of each way."""
    found = []
    for way, group in groups.items():
        quality = np.mean([list(course.quality.values()) for course in group], axis=0)
        measured = {
            "ndcg@20": (quality, "per unit"),
            "beside naive": (gain(group, groups[NAIVE]), "per unit"),
            "forgetting": (forgetting(group), "nats"),
        }
        found += [
            Finding(
                measure=measure,
                application="recommendation",
                method=f"{about}: {way}",
                value=float(by.mean()),
                unit=unit,
                interval=day_interval(by),
                days=len(quality),
                rows=group[0].visits,
            )
            for measure, (by, unit) in measured.items()
        ]
    return found


def in_words(found: list[Finding]) -> str:
    """Policies and counts down, measures across."""
    measures = list(dict.fromkeys(one.measure for one in found))
    rows: dict[str, list[str]] = {}
    for one in found:
        low, high = one.interval or (one.value, one.value)
        text = f"{one.value:.4f} ({low:+.4f} to {high:+.4f})"
        rows.setdefault(one.method, []).append(text)
    return findings.markdown(("", *measures), [(name, *cells) for name, cells in rows.items()])


if __name__ == "__main__":
    main()

"""Can the judge of price policies be believed?

Two tests. The logs of two real policies with known propensities, which come with the package obp
(Open Bandit Dataset, Saito et al. 2021): each policy's click rate is estimated from the other's
log and compared with its own. And a made-up shop whose truth is known: bias, how often the lower
bounds miss, and what is promoted. `python -m benchmarks.off_policy` takes a minute; `--quick`
has fewer repetitions and is not to be quoted. `--data DIR` is the folder `obp` of the unpacked
package, unless it is installed (`pip install --no-deps obp==0.4.1`; it is not imported).
"""

import argparse
import logging
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import findings
from benchmarks.findings import Finding
from benchmarks.open_bandit import CAMPAIGNS, LEARNED, RANDOM, find_data, judge_from, read_log
from benchmarks.price_simulator import (
    LEVELS,
    WEEK,
    Shop,
    leaning,
    level_with,
    open_shop,
    without_support,
)
from lightning_modules.pricing.judgement import Judgement, Rules, judge
from lightning_modules.pricing.off_policy import Estimate, Numbers, doubly_robust

log = logging.getLogger(__name__)

ESTIMATORS = ("ips", "snips", "dr")
TWO_SIDED = 1.959964
ITEMS, WEEKS = 40, 1000
ROWS = WEEKS * WEEK  # of one made-up log
REPETITIONS, QUICK_REPETITIONS = 2000, 60
SEED = 20171001
BIAS_BAR = 0.01  # as a share of the logging policy's value
ALPHA = 0.05


def main() -> None:
    """Write results/off_policy.{json,md}."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    real, real_rows = real_logs(given.data or find_data())
    repetitions = QUICK_REPETITIONS if given.quick else REPETITIONS
    made_up, made_up_rows = simulated(repetitions)
    head: tuple[str, ...] = (
        "campaign, target from log",
        "on-policy",
        *ESTIMATORS,
        "effective rows",
        "judge",
    )
    tables = findings.markdown(head, real_rows)
    head = ("target, estimate", "true gain", "bias", "error", "bound holds", "bound above 0")
    tables += "\n\n" + findings.markdown(head, made_up_rows)
    notes = _notes(repetitions)
    findings.publish("off_policy", real + made_up, tables, notes=notes, quick=given.quick)
    log.info("%s", tables)


def real_logs(data: Path) -> tuple[list[Finding], list[tuple[str, ...]]]:
    """Each policy's click rate from the other's log, beside its own, for three campaigns."""
    found: list[Finding] = []
    lines = []
    for campaign in CAMPAIGNS:
        logs = {policy: read_log(data, policy, campaign) for policy in (RANDOM, LEARNED)}
        for source, target in ((RANDOM, LEARNED), (LEARNED, RANDOM)):
            name = f"{campaign}, {target} from {source}"
            judgement = judge_from(logs[source], logs[target], target)
            clicks = logs[target]["click"].to_numpy(np.float64)
            cells = []
            for how, estimate in judgement.estimates.items():
                finding, text = _beside(f"{name}, {how}", estimate, clicks, judgement)
                found.append(finding)
                cells.append(text)
            own = f"{clicks.mean():.3%}"
            effective = f"{judgement.effective:.0f}"
            said = "can tell" if judgement.usable else judgement.why
            lines.append((name, own, *cells, effective, said))
    return found, lines


def _beside(
    name: str, estimate: Estimate, clicks: Numbers, judgement: Judgement
) -> tuple[Finding, str]:
    """The estimate less the policy's own click rate: the interval of the two should hold zero.

    No bar where the judge says that the log is no evidence.
    """
    own = float(clicks.var()) / len(clicks)
    reach = TWO_SIDED * math.sqrt(estimate.error**2 + own)
    off = estimate.value - float(clicks.mean())
    one = _finding("estimate less on-policy", name, off, (off - reach, off + reach), len(clicks))
    if judgement.usable:
        one = one.model_copy(update={"bar": 0.0, "met": bool(abs(off) <= reach)})
    return one, f"{estimate.value:.3%} ({off:+.3%} ± {reach:.3%})"


def simulated(repetitions: int) -> tuple[list[Finding], list[tuple[str, ...]]]:
    """Three targets in the made-up shop and one without support, on many logs each."""
    shop = open_shop(ITEMS, np.random.default_rng(SEED))
    better, worse = leaning(shop, shop.earned()), leaning(shop, -shop.earned())
    even = level_with(shop, better, worse)
    bare = without_support(shop, better)
    trials = {
        "better": (shop, better),
        "no gain": (shop, even),
        "worse": (shop, worse),
        "better, not tried": (bare, better),
    }
    found: list[Finding] = []
    lines = []
    for name, (there, target) in trials.items():
        start = time.process_time()
        seen = [judge_one(there, target, number) for number in range(repetitions)]
        cpu = time.process_time() - start
        promoted = np.array([one.pop("promoted") for one in seen])[:, 0]
        gain = there.value(target) - there.value(there.policy)
        for how in seen[0] if name != "better, not tried" else ():
            columns = np.array([one[how] for one in seen])
            made, line = _summary(f"{name}, {how}", columns, gain, there.value(there.policy))
            found += made
            lines.append(line)
        found.append(_promoted(name, promoted, cpu))
        lines.append((f"{name}, judge", "", "", "", "", f"{promoted.mean():.3f}"))
    return found, lines


def judge_one(shop: Shop, target: Numbers, number: int) -> dict[str, tuple[float, ...]]:
    """Gain, its error and its lower bound by each estimate on one log; `promoted` is the judge's.

    The reward model is wrong on purpose: it has the right level and thinks that no price matters.
    """
    logged, item = shop.draw(WEEKS, np.random.default_rng([SEED, number]))
    flat = np.repeat(shop.earned().mean(axis=1, keepdims=True), len(LEVELS), axis=1)[item]
    most = float(8 * shop.price.max() * shop.units.max())
    judgement = judge(logged, target[item], Rules(alpha=ALPHA, reward_range=(0, most)), flat)
    alone = doubly_robust(replace(logged, unit=None), target[item], flat, ALPHA)
    estimates = {**judgement.estimates, "dr, each day alone": alone}
    numbers = {
        how: (one.gain, one.gain_error, math.nan if one.low is None else one.low)
        for how, one in estimates.items()
    }
    return {**numbers, "promoted": (float(judgement.passed),)}


def _summary(
    name: str, columns: Numbers, gain: float, base: float
) -> tuple[list[Finding], tuple[str, ...]]:
    """Bias and the share of logs whose bound is below the truth, of (repetitions, 3) numbers."""
    bias, holds = (columns[:, 0] - gain) / base, (columns[:, 2] <= gain).astype(float)
    off, reach = float(bias.mean()), TWO_SIDED * float(bias.std()) / math.sqrt(len(bias))
    biased = _finding("bias of the gain", name, off, (off - reach, off + reach), len(bias) * ROWS)
    biased = biased.model_copy(update={"bar": BIAS_BAR, "met": abs(off) + reach <= BIAS_BAR})
    kept = _share("lower bound holds", name, holds)
    if "alone" not in name and kept.interval:  # that one is there to show what clustering is for
        kept = kept.model_copy(update={"bar": 1 - ALPHA, "met": kept.interval[1] >= 1 - ALPHA})
    above = f"{(columns[:, 2] >= 0).mean():.3f}"
    error = f"{columns[:, 0].std() / base:.2%}"
    line = (name, f"{gain / base:+.2%}", f"{off:+.2%} ± {reach:.2%}", error)
    return [biased, kept], (*line, f"{kept.value:.3f}", above)


def _promoted(name: str, promoted: Numbers, cpu: float) -> Finding:
    found = _share("promoted", f"{name}, judge", promoted).model_copy(update={"cpu_seconds": cpu})
    if name == "better" or found.interval is None:
        return found
    bar = 0.0 if "not tried" in name else ALPHA
    return found.model_copy(update={"bar": bar, "met": found.interval[0] <= bar})


def _share(measure: str, name: str, hits: Numbers) -> Finding:
    """A share of the repetitions with its 95% interval (Wilson 1927)."""
    count, share, z = len(hits), float(hits.mean()), TWO_SIDED**2
    middle = (share + z / (2 * count)) / (1 + z / count)
    reach = math.sqrt(z * share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z / count)
    interval = (max(middle - reach, 0.0), min(middle + reach, 1.0))
    return _finding(measure, name, share, interval, count * ROWS)


def _finding(
    measure: str, name: str, value: float, interval: tuple[float, float], rows: int
) -> Finding:
    return Finding(
        measure=measure,
        application="pricing",
        method=name,
        value=value,
        unit="share",
        interval=interval,
        days=WEEK,
        rows=rows,
    )


def _notes(repetitions: int) -> tuple[str, ...]:
    return (
        "Real logs: the target's click rate estimated from the other policy's log; in brackets "
        "less its own, with the 95% interval of both. Thompson sampling learned during the week; "
        "as a target it is the week's shares of items at each place.",
        f"Made-up shop: {repetitions} logs of {ROWS} item-days ({WEEKS} item-weeks, each at one "
        f"price) of {ITEMS} items at {len(LEVELS)} prices. Shares of the logging policy's "
        "revenue. `bound holds` should be 95% or more; for a target without gain, `bound above 0` "
        "should be 5% or less. The reward model of `dr` thinks that no price matters.",
        "`each day alone` forgets that the days of a week share price and luck.",
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder `obp` of the unpacked package")
    parser.add_argument("--quick", action="store_true", help="60 logs, not to be quoted")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Does the recommender keep up where nobody comes back? A session is the user here.

`python -m benchmarks.sessions [--events DIR]` lets the learner of sessions live through two real
logs (`session_logs`), every day scored before it is learned: baskets with the household hidden,
and, where DIR has `jd_events.parquet` (no part of this repository), clicks. Beside it, on the same
places: its first parameters frozen, its naive rival, and the best of each kind in GRID on the week
before the first scored day. `--quick` takes three days and is not to be quoted.
"""

import argparse
import copy
import datetime as dt
import functools
import logging
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import findings
from benchmarks.session_curve import CHAMPION, FROZEN, Curve, all_findings, facts_and_costs, page
from benchmarks.session_logs import Shop, baskets, clicks
from benchmarks.session_rivals import (
    Log,
    Method,
    Ranks,
    item_knn,
    measures,
    popularity,
    ranks,
    ranks_of_lists,
    session_knn,
)
from lightning_modules.hashing import in_holdout
from lightning_modules.learner import ShopDay
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.purchases import purchases
from lightning_modules.recommendation.session_learner import SessionLearner
from lightning_modules.recommendation.session_places import Places, as_sessions, session_places

log = logging.getLogger(__name__)

HOLDOUT = 0.2
TUNING_DAYS = 7
SEED = 20171001
NEVER = 1e9  # days in which a count fades: it does not
GRID: dict[str, Method] = {
    "popularity, tau 3": functools.partial(popularity, tau=3.0),
    "popularity, tau 7": functools.partial(popularity, tau=7.0),
    "item-kNN, tau 120, shrunken by 20": functools.partial(item_knn, tau=120.0, shrink=20.0),
    "item-kNN, tau 120, shrunken by 80": functools.partial(item_knn, tau=120.0, shrink=80.0),
    "item-kNN, no fading, shrunken by 80": functools.partial(item_knn, tau=NEVER, shrink=80.0),
    "session-kNN, 200 of 30,000": functools.partial(session_knn, recent=30_000, nearest=200),
    "session-kNN, 100 of 100,000": functools.partial(session_knn, recent=100_000, nearest=100),
    "session-kNN, 200 of 100,000": functools.partial(session_knn, recent=100_000, nearest=200),
    "session-kNN, 500 of 100,000": functools.partial(session_knn, recent=100_000, nearest=500),
}


def main() -> None:
    """Score the days and write results/sessions.{json,md}."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    shops = [baskets(quick=given.quick)]
    file = given.events / "jd_events.parquet" if given.events else None
    notes: list[str] = []
    if file is not None and file.exists():
        shops.append(clicks(file, quick=given.quick))
    else:
        notes.append("JD's clicks: skipped, no `--events` folder with jd_events.parquet.")
    found: list[findings.Finding] = []
    pages = []
    for shop in shops:
        curve = prequential(shop, GRID)
        found += all_findings(shop.name, curve)
        pages.append(f"## {shop.name}\n\n{page(curve)}\n\n{shop.about} {facts_and_costs(curve)}")
    text = "\n\n".join(pages)
    findings.publish("sessions", found, text, notes=tuple(notes), quick=given.quick)
    log.info("%s", text)


def prequential(shop: Shop, grid: dict[str, Method]) -> Curve:
    """Score every day from `shop.first` on, then learn it, beside the grid's best of each kind."""
    curve, past = Curve(), Log()
    learner = SessionLearner.new(shop.settings)
    tuning: dict[str, list[float]] = {name: [] for name in grid}
    first = None
    with tempfile.TemporaryDirectory() as spool:
        for day in shop.days:
            if day.day < shop.first:
                _live_through(learner, day, shop, Path(spool), curve)
                if len(past.items) and day.day >= shop.first - dt.timedelta(TUNING_DAYS):
                    for name, (places, found) in _of_rivals(past, day, shop, grid).items():
                        tuning[name].append(float(measures(places, found)["ndcg@20"].mean()))
            else:
                if first is None:
                    _fit(learner, Path(spool), shop, curve)
                    first = learner.parameters
                    curve.chosen = _best_of_a_kind(tuning)
                rivals = {name: grid[name] for name in curve.chosen}
                for name, (places, found) in _of_rivals(past, day, shop, rivals).items():
                    curve.record(name.split(",")[0], day.day, places, found)
                _increment(learner, day, first, shop, curve)
            bought = purchases(as_sessions(day).events, learner.settings.event_types)
            names = [bought.item_ids[row] for row in bought.item]
            past.add(day.day.toordinal(), bought.user, names)
    return curve


def _live_through(
    learner: SessionLearner, day: ShopDay, shop: Shop, spool: Path, curve: Curve
) -> None:
    began = time.process_time()
    sessions = None
    if day.day >= shop.fit_from:
        sessions = learner.examples(day, whole=False)
        learner.spool(sessions, spool / f"{day.day}.safetensors")
    learner.absorb(day, sessions, None)
    curve.seconds["fit"] += time.process_time() - began


def _fit(learner: SessionLearner, spool: Path, shop: Shop, curve: Curve) -> None:
    began = time.process_time()
    learner.fit(spool, settings=shop.fit, seed=SEED)
    curve.seconds["fit"] += time.process_time() - began


def _increment(
    learner: SessionLearner, day: ShopDay, first: Parameters, shop: Shop, curve: Curve
) -> None:
    """One day: scored, learned, taken in."""
    began = time.process_time()
    sessions = learner.examples(day)
    frozen = copy.copy(learner)
    frozen.parameters = first
    scores = {CHAMPION: learner.scores(sessions), FROZEN: frozen.scores(sessions)}
    scores["own items, then what sells"] = learner.naive_scores(sessions)
    held_out = in_holdout(sessions.keys, HOLDOUT)
    places, known = session_places(day, learner.settings), set(learner.vocabulary.items.row_of)
    learner.fine_tune(sessions, held_out, update=shop.update, seed=day.day.toordinal())
    learner.absorb(day, sessions, held_out)
    curve.seconds["increments"] += time.process_time() - began
    for name, values in scores.items():
        curve.record(name, day.day, places, ranks_of_lists(sessions.lists, values))
    fresh = np.array([name not in known for name in places.item_ids], bool)
    facts = {
        "sessions": len(sessions),
        "places": len(places.keys),
        "never sold before": float(fresh[places.target].mean()),
        "no candidate": float(1 - sessions.lists.hit.mean()),
        "candidates": float(sessions.lists.lengths.mean()),
        "another": float(np.count_nonzero(places.target != places.item[places.ago == 1])),
    }
    curve.facts.append(facts)
    log.info("%s: %s", day.day, facts)


def _of_rivals(
    past: Log, day: ShopDay, shop: Shop, methods: dict[str, Method]
) -> dict[str, tuple[Places, Ranks]]:
    places = session_places(day, SessionLearner.new(shop.settings).settings)
    past.items.admit(places.item_ids)  # what a session has had may come again
    known = past.past(day.day.toordinal())
    own = {name: shop.own if "kNN" in name else shop.own_in_popularity for name in methods}
    return {
        name: (places, ranks(past, places, known, method, own=own[name]))
        for name, method in methods.items()
    }


def _best_of_a_kind(tuning: dict[str, list[float]]) -> list[str]:
    """The highest mean of each kind: the word before the comma."""
    means = {name: float(np.mean(values)) for name, values in tuning.items()}
    kinds = dict.fromkeys(name.split(",")[0] for name in means)
    return [
        max((n for n in means if n.startswith(kind)), key=lambda n: means[n]) for kind in kinds
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=Path, help="the folder of jd_events.parquet")
    parser.add_argument("--quick", action="store_true", help="three days, not to be quoted")
    return parser.parse_args()


if __name__ == "__main__":
    main()

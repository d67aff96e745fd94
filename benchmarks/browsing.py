"""What do people do next? JD's six event types day by day, and Best Buy's queries.

`python -m benchmarks.browsing --events FOLDER` reads `jd_events.parquet` and
`bestbuy_search_events.parquet` there. On JD a first champion is fitted on the days before
2016-03-01 and learns day by day to 2016-04-10; every day is scored before it is learned, beside
the same parameters frozen and counting, on the same rows. A second series shows the Chinese New
Year: fitted before 2016-02-06, learned through February. Settings were chosen on 2016-02-22 to
02-29, fitted before, by log loss; so the second series is no test of them. On Best Buy they are
the learner's own. `--quick` takes a few days and is not to be quoted.
"""

import argparse
import copy
import datetime as dt
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from benchmarks import findings
from benchmarks.browsing_queries import Queries
from benchmarks.browsing_rows import CHAMPION, FROZEN
from benchmarks.browsing_types import Types
from benchmarks.findings import Finding
from lightning_modules.behavior.examples import UserDays
from lightning_modules.behavior.learner import BehaviorLearner
from lightning_modules.hashing import in_holdout
from lightning_modules.learner import ShopDay
from tasks.sources.canonical import SourceError
from tasks.sources.table import TableSource

log = logging.getLogger(__name__)

JD, BEST_BUY = "jd_events.parquet", "bestbuy_search_events.parquet"
FROM = {
    JD: "a sample of the actions of the JData contest on JD.com, 2016",
    BEST_BUY: "a sample of the clicks of the ACM / Best Buy data mining hackathon, 2012 (Kaggle)",
}
COLUMNS = ("timestamp", "user_id", "item_id", "event_type", "category")
SERIES = {  # first day scored, last one
    "2016-03-01 on": (dt.date(2016, 3, 1), dt.date(2016, 4, 10)),
    "New Year": (dt.date(2016, 2, 6), dt.date(2016, 2, 29)),
}
LEARN_FROM = dt.date(2016, 2, 2)  # before it nothing was bought: no category could be judged
NEW_YEAR = dt.date(2016, 2, 8)
SEARCHES = (dt.date(2011, 8, 13), dt.date(2011, 10, 1), dt.date(2011, 10, 31))
HOLDOUT = 0.2
SEED = 20160301
SETTINGS: dict[str, Any] = {"memory_width": 8, "user_width": 8, "user_hidden": [32]}
FIT: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 128,
    "learning_rate": 0.006,
    "embedding_learning_rate": 0.006,
}
TERMS = {"term_users": 1}  # ten queries a day: no word has two users on one day


class Watch(Protocol):
    """Who scores days before they are learned, and counts them after."""

    def score(self, day: ShopDay, units: UserDays, learners: dict[str, BehaviorLearner]) -> None:
        """Judge every method on a day that nobody has learned."""
        ...

    def learn(self, day: ShopDay, learner: BehaviorLearner) -> None:
        """Count a day that the learner has taken in."""
        ...


def main() -> None:
    """Score both shops and write results/browsing.{json,md}."""
    given = _arguments()
    sys.argv[1:] = ["--events", "FOLDER", *(["--quick"] if given.quick else [])]  # no one's path
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found, parts, notes = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        days = read_days(given.events / JD, Path(folder), "Asia/Shanghai")
        for name, (first, last) in SERIES.items():
            last = first + dt.timedelta(2) if given.quick else last
            types = Types()
            told = [day for day in days if day.day <= last]
            seconds = live_through(told, LEARN_FROM, first, types, SETTINGS)
            found += types.findings(name, seconds)
            parts += [f"## JD, {name}", table(types.findings(name, seconds)), types.by_day()]
            notes.append(_cost(f"JD, {name}", seconds))
        searches = read_days(given.events / BEST_BUY, Path(folder), "America/Chicago", click=True)
        learn_from, first, last = SEARCHES
        queries = Queries()
        told = [
            day
            for day in searches
            if day.day <= (first + dt.timedelta(9) if given.quick else last)
        ]
        seconds = live_through(told, learn_from, first, queries, TERMS, {})
        found += queries.findings(seconds)
        parts += ["## Best Buy, queries of October 2011", table(queries.findings(seconds))]
        notes += [_cost("Best Buy", seconds), queries.note()]
    text = "\n\n".join(parts)
    findings.publish("browsing", found, text, notes=(*notes, *REMARKS), quick=given.quick)
    log.info("%s\n%s", text, "\n".join(notes))


REMARKS = (
    f"Chinese New Year was {NEW_YEAR}. Only users known before the day are scored, on the first 8 "
    "events of their day (settings.next_events). `majority` and `markov` count all users' events, "
    "first days too; the learner has no unit for a user's first day.",
    "Three quarters of JD's events share their second with another of the same user; their order "
    "in the file is that of chance (Markov is no better on it than on a shuffled one), and here "
    "it is that of event ids. So little can be told of the next type within a day.",
    "JD was sampled by pairs of user and item: a user has 1.09 items. That the last category "
    "comes again says nothing of a shop, nor does a hit in the next category. The learner names "
    "no item.",
    "The bar of the champion is the better of majority and Markov; on Best Buy, popular terms.",
    "Best Buy's file has no purchase, and a learner of purchases refuses such a shop; its clicks "
    "stand in for purchases. Only queries are judged.",
)


def read_days(events: Path, folder: Path, zone: str, click: bool = False) -> list[ShopDay]:
    """The shop's days, by the source `table`; the catalogue is what the events say of items.

    Args:
        events: The file.
        folder: Where files may be made.
        zone: Of the shop's day.
        click: Whether a click stands in for a purchase.

    Raises:
        SourceError: the file is not there.
    """
    if not events.exists():
        raise SourceError(
            f"{events} is not there: {FROM.get(events.name, 'event data')}, as Parquet with the "
            f"columns {', '.join(COLUMNS)}. Give its folder by --events"
        )
    raw = pd.read_parquet(events)
    if click:
        raw["event_type"] = raw["event_type"].replace("click", "purchase")
    items = raw[["item_id", "category"]].dropna().drop_duplicates("item_id")
    paths = {name: folder / f"{events.stem}.{name}.parquet" for name in ("events", "items")}
    raw.to_parquet(paths["events"])
    items.to_parquet(paths["items"])
    theirs = {"event_time": "timestamp"} | {
        name: name for name in ("user_id", "item_id", "event_type", "query") if name in raw
    }
    catalogue = {"file": str(paths["items"]), "columns": {name: name for name in items}}
    source = TableSource(
        events=str(paths["events"]), columns=theirs, time_zone=zone, items=catalogue
    )
    return [
        ShopDay(day, frames.events, frames.items, frames.prices)
        for day, frames in source.read_days(source.days())
    ]


def live_through(
    days: Sequence[ShopDay],
    learn_from: dt.date,
    first: dt.date,
    watch: Watch,
    settings: dict[str, Any],
    fit: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Fit on the days from `learn_from` to `first`, then score and learn the others one by one.

    Returns:
        CPU seconds by method: of the first fit, and for the champion of all increments too.
    """
    learner = BehaviorLearner.new(settings)
    before = [day for day in days if day.day < first]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as spool:
        for day in before:
            units = learner.examples(day) if day.day >= learn_from else None
            if units is not None:
                learner.spool(units, Path(spool) / f"{day.day}.safetensors")
            learner.absorb(day, units, None)
            watch.learn(day, learner)
        learner.fit(Path(spool), settings=FIT if fit is None else fit, seed=SEED)
    seconds = {FROZEN: time.process_time() - began}
    seconds[CHAMPION] = seconds[FROZEN]
    first_parameters = learner.parameters
    for day in days[len(before) :]:
        units = learner.examples(day)
        frozen = copy.copy(learner)
        frozen.parameters = first_parameters
        watch.score(day, units, {CHAMPION: learner, FROZEN: frozen})
        began = time.process_time()
        held_out = in_holdout(units.keys, HOLDOUT)
        learner.fine_tune(units, held_out, update={}, seed=day.day.toordinal())
        learner.absorb(day, units, held_out)
        seconds[CHAMPION] += time.process_time() - began
        watch.learn(day, learner)
        log.info("%s: %d users", day.day, len(units))
    return seconds


def table(found: Sequence[Finding]) -> str:
    """Two tables: figures by rows and method; the champion's leads with their intervals."""
    places: dict[tuple[str, str], dict[str, str]] = {}
    leads: list[tuple[str, ...]] = []
    for one in found:
        measure, _, where = one.measure.partition(", ")
        if " - " in one.method and one.interval is not None:
            low, high = one.interval
            leads.append((one.measure, one.method, f"{one.value:.4f}", f"{low:.4f} to {high:.4f}"))
            continue
        bar = "" if one.bar is None else f" ({'met' if one.met else 'missed'})"
        place = places.setdefault((f"{where}, {one.rows:,} rows", one.method), {})
        place[measure] = f"{one.value:.4f}{bar}"
    head = list(dict.fromkeys(name for place in places.values() for name in place))
    rows: list[tuple[str, ...]] = [
        (*names, *(place.get(name, "") for name in head)) for names, place in places.items()
    ]
    figures = findings.markdown(("rows", "method", *head), rows)
    return f"{figures}\n\n{findings.markdown(('lead', 'of', 'value', '95%'), leads)}"


def _cost(name: str, seconds: dict[str, float]) -> str:
    more = seconds[CHAMPION] - seconds[FROZEN]
    return f"{name}: CPU seconds, first fit {seconds[FROZEN]:.0f}, all increments {more:.0f}."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=Path, required=True, help="folder of the two files")
    parser.add_argument("--quick", action="store_true", help="a few days, not to be quoted")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Step: look at a shop's files and propose the `shop` section of params.yaml for them.

A proposal is a guess; a person reads it before anything lands.
`python -m tasks.propose DATA --time-zone ZONE`, or `make new-shop DATA=... TIME_ZONE=...`.
"""

import argparse
import datetime as dt
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tasks.contract import InvalidDayError, check_events
from tasks.params import PARAMS, ShopParams
from tasks.sources import SourceError, open_source
from tasks.sources.guess import guess


@dataclass
class Proposal:
    """The section as a dictionary, and what a person should know before using it."""

    shop: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def propose(data: Path, time_zone: str) -> Proposal:
    """A source for the files at `data`; every day is read by it and held to the contract.

    Raises SourceError where no time or no user can be found, or a file cannot be read.
    """
    source = guess(data, time_zone)
    opened, rows, users, faults = open_source(source), 0, set[str](), []
    days = opened.days()
    for day, frames in opened.read_days(days):
        rows, events = rows + len(frames.events), frames.events
        users |= set(events["user_id"].dropna())
        try:
            check_events(events, day, time_zone, f"the events of {day}")
        except InvalidDayError as problem:
            faults.append(str(problem))
    first, last = days[0], days[-1]
    missing = [
        day
        for day in (first + dt.timedelta(days=n) for n in range((last - first).days))
        if day not in set(days)
    ]
    until = days[min(len(days) - 1, max(1, len(days) * 9 // 10))]
    shop = ShopParams.model_validate(
        {
            "time_zone": time_zone,
            "closed_days": missing,
            "lateness_days": 2,
            "history_until": until,
            "source": source,
        }
    ).model_dump(mode="json", exclude_defaults=True)
    notes = list(_notes(days, rows, len(users), missing, until))
    notes.append(_of_prices(source))
    if "category" not in source.get("items", {}).get("columns", {}):
        notes.append("no category of items was found: behavior has nothing to learn")
    return Proposal(shop, notes, faults)


def _notes(
    days: Sequence[dt.date], rows: int, users: int, missing: Sequence[dt.date], until: dt.date
) -> Iterator[str]:
    a_day = rows / len(days)
    yield f"{rows:,} events of {users:,} users on {len(days)} days, {days[0]} to {days[-1]}"
    yield f"the first champions learn the days before {until}; {until} is the first increment"
    if missing:
        yield f"no event on {len(missing)} days: taken for closed. Remove those that are late"
    if a_day < 500:
        yield (
            f"only {a_day:.0f} events a day: lower plan.min_rows, gate.min_units and "
            "bootstrap.fit.batch_size, and take more epochs"
        )


def _of_prices(source: dict[str, Any]) -> str:
    if "price" not in source["columns"]:
        return "no price was found: pricing has nothing to learn"
    if source.get("rows", {}).get("price") == "line":
        return "a price grows with the quantity: it is taken for that of the line, and divided"
    return "a price is taken for that of one piece, and in one currency"


def write_into(params: Path, shop: dict[str, Any]) -> None:
    """Put the section in place of the file's own; the rest keeps its lines and comments."""
    text = params.read_text()
    section = re.compile(r"^shop:\n(?:[ #].*\n|\n(?= ))*", re.MULTILINE)
    if len(section.findall(text)) != 1:
        raise SourceError(f"{params} has no section 'shop:' to replace")
    made = yaml.safe_dump({"shop": shop}, sort_keys=False, allow_unicode=True, width=100)
    params.write_text(section.sub(lambda _: made, text, count=1))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exits with 1 where a day breaks the contract."""
    parser = argparse.ArgumentParser(description="Propose params.yaml's shop for files.")
    parser.add_argument("data", type=Path, help="a file, or a folder of files")
    parser.add_argument("--time-zone", required=True, help="the shop's, such as Europe/Berlin")
    parser.add_argument("--write", action="store_true", help=f"put it into {PARAMS}")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="# %(message)s")
    try:
        found = propose(given.data, given.time_zone)
    except (OSError, ValueError) as problem:
        sys.exit(f"{problem}")
    print(yaml.safe_dump({"shop": found.shop}, sort_keys=False, allow_unicode=True, width=100))
    for note in found.notes:
        print(f"# {note}")
    for fault in found.faults[:5]:
        print(f"# {fault}")
    if found.faults:
        sys.exit(f"{len(found.faults)} days break the contract: mend the files or the map")
    if given.write:
        write_into(PARAMS, found.shop)
        print(f"# written into {PARAMS}: read it, commit it, then `make demo WORKSPACE=...`")


if __name__ == "__main__":
    main()

"""Rows that come with a later delivery: each is learned once, whatever the order of arrival."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks import workspace
from tasks.bundle import read_manifest
from tasks.sources import open_source
from tests.catch_up import night, with_shop
from tests.line import APPLICATION, Place, land_instead, nth, open_copy

pytestmark = pytest.mark.fault(17)
LAST = 2


def rows_of(place: Place, number: int) -> pd.DataFrame:
    return open_source(place.params.shop.source).read_day(nth(number)).events


def deliver(place: Place, evening: int, arrival: dict[str, int]) -> None:
    """All that has come by that evening, each row to the day that it is of."""
    for number in range(1, min(evening, LAST) + 1):
        land_instead(
            place,
            nth(number),
            lambda events: events[events["event_id"].map(arrival) <= evening],
        )


def arrivals(place: Place) -> dict[str, int]:
    """The evening on which each row comes: its own day's, or one of the two after it."""
    random = np.random.default_rng(17)
    return {
        event: number + int(random.choice(3, p=[0.8, 0.1, 0.1]))
        for number in range(1, LAST + 1)
        for event in rows_of(place, number)["event_id"]
    }


def learned(place: Place) -> Counter[str]:
    """How often each row is in the line, by its id: read from what the versions say they read."""
    found: Counter[str] = Counter()
    for version in place.ledger.lineage(place.line):
        if version.parent is None:  # history
            continue
        for path, md5 in read_manifest(place.bundle(version.version)).partitions.items():
            if path.startswith("events/"):
                found.update(workspace.read_partition(path, md5)["event_id"])
    return found


def test_each_row_is_learned_once_and_the_line_is_as_if_none_had_been_late(
    place: Place, template: Path, tmp_path: Path
) -> None:
    arrival = arrivals(place)
    assert set(arrival.values()) == {1, 2, 3, 4}
    with open_copy(template, tmp_path / "other") as other:
        shop = with_shop(other, on_correction="relearn")
        for evening in range(1, LAST + 3):
            deliver(shop, evening, arrival)
            assert night(shop, through=min(evening, LAST)) == []
        head, counted = shop.line.head, learned(shop)
        rewound = [e.day for e in shop.ledger.history(APPLICATION) if e.outcome == "rewound"]
    assert counted == Counter(dict.fromkeys(arrival, 1))
    assert nth(1) in rewound
    night(place, through=LAST)
    assert head == place.line.head


def test_ignored_late_rows_are_on_record_and_no_row_is_learned_twice(seasoned: Place) -> None:
    """Day 1 was learned whole; as if two rows more had come for it since."""
    more = rows_of(seasoned, 1).head(2)
    more = more.assign(event_id=["late-1", "late-2"])
    before = learned(seasoned)
    land_instead(seasoned, nth(1), lambda events: pd.concat([events, more], ignore_index=True))
    night(seasoned, through=LAST)
    noted = [e for e in seasoned.ledger.history(APPLICATION) if e.outcome == "ignored"]
    assert [entry.day for entry in noted] == [nth(1)]
    assert set(before.values()) == {1}
    assert not {"late-1", "late-2"} & set(before)


def test_a_late_row_in_a_later_days_file_is_told_where_it_belongs(place: Place) -> None:
    late = rows_of(place, 1).head(1)
    land_instead(place, nth(2), lambda events: pd.concat([events, late], ignore_index=True))
    (said,) = night(place, through=2)
    assert f"is not on {nth(2)}" in said
    assert "Rows of another day are landed with that day." in said

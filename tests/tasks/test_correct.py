"""A settled day that is landed again: noted once, or learned in its place as from the start."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tasks import days
from tasks.ledger import DayEntry
from tasks.nights import nights
from tasks.report import write_report
from tasks.rewind import NoWayBackError
from tasks.roll_back import roll_back
from tests.catch_up import night, with_shop
from tests.line import APPLICATION, Place, land_instead, nth, open_copy

Edit = Callable[[pd.DataFrame], pd.DataFrame]


def fewer(events: pd.DataFrame) -> pd.DataFrame:
    return events.iloc[:-3]


def as_it_is(events: pd.DataFrame) -> pd.DataFrame:
    return events


def broken(events: pd.DataFrame) -> pd.DataFrame:
    return events.drop(columns="price")


def ignored(place: Place) -> list[DayEntry]:
    return [e for e in place.ledger.history(APPLICATION) if e.outcome == "ignored"]


@pytest.mark.fault(16)
def test_an_ignored_correction_is_noted_once_and_shown(seasoned: Place) -> None:
    place = seasoned
    before = place.line
    land_instead(place, nth(2), fewer)
    night(place, through=3)
    truth = place.ledger.contents()
    (entry,) = ignored(place)
    assert entry.day == nth(2)
    assert entry.digest != place.ledger.fates(APPLICATION)[nth(2)].digest
    assert "not learned: shop.on_correction is ignore" in entry.reason
    night(place, through=3)
    assert place.ledger.contents() == truth
    assert place.line.model_copy(update={"sequence": before.sequence}) == before
    assert place.ledger.fates(APPLICATION)[nth(2)].outcome == "learned"
    assert [one.ignored for one in nights(place.ledger, APPLICATION) if one.ignored] == [entry]
    page = write_report(place.ledger, APPLICATION, place.params).read_text()
    assert "Corrections not learned" in page
    assert entry.reason in page


@pytest.mark.fault(16)
@pytest.mark.parametrize("first", [fewer, broken])
def test_a_corrected_day_ends_in_the_versions_of_a_line_that_had_it_from_the_beginning(
    first: Edit, place: Place, template: Path, tmp_path: Path
) -> None:
    """Whether the day was learned or set aside before its correction came."""
    night(place, through=3)
    with open_copy(template, tmp_path / "other") as other:
        relearning = with_shop(other, on_correction="relearn")
        land_instead(relearning, nth(2), first)
        night(relearning, through=3)
        wrong = relearning.line.head
        land_instead(relearning, nth(2), as_it_is)
        night(relearning, through=3)
        line, history = relearning.line, relearning.ledger.history(APPLICATION)
        fates = relearning.ledger.fates(APPLICATION)
        came = relearning.ledger.champions(APPLICATION)
        truth = relearning.ledger.contents()
        night(relearning, through=3)
        assert relearning.ledger.contents() == truth  # and that is the end of it
    assert wrong != line.head
    assert line.model_copy(update={"sequence": place.line.sequence}) == place.line
    expected = place.ledger.fates(APPLICATION)
    assert {d: (f.version, f.digest) for d, f in fates.items()} == {
        d: (f.version, f.digest) for d, f in expected.items()
    }
    back = next(entry for entry in came if entry.action == "roll_back")
    assert (back.actor, back.reason) == (
        "daily increment",
        f"{nth(2)} landed again with other content",
    )
    rewound = [entry.day for entry in history if entry.outcome == "rewound"]
    assert rewound == [nth(2), nth(3)]
    assert len({entry.sequence for entry in history if entry.outcome == "rewound"}) == 1


@pytest.mark.fault(16)
def test_a_correction_that_cannot_be_learned_takes_nothing_away(seasoned: Place) -> None:
    relearning = with_shop(seasoned, on_correction="relearn")
    head = relearning.line.head
    land_instead(relearning, nth(2), broken)
    night(relearning, through=3)
    assert relearning.line.head == head
    (entry,) = ignored(relearning)
    assert "column 'price' is missing" in entry.reason


@pytest.mark.fault(16)
def test_corrected_history_is_noted_for_the_next_bootstrap(place: Place) -> None:
    relearning = with_shop(place, on_correction="relearn")
    land_instead(relearning, nth(-3), fewer)
    night(relearning, through=1)
    (entry,) = ignored(relearning)
    assert (entry.day, "a new bootstrap would learn it" in entry.reason) == (nth(-3), True)
    assert relearning.line.day == nth(1)


@pytest.mark.fault(16)
def test_without_the_version_before_it_nothing_moves(seasoned: Place) -> None:
    relearning = with_shop(seasoned, on_correction="relearn")
    version = relearning.ledger.fates(APPLICATION)[nth(1)].version
    assert version
    shutil.rmtree(relearning.bundle(version))
    land_instead(relearning, nth(2), fewer)
    truth = relearning.ledger.contents()
    with pytest.raises(
        NoWayBackError, match=rf"{nth(2)} cannot be .* the version before it is gone.*restore"
    ):
        night(relearning, through=3)
    assert relearning.ledger.contents() == truth


@pytest.mark.fault(16)
def test_what_an_operator_took_back_since_stays_so(seasoned: Place) -> None:
    relearning = with_shop(seasoned, on_correction="relearn")
    with relearning.ledger.lease(APPLICATION) as lease:
        roll_back(
            relearning.ledger, lease, APPLICATION, relearning.params, None, "keep", "too keen"
        )
    land_instead(relearning, nth(2), fewer)
    truth = relearning.ledger.contents()
    with pytest.raises(NoWayBackError, match=r"an operator has taken .* too keen.*rollback flow"):
        night(relearning, through=3)
    assert relearning.ledger.contents() == truth


@pytest.mark.fault(16, 33)
def test_a_day_that_comes_on_the_calendar_later_is_learned_as_the_empty_day_it_was(
    place: Place,
) -> None:
    land_instead(place, nth(1), lambda events: events.iloc[:0])
    late = days.digest(days.by_day(days.manifest())[nth(1)])
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, nth(1), late, "it did not come")
    night(place, through=2)
    relearning = with_shop(place, on_correction="relearn", closed_days=(nth(1),))
    night(relearning, through=2)
    fates = place.ledger.fates(APPLICATION)
    assert [(fates[nth(n)].outcome, fates[nth(n)].rows > 0) for n in (1, 2)] == [
        ("learned", False),
        ("learned", True),
    ]

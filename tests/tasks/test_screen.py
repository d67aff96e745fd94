"""Limits of a day: what is poisoned is set aside before anything is learned from it."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.attempt import open_attempt
from tasks.contract import InvalidDayError
from tasks.faults import Faults
from tasks.ledger import DayEntry
from tasks.limits import Limits
from tasks.nights import faults_file
from tasks.report import write_report
from tasks.screen import check_limits, screen
from tests.catch_up import night, with_shop
from tests.line import APPLICATION, Place, land_instead, nth, open_copy
from tests.tasks.test_contract import good

Edit = Callable[[pd.DataFrame], pd.DataFrame]
TINY = Limits(rows_per_user=60)  # the made-up shop's busiest user has 13 events


def flood(events: pd.DataFrame) -> pd.DataFrame:
    """A robot: one user has twenty times the events of the busiest one."""
    size = 20 * int(events["user_id"].value_counts().max())
    more = events.sample(size, replace=True, random_state=1).reset_index(drop=True)
    ids = [f"robot-{row}" for row in range(size)]
    return pd.concat([events, more.assign(user_id="u001", event_id=ids)], ignore_index=True)


def in_cents(events: pd.DataFrame) -> pd.DataFrame:
    return events.assign(price=100 * events["price"])


def one_item(events: pd.DataFrame) -> pd.DataFrame:
    return events.assign(item_id=events["item_id"].where(events.index % 10 == 0, "i001"))


def twelve_times(events: pd.DataFrame) -> pd.DataFrame:
    """Every row twelve times, under other ids and by other users."""
    parts = [
        events.assign(event_id=events["event_id"] + f"-{n}", user_id=events["user_id"] + f"-{n}")
        for n in range(12)
    ]
    return pd.concat(parts, ignore_index=True)


def mixed_up(events: pd.DataFrame) -> pd.DataFrame:
    """Everyone's item is someone else's."""
    items = events["item_id"].to_numpy()
    return events.assign(
        item_id=pd.Series(np.random.default_rng(5).permutation(items), dtype="str")
    )


@pytest.fixture(scope="module")
def clean_head(seasoned_template: Path) -> str:
    """The head of a line that was never poisoned."""
    with open_copy(seasoned_template, seasoned_template.with_name("clean")) as place:
        assert night(with_shop(place, limits=TINY)) == []
        return place.line.head


def fate(place: Place, number: int) -> DayEntry:
    return place.ledger.fates(APPLICATION)[nth(number)]


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("poison", "said"),
    [
        (flood, r"column 'user_id', row \d+: one value's \d+ events of .*rows_per_user allows 60"),
        (in_cents, r"column 'price': a mean \d+ times the usual; shop\.limits\.price_ratio is 5"),
        (one_item, r"column 'item_id', row \d+: one value's .*share_of_one_item allows"),
        (
            twelve_times,
            r"events: 1\d\.?\d? times the usual number; shop\.limits\.volume_ratio is 10",
        ),
        (mixed_up, r"events: ndcg@20 is 0\.\d+ at best and 0\.\d+ as usual; .*score_ratio is 3"),
    ],
)
def test_a_poisoned_day_is_set_aside_and_its_correction_ends_in_the_clean_result(
    poison: Edit, said: str, seasoned: Place, clean_head: str
) -> None:
    shop = with_shop(seasoned, limits=TINY)
    before = shop.line
    land_instead(shop, nth(4), poison)
    (found,) = night(shop)
    assert re.search(said, found), found
    assert shop.line.model_copy(update={"sequence": before.sequence}) == before
    assert fate(shop, 4).outcome == "quarantined"
    land_instead(shop, nth(4), lambda events: events)
    assert night(shop) == []
    assert shop.line.head == clean_head


@pytest.mark.fault(14)
def test_what_is_wrong_is_kept_and_shown(place: Place) -> None:
    shop = with_shop(place, limits=TINY)
    land_instead(shop, nth(1), lambda events: in_cents(flood(events)))
    night(shop, through=1)
    entry = fate(shop, 1)
    file = faults_file(APPLICATION, nth(1), entry.digest)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert entry.reason.endswith(f"All faults: {file} (sha256 {sha256[:16]}).")
    kept = Faults.read(file)
    assert [fault.column for fault in kept.faults] == ["user_id", "price"]
    assert "u001" not in file.read_text()  # whose it is stands in the data alone
    page = write_report(shop.ledger, APPLICATION, shop.params).read_text()
    assert "2 faults" in page
    assert "shop.limits.rows_per_user allows 60" in page


def test_a_day_of_few_events_may_be_of_one_item_and_what_is_not_known_is_no_limit() -> None:
    few = good(99)  # all of one user and one item
    check_limits(few, Limits(), "a day", {})
    with pytest.raises(InvalidDayError, match="share_of_one_item allows 50"):
        check_limits(good(100), Limits(), "a day", {})
    with pytest.raises(InvalidDayError, match="a day is like no day of this shop"):
        check_limits(few, Limits(rows_per_user=98), "a day", {})


@pytest.mark.fault(14)
def test_a_released_day_has_no_limits(place: Place) -> None:
    increment = place.due()
    assert increment.limits == Limits()
    shop = with_shop(place, limits=Limits(rows_per_user=1))
    strict = shop.due()
    where = open_attempt(strict)
    with pytest.raises(InvalidDayError, match="rows_per_user"):
        screen(strict, shop.params, where / "parent")
    free = strict.model_copy(update={"limits": None})
    assert screen(free, shop.params, where / "parent").rows > 0

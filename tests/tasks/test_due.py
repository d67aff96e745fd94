"""Which day comes next: oldest first, each once, none skipped in silence."""

import datetime as dt
from dataclasses import replace

import pytest

from tasks import days, workspace
from tasks.due import LateDayError, NoChampionError, content, corrected, line_of, next_increment
from tasks.params import Params
from tasks.records import Increment
from tasks.update import UpdateSettings
from tests.line import APPLICATION, Place, land_instead, learn, nth

pytestmark = pytest.mark.usefixtures("url")  # the ledger on both databases

Manifest = dict[str, str]


def due(place: Place, params: Params | None = None, through: dt.date = dt.date.max) -> Increment:
    found = next_increment(place.ledger, APPLICATION, params or place.params, through)
    assert found is not None
    return found


def nothing_due(place: Place, through: dt.date = dt.date.max) -> bool:
    return next_increment(place.ledger, APPLICATION, place.params, through) is None


def closed_on(params: Params, *closed: dt.date) -> Params:
    return params.model_copy(
        update={"shop": params.shop.model_copy(update={"closed_days": closed})}
    )


def set_aside(place: Place, increment: Increment) -> None:
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, increment.day, days.digest(increment.partitions), "bad")


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """What is landed according to data.dvc, to be taken from."""
    manifest: Manifest = {}
    monkeypatch.setattr(days, "manifest", lambda: manifest)
    return manifest


def lands(manifest: Manifest, place: Place, *numbers: int) -> None:
    there = workspace.data_manifest()
    for number in numbers:
        manifest |= days.by_day(there).get(nth(number), {})


def test_the_oldest_day_is_next_with_all_that_it_needs(place: Place) -> None:
    increment = due(place)
    head = place.line.head
    assert increment.day == nth(1)
    assert (increment.parent, increment.predecessor, increment.anchor) == (head, head, head)
    assert increment.events == f"data/events/date={nth(1)}"
    assert sorted(increment.partitions) == [
        f"{table}/date={nth(1)}/part-0.parquet" for table in ("events", "items")
    ]
    assert increment.update == place.params.application(APPLICATION).fine_tune
    assert increment.looks == {}
    assert due(place) == increment


def test_what_tonight_sets_is_pinned_over_the_parameters(place: Place) -> None:
    tonight = UpdateSettings(epochs=3)
    found = next_increment(place.ledger, APPLICATION, place.params, dt.date.max, tonight)
    assert found is not None
    usual = place.params.application(APPLICATION).fine_tune
    assert usual != UpdateSettings()
    assert found.update == usual.model_copy(update={"epochs": 3})


def test_what_an_operator_chooses_for_tonight_is_pinned(place: Place) -> None:
    assert due(place).learn is None
    found = next_increment(
        place.ledger, APPLICATION, place.params, dt.date.max, learn="full_retrain"
    )
    assert found == due(place).model_copy(update={"learn": "full_retrain"})


def test_days_that_are_not_in_the_state_are_no_history(place: Place) -> None:
    set_aside(place, due(place))
    learn(place, "keep")
    history = due(place).history
    assert history is not None
    assert (history.last, history.left_out) == (nth(2), (nth(1),))


@pytest.mark.fault(18)
def test_days_are_caught_up_in_order_and_no_further_than_asked(seasoned: Place) -> None:
    increment = due(seasoned)
    assert increment.day == nth(4)
    assert increment.parent == seasoned.line.head
    assert increment.predecessor == seasoned.line.predecessor
    assert increment.anchor != increment.predecessor
    assert increment.looks["anchor"] >= 1
    assert nothing_due(seasoned, through=nth(3))


def test_looks_are_paid_for_anew_in_the_next_window(seasoned: Place) -> None:
    looks = []
    for window in (1, 10_000_000):  # a window that ends tonight, and one that does not
        section = seasoned.params.application(APPLICATION)
        gate = section.gate.model_copy(update={"window_days": window})
        section = section.model_copy(update={"gate": gate})
        params = seasoned.params.model_copy(update={"applications": {APPLICATION: section}})
        looks.append(due(seasoned, params).looks)
    assert looks[0] == {}
    assert looks[1]


@pytest.mark.fault(15)
def test_when_all_is_learned_nothing_is_due(seasoned: Place, landed: Manifest) -> None:
    lands(landed, seasoned, 1, 2, 3)
    assert nothing_due(seasoned)
    landed.clear()
    assert nothing_due(seasoned)


@pytest.mark.fault(19)
def test_a_missing_day_holds_the_line_until_its_time_is_over(
    place: Place, landed: Manifest
) -> None:
    lands(landed, place, 2, 3)
    assert nothing_due(place)  # two days late: it may still come
    lands(landed, place, 4)
    with pytest.raises(LateDayError, match=f"{nth(1)} was not landed.*shop.closed_days") as late:
        due(place)
    assert (late.value.day, late.value.digest) == (nth(1), "no file")
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, late.value.day, late.value.digest, str(late.value))
    assert due(place).day == nth(2)
    lands(landed, place, 1)
    assert due(place).day == nth(1)  # it came after all


def test_a_day_on_the_calendar_is_learned_without_files(place: Place, landed: Manifest) -> None:
    lands(landed, place, 2)
    increment = due(place, closed_on(place.params, nth(1)))
    assert increment.day == nth(1)
    assert increment.partitions == {}
    assert (increment.events, increment.items) == (days.CALENDAR, days.CALENDAR)


def test_a_day_without_rows_is_as_late_as_one_without_a_file(place: Place) -> None:
    land_instead(place, nth(1), lambda events: events.iloc[:0])
    with pytest.raises(LateDayError, match=f"{nth(1)} has no rows") as late:
        due(place)
    assert late.value.digest != "no file"
    closed = due(place, closed_on(place.params, nth(1)))
    assert (closed.day, bool(closed.partitions)) == (nth(1), True)


def test_an_empty_day_that_was_set_aside_and_comes_on_the_calendar_is_learned(
    place: Place, landed: Manifest
) -> None:
    lands(landed, place, 2, 3, 4)
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, nth(1), days.digest({}), "it did not come")
    assert due(place).day == nth(2)
    assert due(place, closed_on(place.params, nth(1))).day == nth(1)


def test_a_closed_day_can_be_set_aside_too(place: Place, landed: Manifest) -> None:
    lands(landed, place, 2)
    params = closed_on(place.params, nth(1))
    known = content(nth(1), {}, params.shop)
    with place.ledger.lease(APPLICATION) as lease:
        place.ledger.quarantine(lease, nth(1), known, "it breaks the contract")
    assert due(place, params).day == nth(2)


@pytest.mark.parametrize("set_aside_first", [True, False])
def test_a_closed_day_that_is_settled_is_not_corrected(
    place: Place, set_aside_first: bool
) -> None:
    land_instead(place, nth(1), lambda events: events.iloc[:0])
    closed = replace(place, params=closed_on(place.params, nth(1)))
    if set_aside_first:
        known = content(nth(1), closed.due().partitions, closed.params.shop)
        with place.ledger.lease(APPLICATION) as lease:
            place.ledger.quarantine(lease, nth(1), known, "it breaks the contract")
    learn(closed, "keep")
    assert closed.due().day > nth(1)
    shop, line = closed.params.shop, closed.line
    assert corrected(closed.ledger, line, shop, dt.date.max) == {}
    land_instead(place, nth(1), lambda events: events)
    assert list(corrected(closed.ledger, line, shop, dt.date.max)) == [nth(1)]


@pytest.mark.fault(13)
def test_a_day_set_aside_stays_so_until_other_content_lands(place: Place) -> None:
    bad = due(place)
    set_aside(place, bad)
    assert due(place).day == nth(2)
    land_instead(place, nth(1), lambda events: events.iloc[:-1])
    again = due(place)
    assert again.day == nth(1)
    assert again.partitions != bad.partitions


def test_a_file_that_cannot_be_read_is_left_to_validation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "folder", lambda: place.root / "nowhere")
    assert due(place).day == nth(1)


def test_without_a_champion_the_cure_is_named(empty_place: Place) -> None:
    with pytest.raises(
        NoChampionError, match=r"python -m flows\.bootstrap --application recommendation"
    ):
        line_of(empty_place.ledger, APPLICATION)
    with pytest.raises(NoChampionError):
        nothing_due(empty_place)

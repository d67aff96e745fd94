"""What the next run finds, and what the page says about it."""

import datetime as dt
from typing import Any

import pytest

from tasks.ahead import ahead, next_run
from tasks.ledger import Ledger, Line
from tasks.nights import nights
from tasks.params import Params, PlanParams, ShopParams, load_params
from tests.tasks.made_up_nights import APPLICATION, date

PARAMS = load_params()
FILE = {"events/part-0.parquet": "content"}


@pytest.fixture
def ledger(made_up_ledger: Ledger) -> Ledger:
    return made_up_ledger


def line_of(ledger: Ledger) -> Line:
    line = ledger.line(APPLICATION)
    assert line is not None
    return line


def told(ledger: Ledger, *landed: int, params: Params = PARAMS) -> tuple[dt.date, str]:
    line = line_of(ledger)
    found = ahead(ledger, line, params.shop, {date(number): FILE for number in landed})
    day, sentences = next_run(line, found, nights(ledger, APPLICATION), params)
    return day, ". ".join(sentences)


def shop(**changes: Any) -> Params:
    changed = ShopParams.model_validate(PARAMS.shop.model_dump() | changes)
    return PARAMS.model_copy(update={"shop": changed})


def plan(**changes: Any) -> Params:
    section = PARAMS.application(APPLICATION)
    changed = PlanParams.model_validate(section.plan.model_dump() | changes)
    section = section.model_copy(update={"plan": changed})
    return PARAMS.model_copy(update={"applications": {APPLICATION: section}})


def test_nothing_landed_is_told_of_the_day_after_the_last(ledger: Ledger) -> None:
    day, said = told(ledger, 8, 9)
    assert day == date(10)
    assert said.startswith("It has not landed yet. Plan: fine-tune, unless the shop was closed")
    assert said.endswith("Full retrain: only when asked for (learn)")


def test_landed_days_are_counted(ledger: Ledger) -> None:
    assert told(ledger, 10)[1].startswith("It has landed. ")
    day, said = told(ledger, 10, 11, 12)
    assert day == date(10)
    assert said.startswith("It has landed, and 2 later ones follow. ")


def test_a_day_that_later_ones_wait_for(ledger: Ledger) -> None:
    day, said = told(ledger, 11)
    assert day == date(10)
    assert said.startswith("It was not landed, later days were; they wait until 2 days")
    assert told(ledger, 11, params=shop(closed_days=[date(10)]))[0] == date(11)


def test_a_day_set_aside_is_named_where_others_wait_for_it(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        ledger.quarantine(lease, date(10), "content 10", "broken")
    assert "wait for" not in told(ledger, 11)[1]
    assert (
        f"Later days wait for {date(10)}" in told(ledger, 11, params=shop(on_quarantine="wait"))[1]
    )


def test_the_settings_of_the_plan_are_told(ledger: Ledger) -> None:
    said = told(ledger, params=plan(only_on_drift=True, full_retrain_days=30))[1]
    assert "or nothing has drifted (plan.only_on_drift)" in said
    assert said.endswith(f"Full retrain from {date(32)} on")
    assert told(ledger, params=plan(full_retrain_alarms=3))[1].endswith("after 3 alarms")

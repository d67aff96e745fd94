"""The pricing benchmark's arithmetic, on days of a tiny market."""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.findings import DifferentRowsError, Finding
from benchmarks.pricing_rivals import PANEL, YESTERDAY, Fitted, Rivals, columns_of, most_sold
from benchmarks.quality_pricing import CHAMPION, Recorder
from lightning_modules.pricing.item_days import COLUMN, OUTPUTS, SLOTS, TODAY, ItemDays
from lightning_modules.pricing.learner import PricingLearner
from tests.lightning_modules.pricing.tiny_market import FIRST, SETTINGS, market_day


@pytest.fixture(scope="module")
def days() -> list[tuple[dt.date, ItemDays]]:
    """A Monday's and the following days' units, two weeks in all."""
    return list(lived(PricingLearner.new(SETTINGS)))


def lived(learner: PricingLearner) -> Iterator[tuple[dt.date, ItemDays]]:
    for number in range(35):
        day = market_day(FIRST + dt.timedelta(number))
        examples = learner.examples(day) if number >= 21 else None
        learner.absorb(day, examples, None)
        if examples is not None:
            yield day.day, examples


def outputs(examples: ItemDays, units: float, rest: float) -> NDArray[np.float32]:
    """The same forecast for every unit."""
    found = np.zeros((len(examples), SLOTS, len(OUTPUTS)), np.float32)
    found[:, TODAY, COLUMN["units"]], found[:, TODAY, COLUMN["rest_of_week"]] = units, rest
    return found


def figure(found: list[Finding], method: str, measure: str) -> float:
    return next(one.value for one in found if (one.method, one.measure) == (method, measure))


def test_errors_are_of_all_products_and_whole_weeks(days: list[tuple[dt.date, ItemDays]]) -> None:
    recorder = Recorder()
    for day, examples in days[:10]:
        exact = outputs(examples, 0, 0)
        exact[:, TODAY, COLUMN["units"]] = examples.units
        recorder.record(day, examples, {CHAMPION: exact, "constant": outputs(examples, 3, 21)})
    found = recorder.findings()
    assert figure(found, CHAMPION, "WAPE, day") == 0
    sold = np.concatenate([examples.units for _, examples in days[:10]])
    assert figure(found, "constant", "WAPE, day") == pytest.approx(
        np.abs(sold - 3).sum() / sold.sum()
    )
    week = np.sum([examples.units for _, examples in days[:7]], axis=0)
    assert figure(found, "constant", "RMSE, week") == pytest.approx(
        np.sqrt(np.mean((week - 21) ** 2))
    )


def test_price_forecasts_are_those_served(days: list[tuple[dt.date, ItemDays]]) -> None:
    recorder = Recorder()
    for day, examples in days:
        examples.forecasts[:] = 0
        recorder.record(day, examples, {CHAMPION: outputs(examples, 1, 7)})
    found = recorder.findings()
    for measure in (
        "pinball loss of the log price, 7 d ahead",
        "Brier score of a change, 7 d ahead",
    ):
        served = figure(found, CHAMPION, measure)
        assert served > 0
        assert served == pytest.approx(figure(found, "no change", measure))
    coverage = figure(found, CHAMPION, "coverage of 80%, 7 d ahead")
    changed = figure(found, "no change", "Brier score of a change, 7 d ahead")
    assert coverage == pytest.approx(1 - changed)


def test_other_rows_are_refused(days: list[tuple[dt.date, ItemDays]]) -> None:
    recorder, others = Recorder(), Rivals()
    day, examples = days[0]
    recorder.record(day, examples, {CHAMPION: outputs(examples, 1, 7)})
    with pytest.raises(DifferentRowsError, match="other products"):
        recorder.join(others)
    others.ids[day] = examples.item_ids.tolist()
    others.chosen = set(others.ids[day][:4])
    others.add(YESTERDAY, day, examples.units, examples.units)
    recorder.join(others)
    assert len(recorder.units[day]) == len(recorder.scores[YESTERDAY][day]) == 4


def test_a_panel_knows_its_items_and_their_prices(days: list[tuple[dt.date, ItemDays]]) -> None:
    parts = [(columns_of(examples, TODAY), examples.units) for _, examples in days]
    columns = np.concatenate([x for x, _ in parts])
    units = np.concatenate([y for _, y in parts])
    fitted = Fitted()
    fitted._fit_panel({"day": (columns, units)})
    fitted._fit_glm({"day": (columns, units)})
    said = fitted.forecasts(columns)[PANEL]
    assert np.abs(units - said).mean() < np.abs(units - units.mean()).mean()


def test_the_products_judged_are_the_most_sold() -> None:
    learner = PricingLearner.new(SETTINGS)
    for number in range(9):
        learner.absorb(market_day(FIRST + dt.timedelta(number)), None, None)
    assert most_sold(learner) == {f"p{number}" for number in range(10)}

"""Champion, challenger and anchor meet on the rows that the update did not see."""

import datetime as dt

import numpy as np
import pytest

from lightning_modules.hashing import list_keys
from tasks import learners, reference
from tasks.evaluate import FILE, LOOK_BACK, PAST, UNITS, _backwards, evaluate
from tasks.records import Evaluation, Fit, History
from tests.line import APPLICATION, Place, attempt, nth


def test_all_are_judged_on_the_same_held_out_households(evening: Place) -> None:
    table = reference.read_frame(attempt() / UNITS)
    found = Evaluation.read(attempt() / FILE)
    seen = learners.examples(evening.due(), evening.params, attempt())
    held_out = learners.held_out(seen, evening.params.application(APPLICATION).holdout_share)
    expected = sorted(seen.unit_ids[held_out])
    by_method = {name: sorted(part["unit"]) for name, part in table.groupby("method")}
    assert by_method == dict.fromkeys(("anchor", "challenger", "champion"), expected)
    assert found.units == len(expected)
    assert found.challenger is not None
    values = table[table["method"] == "challenger"]["ndcg@20"]
    assert found.challenger["ndcg@20"] == pytest.approx(values.mean(), abs=1e-6)
    assert found.champion == found.anchor  # the first champion is the anchor


def test_forgetting_is_measured_on_frozen_lists_of_the_past(evening: Place) -> None:
    past = reference.read_frame(attempt() / PAST)
    champion = learners.champion(evening.due(), evening.params, attempt())
    frozen = champion.frozen()
    assert sorted(past["unit"]) == sorted(frozen.unit_ids[frozen.hit])
    assert np.isfinite(past[["champion", "challenger"]].to_numpy()).all()
    assert not past["champion"].equals(past["challenger"])


def test_each_frozen_list_has_its_day(evening: Place) -> None:
    past = reference.read_frame(attempt() / PAST)
    frozen = learners.champion(evening.due(), evening.params, attempt()).frozen()
    named = [
        list_keys(dt.date.fromisoformat(day), [unit])[0]
        for day, unit in zip(past["day"], past["unit"], strict=True)
    ]
    assert sorted(named) == sorted(frozen.keys[frozen.hit])


def test_of_a_pin_without_history_the_days_are_not_known(evening: Place) -> None:
    pin = evening.due().model_copy(update={"history": None})
    evaluate(pin, evening.params, attempt())
    assert reference.read_frame(attempt() / PAST)["day"].isna().all()


def test_without_a_challenger_the_others_are_still_measured(evening: Place) -> None:
    skipped = Fit(learned=False, diverged=False, reason="too quiet", lists=0, curve=())
    skipped.write(attempt() / "challenger" / "fit.json")
    found = evaluate(evening.due(), evening.params, attempt())
    assert (found.challenger, found.reason) == (None, "too quiet")
    assert found.units > 0
    assert "challenger" not in reference.read_frame(attempt() / PAST)


def test_the_same_night_is_measured_the_same(evening: Place) -> None:
    names = (FILE, UNITS, PAST)
    content = [(attempt() / name).read_bytes() for name in names]
    evaluate(evening.due(), evening.params, attempt())
    assert [(attempt() / name).read_bytes() for name in names] == content


def test_past_days_are_looked_for_a_quarter_back_at_most() -> None:
    last = nth(1)
    first = last - dt.timedelta(days=400)
    found = list(_backwards(History(first=first, last=last, left_out=(), digest="")))
    assert found[0] == last
    assert len(found) == LOOK_BACK
    young = History(first=last, last=last, left_out=(), digest="")
    assert list(_backwards(young)) == [last]
    assert list(_backwards(None)) == []

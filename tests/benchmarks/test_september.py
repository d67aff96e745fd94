"""What September says of a setting: the same day and first champion beside each other."""

import datetime as dt

import pytest

from benchmarks import cost
from benchmarks.learning_ways import Course, Way
from benchmarks.september import FIRST, gain, september
from lightning_modules.parameters import Parameters

DAYS = [FIRST + dt.timedelta(number) for number in range(2)]


def course(seed: int, *quality: float) -> Course:
    made = Course(Way("any", {}), seed, Parameters())
    made.quality = dict(zip(DAYS, quality, strict=True))
    return made


def test_a_way_is_compared_with_the_usual_one_from_its_own_first_champion() -> None:
    usual = [course(1, 0.2, 0.3), course(2, 0.4, 0.5)]
    assert gain([course(1, 0.3, 0.3)], usual) == pytest.approx([0.1, 0.0])
    both = [course(1, 0.3, 0.3), course(2, 0.4, 0.3)]
    assert gain(both, usual) == pytest.approx([0.05, -0.1])


def test_the_bound_is_the_only_thing_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.september.make_place", lambda *_: None)
    free, bound = (september([], most, False) for most in (None, 200))
    assert {**free.settings, "most_items": 200} == bound.settings
    assert (free.fit_from, free.first, free.last) == (bound.fit_from, bound.first, bound.last)
    assert free.first == FIRST
    assert free.last < dt.date(2017, 10, 2)  # nothing of the quarter that is quoted


def test_only_recommendation_has_households_items(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cost.main(["--most-items", "200", "--application", "pricing"])
    assert "--application recommendation" in capsys.readouterr().err
